/** Behind a load balancer (PROXY protocol 1 and 2): a device is known by its own address. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { App, Sys } from './mqtt-app.ts'
import { connectPacket } from './mqtt-wire.ts'
import { without } from './needs.ts'
import { listener, Server } from './server.ts'
import { TcpPeer } from './tcp-peer.ts'

const SIGNATURE = '0d0a0d0a000d0a515549540a'

/** Headers, and where they say the device is. */
const HEADERS: readonly (readonly [name: string, header: Buffer, peer: string])[] = [
  ['version 1, TCP4', Buffer.from('PROXY TCP4 203.0.113.7 192.0.2.1 56324 1883\r\n'), '203.0.113.7:56324'],
  ['version 1, TCP6', Buffer.from('PROXY TCP6 2001:db8::7 2001:db8::1 56324 1883\r\n'), '[2001:db8::7]:56324'],
  // PROXY, STREAM over IPv4, 12 octets: 203.0.113.7, 192.0.2.1, 56324, 1883.
  ['version 2, IPv4', Buffer.from(`${SIGNATURE}2111000ccb007107c0000201dc04075b`, 'hex'), '203.0.113.7:56324'],
  // PROXY, STREAM over IPv6, 36 octets: 2001:db8::7, 2001:db8::1, 56324, 1883.
  [
    'version 2, IPv6',
    Buffer.from(`${SIGNATURE}2121002420010db800000000000000000000000720010db8000000000000000000000001dc04075b`, 'hex'),
    '[2001:db8::7]:56324',
  ],
]

describe('PROXY protocol', { skip: without('mqtt') }, () => {
  let server: Server
  let lastId = 0
  before(async () => {
    const listeners = [
      listener('tcp', { name: 'behind', proxyProtocol: true }),
      listener('tcp', { name: 'direct' }),
      listener('ws', { name: 'web', path: '/mqtt', proxyProtocol: true }),
    ]
    server = await Server.start({ gateways: { mqtt: { listeners } } })
  })
  after(() => server.stop())

  const behind = (): number => server.port('mqtt')
  const direct = (): number => server.port('mqtt', 'tcp', 1)

  for (const [name, header, peer] of HEADERS) {
    test(`${name}: the status names the device's address`, async (t) => {
      const app = await App.connect(direct(), t)
      for (const way of ['at once', 'byte by byte'] as const) {
        const clientId = `behind-${++lastId}`
        await app.subscribe(`devices/${clientId}/status`)
        const socket = await TcpPeer.open(behind(), t)
        const bytes = Buffer.concat([header, connectPacket({ clientId })])
        if (way === 'at once') socket.send(bytes)
        else await socket.sendByteByByte(bytes)
        const { text } = await app.message(`status of ${clientId}`, ({ topic }) => topic === `devices/${clientId}/status`)
        assert.equal((JSON.parse(text) as { peer: string }).peer, peer, way)
      }
    })
  }

  for (const [name, header] of [
    ['version 1, UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n')],
    ['version 2, LOCAL', Buffer.from(`${SIGNATURE}20000000`, 'hex')],
  ] as const) {
    test(`${name}: the status names the load balancer's own address`, async (t) => {
      const clientId = `local-${++lastId}`
      const app = await (await App.connect(direct(), t)).subscribe(`devices/${clientId}/status`)
      const socket = await TcpPeer.open(behind(), t)
      socket.send(Buffer.concat([header, connectPacket({ clientId })]))
      const { text } = await app.message('the status', () => true)
      assert.equal((JSON.parse(text) as { peer: string }).peer, socket.name)
    })
  }

  test('a WebSocket behind a load balancer is known by its own address', async (t) => {
    const app = await (await App.connect(direct(), t)).subscribe('devices/web-1/status')
    const url = `ws://127.0.0.1:${server.port('mqtt', 'ws')}/mqtt`
    const createConnection = () => {
      const socket = connect(server.port('mqtt', 'ws'), '127.0.0.1')
      socket.write('PROXY TCP4 203.0.113.9 192.0.2.1 40000 80\r\n')
      return socket
    }
    const web = new WebSocket(url, 'mqtt', { createConnection })
    t.after(() => web.terminate())
    web.on('open', () => web.send(connectPacket({ clientId: 'web-1' })))
    const { text } = await app.message('the status', () => true)
    assert.equal((JSON.parse(text) as { peer: string }).peer, '203.0.113.9:40000')
  })

  test('whoever sends no such header is closed and counted', async (t) => {
    const bare = await TcpPeer.open(behind(), t)
    bare.send(connectPacket({ clientId: 'bare' }))
    await bare.untilClosed()
    assert.equal(bare.received.length, 0)
    const silent = await TcpPeer.open(behind(), t)
    await silent.untilClosed()
    assert.equal((await Sys.read(direct())).at('gateways/mqtt/listeners/behind/proxyErrors'), 2)
  })
})
