/** Limits of a listener and of the process: who is above one waits or is refused, and is counted. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Cleanup } from './child.ts'
import { CoapDevice } from './coap-device.ts'
import { App, Sys } from './mqtt-app.ts'
import { connectPacket, MqttWire } from './mqtt-wire.ts'
import { without } from './needs.ts'
import { listener, Server } from './server.ts'
import { TcpPeer } from './tcp-peer.ts'
import { until } from './waiting.ts'

/** MQTT 5.0 2.4 */
const QUOTA_EXCEEDED = 0x97

/** One listener with the limits in question, and one without, to look at the numbers. */
async function limited(limits: Readonly<Record<string, unknown>>, cleanup: Cleanup): Promise<Server> {
  const listeners = [listener('tcp', { name: 'limited', limits }), listener('tcp', { name: 'open' })]
  return Server.start({ gateways: { mqtt: { listeners } } }, cleanup)
}

const openPort = (server: Server): number => server.port('mqtt', 'tcp', 1)
const numberOf = async (server: Server, name: string): Promise<number> =>
  (await Sys.read(openPort(server))).at(`gateways/mqtt/listeners/limited/${name}`)

/** Connects by MQTT; true when CONNACK came, false when the connection was closed first. */
async function getsIn(port: number, cleanup: Cleanup): Promise<boolean> {
  const peer = await TcpPeer.open(port, cleanup)
  peer.send(connectPacket())
  return until('CONNACK or the end', () => (peer.received.length > 0 ? 'in' : peer.closed ? 'refused' : undefined)).then(
    (outcome) => outcome === 'in',
  )
}

describe('limits of a listener', { skip: without('mqtt') }, () => {
  test('maxConnections refuses the next one until another has left', async (t) => {
    const server = await limited({ maxConnections: 3 }, t)
    const port = server.port('mqtt')
    const apps = [await App.connect(port, t), await App.connect(port, t), await App.connect(port, t)]
    assert.equal(await getsIn(port, t), false)
    assert.equal(await numberOf(server, 'refusedLimit'), 1)
    await apps[0]?.end()
    await until('a place', () => getsIn(port, t))
    for (const app of apps.slice(1)) assert.equal(app.connected, true)
  })

  test('maxConnectRate refuses what comes too fast, and later ones get in', async (t) => {
    const server = await limited({ maxConnectRate: 5 }, t)
    const port = server.port('mqtt')
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => getsIn(port, t)))
    const accepted = outcomes.filter(Boolean).length
    assert.ok(accepted >= 5 && accepted < 100, `${accepted} of 100 at once`)
    assert.equal(await numberOf(server, 'accepted'), accepted)
    assert.equal(await numberOf(server, 'refusedRate'), 100 - accepted)
    await until('the next second', () => getsIn(port, t))
  })

  test('maxMessageRate slows a publisher down and loses nothing', async (t) => {
    const server = await limited({ maxMessageRate: 100 }, t)
    const reader = await (await App.connect(openPort(server), t)).subscribe('fast')
    const publisher = await App.connect(server.port('mqtt'), t)
    await Promise.all(Array.from({ length: 300 }, (_, i) => publisher.publish('fast', String(i))))
    await until('all messages', () => reader.on('fast').length >= 300)
    assert.deepEqual(
      reader.on('fast').map(({ text }) => Number(text)),
      Array.from({ length: 300 }, (_, i) => i),
    )
    assert.ok((await Sys.read(openPort(server))).at('gateways/mqtt/counters/throttled') > 0)
  })

  test('maxByteRate slows a publisher down and loses nothing', async (t) => {
    const server = await limited({ maxByteRate: '128KiB' }, t)
    const reader = await (await App.connect(openPort(server), t)).subscribe('wide')
    const publisher = await App.connect(server.port('mqtt'), t)
    await Promise.all(Array.from({ length: 12 }, () => publisher.publish('wide', Buffer.alloc(32 * 1024))))
    await until('all messages', () => reader.on('wide').length === 12)
    assert.ok((await numberOf(server, 'throttled')) > 0)
  })

  test('maxQueuedBytes cuts off a device that takes nothing of what its own requests cause', async (t) => {
    const server = await limited({ maxQueuedBytes: '256KiB', highWater: '64KiB' }, t)
    const wire = await MqttWire.connect(server.port('mqtt'), t, { clientId: 'deaf' })
    wire.peer.socket.pause()
    const pings = Buffer.alloc(64 * 1024, Buffer.from('c000', 'hex'))
    const ping = (): void => {
      while (!wire.peer.socket.destroyed && wire.peer.socket.write(pings));
    }
    wire.peer.socket.on('drain', ping)
    ping()
    await until('the connection to be cut', async () => (await numberOf(server, 'congested')) === 1)
  })

  test('datagrams above maxByteRate or maxMessageRate are dropped and counted', { skip: without('coap') }, async (t) => {
    const listeners = [
      listener('udp', { name: 'bytes', limits: { maxByteRate: '1KiB' } }),
      listener('udp', { name: 'messages', limits: { maxMessageRate: 10 } }),
    ]
    const server = await Server.start({ gateways: { mqtt: { listeners: [listener('tcp')] }, coap: { listeners } } }, t)
    const [bytes, messages] = [server.port('coap', 'udp', 0), server.port('coap', 'udp', 1)]
    const request = { method: 'get', path: '/.well-known/core' } as const
    const wide = await CoapDevice.open(bytes, t)
    assert.equal((await wide.request(request)).code, '2.05')
    const eager = await CoapDevice.open(messages, t)
    assert.equal((await eager.request(request)).code, '2.05')
    const pings = 100
    for (let i = 0; i < pings; i++) eager.send(Buffer.of(0x40, 0, 0, i)) // CoAP ping
    await until('the drops to be counted', async () => {
      for (let i = 0; i < 20; i++) wide.send(Buffer.alloc(1024))
      const sys = await Sys.read(server.port('mqtt'))
      return (
        sys.at('gateways/coap/listeners/bytes/datagramsRateLimited') > 50 && sys.at('gateways/coap/counters/rate-limited') > 50
      )
    })
    const pongs = eager.responses.filter(({ type }) => type === 'rst').length
    assert.ok(pongs > 0 && pongs < pings / 2, `${pongs} of ${pings} pings were answered`)
  })
})

describe('limits of the process', { skip: without('mqtt') }, () => {
  test('maxConnections counts all listeners together', async (t) => {
    const listeners = [listener('tcp', { name: 'limited' }), listener('tcp', { name: 'open' })]
    const server = await Server.start({ node: { maxConnections: 2 }, gateways: { mqtt: { listeners } } }, t)
    const app = await App.connect(server.port('mqtt'), t)
    await App.connect(openPort(server), t)
    assert.equal(await getsIn(server.port('mqtt'), t), false)
    await app.subscribe('$SYS/broker/gateways/mqtt/listeners/limited/refusedLimit', 0)
    await app.message('the refusal', ({ text }) => text === '1')
  })

  test('maxClients refuses the next client with its reason', async (t) => {
    const server = await Server.start({ node: { maxClients: 2 }, gateways: { mqtt: { listeners: [listener('tcp')] } } }, t)
    const port = server.port('mqtt')
    await App.connect(port, t, { clientId: 'one' })
    await App.connect(port, t, { clientId: 'two' })
    const third = await MqttWire.connect(port, t, { clientId: 'three' })
    assert.equal((await third.packet('connack')).reasonCode, QUOTA_EXCEEDED)
    await third.peer.untilClosed()
    await App.connect(port, t, { clientId: 'one' })
  })
})
