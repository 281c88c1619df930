/** What nobody should send, on every listener: counted, closed where the protocol says so, and no harm to the others. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import type { TestContext } from 'node:test'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Packet } from 'mqtt-packet'
import { WebSocket } from 'ws'
import type { Cleanup } from './child.ts'
import { CoapDevice } from './coap-device.ts'
import { Sys } from './mqtt-app.ts'
import { connectPacket, encode, MqttWire } from './mqtt-wire.ts'
import { without } from './needs.ts'
import { Pair } from './pair.ts'
import { mutations, randomBlocks } from './random.ts'
import type { GatewaySection } from './server.ts'
import { listener, Server } from './server.ts'
import { TcpPeer } from './tcp-peer.ts'
import { bytesOf, FRAMES, Terminal } from './terminal.ts'
import { until } from './waiting.ts'

/** MQTT 5.0 2.4 */
const MALFORMED_PACKET = 0x81
const PACKET_TOO_LARGE = 0x95
/** RFC 6455 7.4.1 */
const MESSAGE_TOO_BIG = 1009
const UNSUPPORTED_DATA = 1003

const hasCoap = without('coap') === false
const hasTrucks = without('jt808') === false

/** A connection has this long to say who it is. */
const PATIENCE = '2s'

const gateways: Record<string, GatewaySection> = {
  mqtt: {
    listeners: [listener('tcp', { name: 'tcp' }), listener('ws', { name: 'ws', path: '/mqtt', limits: { maxFrame: '64KiB' } })],
    connectTimeout: PATIENCE,
    maxPacketSize: '64KiB',
  },
  ...(hasCoap && { coap: { listeners: [listener('udp', { name: 'udp' })] } }),
  ...(hasTrucks && {
    trucks: { use: 'jt808', auth: { timeout: PATIENCE }, listeners: [listener('tcp'), listener('udp', { name: 'udp' })] },
  }),
}

const will = { topic: 'mutant/will', payload: Buffer.from('gone'), qos: 1 as const, retain: false }

/** What a client may say after CONNECT. */
const packets: readonly Packet[] = [
  {
    cmd: 'subscribe',
    messageId: 1,
    subscriptions: [
      { topic: 'mutant/+', qos: 2 },
      { topic: '$share/g/mutant/#', qos: 1 },
    ],
  },
  { cmd: 'publish', topic: 'mutant/a', payload: 'x', qos: 2, dup: false, retain: true, messageId: 2 },
  { cmd: 'pubrel', messageId: 2 },
  { cmd: 'publish', topic: 'mutant/b', payload: 'y', qos: 1, dup: false, retain: false, messageId: 3 },
  { cmd: 'unsubscribe', messageId: 4, unsubscriptions: ['mutant/+'] },
  { cmd: 'pingreq' },
  { cmd: 'disconnect', reasonCode: 0 },
]

let server: Server

interface StreamPlace {
  readonly name: string
  readonly port: number
}

function streams(): StreamPlace[] {
  return [
    { name: 'mqtt tcp', port: server.port('mqtt') },
    { name: 'mqtt ws', port: server.port('mqtt', 'ws') },
    ...(hasTrucks ? [{ name: 'trucks tcp', port: server.port('trucks') }] : []),
  ]
}

interface DatagramPlace {
  readonly gateway: string
  readonly port: number
}

function datagrams(): DatagramPlace[] {
  return [...(hasCoap ? ['coap'] : []), ...(hasTrucks ? ['trucks'] : [])].map((gateway) => ({
    gateway,
    port: server.port(gateway, 'udp'),
  }))
}

async function counters(): Promise<Sys> {
  return Sys.read(server.port('mqtt'))
}

/** How much one number grew; with a slash at the end, all numbers below. */
async function growth(since: Sys, name: string): Promise<number> {
  const now = await counters()
  return name.endsWith('/') ? now.under(name) - since.under(name) : now.at(name) - since.at(name)
}

async function openMany(port: number, count: number, cleanup: Cleanup): Promise<TcpPeer[]> {
  return Promise.all(Array.from({ length: count }, () => TcpPeer.open(port, cleanup)))
}

async function untilAllClosed(what: string, peers: readonly TcpPeer[]): Promise<void> {
  await until(
    () => `${what} to be closed: ${peers.filter(({ closed }) => !closed).length} of ${peers.length} are open`,
    () => peers.every(({ closed }) => closed),
  )
}

/** Sends the blocks over and over, in portions that a socket's buffer holds, until the gateway has taken so many. */
async function sendDatagrams(place: DatagramPlace, blocks: readonly Uint8Array[], count: number, t: TestContext): Promise<void> {
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  const since = await counters()
  let next = 0
  await until(`${count} datagrams to arrive at ${place.gateway}`, async () => {
    for (let i = 0; i < 100; i++) socket.send(blocks[next++ % blocks.length] as Uint8Array, place.port, '127.0.0.1')
    return (await growth(since, `gateways/${place.gateway}/listeners/udp/datagramsIn`)) >= count
  })
}

describe('hostile input', { skip: without('mqtt') }, () => {
  before(async () => {
    server = await Server.start({ gateways })
  })
  after(() => server.stop())

  test('random bytes on every stream listener are counted and end the connection', async (t) => {
    const pair = await Pair.start(server.port('mqtt'), t)
    const before = await counters()
    for (const [index, { name, port }] of streams().entries()) {
      const blocks = randomBlocks(index + 1, 150, 512)
      const peers = await openMany(port, blocks.length, t)
      for (const [i, peer] of peers.entries()) peer.send(blocks[i] as Buffer)
      await untilAllClosed(`connections with random bytes on ${name}`, peers)
    }
    assert.ok((await growth(before, 'gateways/mqtt/sessions/closed/protocol-error')) > 50)
    assert.equal(await growth(before, 'gateways/mqtt/listeners/ws/upgradeErrors'), 150)
    if (hasTrucks) assert.ok((await growth(before, 'gateways/trucks/malformed/')) >= 150)
    await pair.advance(50)
    await pair.stop()
  })

  test('random datagrams are counted, and answered by nothing that breaks the peer', { skip: without('coap') }, async (t) => {
    const pair = await Pair.start(server.port('mqtt'), t)
    const before = await counters()
    for (const [index, place] of datagrams().entries()) {
      await sendDatagrams(place, randomBlocks(index + 100, 1000, 256), 1000, t)
      // Three in four have another version than 1 (RFC 7252 3); a frame needs its flags (JT/T 808 4.4.2).
      assert.ok((await growth(before, `gateways/${place.gateway}/malformed/`)) > 500, place.gateway)
    }
    const device = await CoapDevice.open(server.port('coap', 'udp'), t)
    assert.equal((await device.request({ method: 'get', path: '/.well-known/core' })).code, '2.05')
    await pair.advance(50)
    await pair.stop()
  })

  test('conversations with a few wrong octets break no session but their own', async (t) => {
    const pair = await Pair.start(server.port('mqtt'), t)
    const conversations: Record<string, Buffer> = {
      'mqtt tcp': Buffer.concat([
        connectPacket({ clientId: 'mutant', more: { will } }),
        ...packets.map((packet) => encode(packet)),
      ]),
      'trucks tcp': bytesOf(FRAMES.register, FRAMES.authenticate, FRAMES.location, FRAMES.southWest, FRAMES.escaped),
    }
    for (const { name, port } of streams()) {
      const conversation = conversations[name]
      if (conversation === undefined) continue
      const mutants = mutations(7, 200, conversation)
      const peers = await openMany(port, mutants.length, t)
      for (const [i, peer] of peers.entries()) peer.send(mutants[i] as Buffer)
      await pair.advance(20)
      for (const { socket } of peers) socket.resetAndDestroy()
    }
    // CON GET of /.well-known/core with a token, RFC 7252 3.
    const request = Buffer.from('44010001a1b2c3d4bb2e77656c6c2d6b6e6f776e04636f7265', 'hex')
    for (const place of datagrams()) await sendDatagrams(place, mutations(11, 1000, request), 1000, t)
    await pair.advance(20)
    await pair.stop()
  })

  test('MQTT packets that end too early are counted and close the connection', async (t) => {
    const before = await counters()
    const whole = connectPacket({ clientId: 'cut', version: 4 })
    const cuts = Array.from({ length: whole.length - 3 }, (_, i) => {
      const cut = Buffer.from(whole.subarray(0, whole.length - 1 - i))
      cut[1] = cut.length - 2 // the remaining length agrees: the packet is whole, its contents are not
      return cut
    })
    const peers = await openMany(server.port('mqtt'), cuts.length, t)
    for (const [i, peer] of peers.entries()) peer.send(cuts[i] as Buffer)
    await untilAllClosed('connections with a broken CONNECT', peers)
    for (const peer of peers) assert.equal(peer.received.length, 0, '3.1.1 section 3.1.4: closed without CONNACK')
    assert.equal(await growth(before, 'gateways/mqtt/sessions/closed/protocol-error'), cuts.length)

    const wire = await MqttWire.connect(server.port('mqtt'), t, { clientId: 'cut' })
    wire.peer.send(Buffer.from('3003000a61', 'hex')) // a PUBLISH whose topic is longer than the packet
    assert.equal((await wire.packet('disconnect')).reasonCode, MALFORMED_PACKET)
    await wire.peer.untilClosed()
  })

  test('a packet above the limit is refused on its declared length', async (t) => {
    const before = await counters()
    const wire = await MqttWire.connect(server.port('mqtt'), t, { clientId: 'big' })
    wire.peer.send(Buffer.from('30ffffff7f0001', 'hex'))
    assert.equal((await wire.packet('disconnect')).reasonCode, PACKET_TOO_LARGE)
    await wire.peer.untilClosed()
    const early = await TcpPeer.open(server.port('mqtt'), t)
    early.send(Buffer.from('10ffffff7f', 'hex'))
    await early.untilClosed()
    assert.equal(await growth(before, 'gateways/mqtt/malformed/packet-too-large'), 2)
    assert.equal(await growth(before, 'gateways/mqtt/sessions/closed/too-large'), 2)
  })

  test('text and oversized messages close a WebSocket with their codes', async (t) => {
    const before = await counters()
    const closeCode = async (message: string | Buffer): Promise<number> => {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port('mqtt', 'ws')}/mqtt`, 'mqtt')
      t.after(() => socket.terminate())
      socket.on('open', () => socket.send(message))
      socket.on('error', () => {})
      let code: number | undefined
      socket.on('close', (closedWith) => {
        code = closedWith
      })
      return until('the WebSocket to close', () => code)
    }
    assert.equal(await closeCode('text'), UNSUPPORTED_DATA)
    assert.equal(await closeCode(Buffer.alloc(65 * 1024, 0x30)), MESSAGE_TOO_BIG)
    assert.equal(await growth(before, 'gateways/mqtt/listeners/ws/malformed'), 2)
  })

  test('broken frames of a terminal are counted; too many in a row, or one too long, close it', {
    skip: without('jt808'),
  }, async (t) => {
    const before = await counters()
    const location = bytesOf(FRAMES.location)
    const broken = Buffer.from(location)
    broken[20] = 0x55 // the check code no longer agrees
    const terminal = await Terminal.signOn(server.port('trucks'), t)
    for (let i = 0; i < 15; i++) terminal.peer.send(broken)
    terminal.peer.send(location)
    await terminal.acknowledged(0x0200, 4)
    for (let i = 0; i < 16; i++) terminal.peer.send(broken)
    await terminal.peer.untilClosed()
    assert.equal(await growth(before, 'gateways/trucks/malformed/'), 31)

    const long = await TcpPeer.open(server.port('trucks'), t)
    long.send(Buffer.concat([Buffer.of(0x7e), Buffer.alloc(5000, 0x31)]))
    await long.untilClosed()
    assert.equal(await growth(before, 'gateways/trucks/malformed/'), 32)
    const ends = ['protocol-error', 'too-large'].map((reason) => growth(before, `gateways/trucks/sessions/closed/${reason}`))
    assert.equal(
      (await Promise.all(ends)).reduce((a, b) => a + b),
      2,
    )
  })

  test('connections that send nothing, or a byte a second, are closed in time and harm nobody', async (t) => {
    const pair = await Pair.start(server.port('mqtt'), t)
    const before = await counters()
    const silent = await openMany(server.port('mqtt'), 1000, t)
    const others = (
      await Promise.all(
        streams()
          .slice(1)
          .map(({ port }) => openMany(port, 100, t)),
      )
    ).flat()
    const dripping = await Promise.all(streams().map(async ({ name, port }) => ({ name, peer: await TcpPeer.open(port, t) })))
    const bytes: Record<string, Buffer> = {
      'mqtt tcp': connectPacket({ clientId: 'dripping' }),
      'mqtt ws': Buffer.from('GET /mqtt HTTP/1.1\r\n'),
      'trucks tcp': bytesOf(FRAMES.register),
    }
    const drip = async (): Promise<void> => {
      for (let i = 0; dripping.some(({ peer }) => !peer.closed); i++) {
        for (const { name, peer } of dripping) if (!peer.closed) peer.send((bytes[name] as Buffer).subarray(i, i + 1))
        await pause(1000)
      }
    }
    const dripped = drip()
    assert.ok((await counters()).at('gateways/mqtt/listeners/tcp/current') >= 1000)
    await pair.advance(50)
    await untilAllClosed('silent connections', [...silent, ...others])
    await untilAllClosed(
      'dripping connections',
      dripping.map(({ peer }) => peer),
    )
    await dripped
    assert.equal(await growth(before, 'gateways/mqtt/sessions/closed/connect-timeout'), 1001)
    assert.equal(await growth(before, 'gateways/mqtt/listeners/ws/upgradeErrors'), 101)
    // Addresses of the random datagrams may time out at the same time.
    if (hasTrucks) assert.ok((await growth(before, 'gateways/trucks/sessions/closed/connect-timeout')) >= 101)
    await pair.advance(50)
    await pair.stop()
  })

  test('no session failed on any of it', async () => {
    const now = await counters()
    for (const gateway of Object.keys(gateways)) assert.equal(now.at(`gateways/${gateway}/sessions/faults`), 0, gateway)
    assert.deepEqual(
      server.log().filter(({ level }) => level === 'error'),
      [],
    )
  })
})
