/** Version 2.0: which version an address speaks, limits, and whatever strangers send. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { type TestPeer, unhex, World } from '#testing'
import { readPacketText } from '../codec/v2/notation.ts'
import { Device, scene } from './device.ts'
import { stage } from './v2-device.ts'
import { vectors } from './vectors.ts'

test('auto: each address speaks its own version, and may change it when nobody speaks from there any more', async () => {
  const { gateway, world, device } = await scene({ version: 'auto' })
  const old = device().join('old')
  const young = await stage({}, world).then(() => device({ address: '10.0.0.2' }))
  young.peer.send(readPacketText('CONNECT protocol=2 clientId=young packetId=1 keepAlive=60'))
  assert.deepEqual(young.peer.take(), [unhex('06 02 00 00 01 00')])
  old.ask({ type: 'pingreq', clientId: '' }, 'pingresp')
  assert.equal(world.core.client('old')?.version, '1.2')
  assert.equal(world.core.client('young')?.version, '2.0')
  const port = young.peer.wire.peer.port
  young.peer.send(readPacketText('DISCONNECT'))
  new Device(gateway, { address: '10.0.0.2', port }).join('young')
  assert.equal(world.core.client('young')?.version, '1.2')
})

test('auto: a client that comes with another version takes its own place', async () => {
  const { device, world } = await scene({ version: 'auto' })
  const old = device().join('c1', { clean: false })
  const young = device({ address: '10.0.0.2' })
  young.peer.send(readPacketText('CONNECT protocol=2 clientId=c1 packetId=1 keepAlive=60'))
  assert.deepEqual(young.peer.take(), [unhex('06 02 01 00 01 00')])
  old.only('disconnect')
  assert.equal(world.core.client('c1')?.version, '2.0')
})

test('what is not of the version that the gateway speaks is counted', async () => {
  const { device, world } = await stage()
  device().peer.send(unhex('08 04 04 01 00 3c 63 31'))
  assert.deepEqual([...world.malformed().keys()], ['bad-body'])
  const classic = await scene()
  classic.device().raw(unhex('0c 01 01 00 01 02 00 3c 00 00 6d 31')).silent()
  assert.deepEqual([...classic.world.malformed().keys()], ['bad-body'])
})

test('limits: nodes, answers to strangers, long client ids', async () => {
  const { device, world } = await stage({ forwarder: { maxNodes: 1 }, maxStrayReplies: 2, maxClientIdLength: 3 })
  const forwarder = device()
  const connect = (id: string): string => `CONNECT protocol=2 clientId=${id} packetId=1 keepAlive=60`
  forwarder.ask(`FORWARDER node=01 | ${connect('a')}`, 'FORWARDER node=01 | CONNACK packetId=1 reason=0')
  forwarder.ask(`FORWARDER node=02 | ${connect('b')}`, 'FORWARDER node=02 | DISCONNECT reason=241')
  device().ask(connect('long'), 'CONNACK packetId=1 reason=133')
  for (let i = 0; i < 5; i++) device().send('PINGREQ packetId=1')
  assert.equal(world.counters().get('stray-reply-withheld'), 4)
  const closed = await stage({ forwarder: { enabled: false } })
  closed.device().ask(`FORWARDER node=01 | ${connect('a')}`, 'FORWARDER node=01 | DISCONNECT reason=243')
})

test('what is larger than the client takes is dropped and counted; without room for aliases a topic is named', async () => {
  const { device, world } = await stage({ maxTopics: 1 })
  const app = world.app('app')
  const sensor = device().join('c1', 'maxPacket=20')
  sensor.ask('SUBSCRIBE packetId=2 qos=1 topic=a/+', 'SUBACK packetId=2 reason=1')
  app.publish('a/1', 'a payload that is too long for it', { qos: 1 })
  assert.deepEqual(sensor.take(), ['REGISTER packetId=1 alias=1025 topic=a/1'])
  sensor.send('REGACK packetId=1')
  assert.deepEqual(sensor.take(), [])
  assert.equal(world.counters().get('nack-too-large'), 1)
  app.publish('a/2', 'short', { qos: 0 })
  assert.deepEqual(sensor.take(), ['PUBLISH qos=0 topic=a/2 "short"'])
  sensor.ask('REGISTER packetId=3 topic=b', 'REGACK packetId=3 reason=151')
})

test('a topic that the client will not learn is named; what it refuses is dropped and counted', async () => {
  const { device, world } = await stage()
  const app = world.app('app')
  const sensor = device().join('c1')
  sensor.ask('SUBSCRIBE packetId=2 qos=1 topic=a/+', 'SUBACK packetId=2 reason=1')
  app.publish('a/1', 'x', { qos: 1 })
  sensor.take()
  sensor.ask('REGACK packetId=1 reason=151', 'PUBLISH qos=1 packetId=1 topic=a/1 "x"')
  sensor.send('PUBACK packetId=1 reason=135')
  assert.equal(world.counters().get('nack-publish-refused'), 1)
  sensor.ask('PUBREC packetId=9', 'PUBREL packetId=9 reason=146')
  sensor.send('PUBCOMP packetId=9')
  assert.equal(world.counters().get('unmatched-answer'), 2)
})

test('property: nothing that strangers and clients send makes a session fail, or stays behind', async () => {
  const datagrams = vectors('wire2').map((vector) => unhex(vector.hex))
  const words = [
    'CONNECT protocol=2 clientId=a packetId=1 keepAlive=60 mobile',
    'CONNECT protocol=2 clientId=a packetId=1 keepAlive=60 expiry=5 awakeMessages=1',
    'CONNECT protocol=2 packetId=1 keepAlive=60 cleanStart willTopic=w',
    'SUBSCRIBE packetId=2 qos=2 topic=#',
    'PUBLISH qos=2 packetId=3 topic=t "x"',
    'PUBLISH qos=1 packetId=4 alias=1 "x"',
    'REGACK packetId=1',
    'PUBREC packetId=1',
    'PUBREL packetId=3',
    'PUBACK packetId=1',
    'SLEEPREQ packetId=5 duration=10',
    'PINGREQ packetId=6',
    'FORWARDER node=01 | CONNECT protocol=2 clientId=b packetId=1 keepAlive=60 mobile',
    'FORWARDER node=02 | CONNECTION clientId=a | PINGREQ packetId=7',
    'CONNECTION clientId=b | PINGREQ packetId=8',
    'DISCONNECT',
    'AUTH packetId=9 method=x',
  ].map(readPacketText)
  const noise = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...words) }, fc.constantFrom(...datagrams), fc.uint8Array())
  const step = fc.tuple(fc.nat(3), noise, fc.constantFrom(0, 0, 0, 1_000, 20_000))
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (script) => {
      const { world, gateway } = await stage({}, new World())
      const app = world.app('app')
      const peers: TestPeer[] = []
      for (const [i, bytes, waitMs] of script) {
        const open = peers[i]
        const peer = open === undefined || open.closed !== undefined ? gateway.connect({ datagram: true, port: 1000 + i }) : open
        peers[i] = peer
        peer.send(bytes)
        app.publish('t', 'x', { qos: 1 })
        world.advance(waitMs)
      }
      assert.deepEqual(world.errors, [])
      for (const peer of peers) peer?.hangUp()
      world.advance(3 * 3_600_000)
      assert.equal(world.wheel.size, 0)
      assert.equal(world.core.size, 1, 'the application alone')
    }),
    { numRuns: 300 },
  )
})
