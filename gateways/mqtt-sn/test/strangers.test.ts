/** Publishes without a connection (QoS -1), discovery, and input that means nothing (MQTT-SN 1.2, 6.1, 6.8). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { unhex, World } from '#testing'
import { encode, type Message } from '../codec/index.ts'
import module from '../index.ts'
import { connect, publish, scene } from './device.ts'
import { vectors } from './vectors.ts'

const AB = 0x6162
const predefined = [{ id: 5, topic: 'plant/5' }]

test('QoS -1: published from anywhere by predefined id or short name, with QoS 0, and never answered', async () => {
  const { device, app, world } = await scene({ predefined })
  app.subscribe('plant/5', { qos: 2 })
  app.subscribe('ab', { qos: 2 })
  const sensor = device({ address: '10.0.0.1' })
  sensor.send(publish(5, 'x', { qos: -1, topicType: 1 }))
  device({ address: '10.0.0.2' })
    .send(publish(AB, 'y', { qos: -1, topicType: 2 }))
    .silent()
  sensor.silent()
  assert.deepEqual(
    app.take().map(({ topic, text, qos }) => [topic, text, qos]),
    [
      ['plant/5', 'x', 0],
      ['ab', 'y', 0],
    ],
  )
  assert.equal(world.counters().get('qos-minus-1'), 2)
  assert.equal(world.core.client('mqtt-sn-qos-minus-1')?.protocol, 'mqtt-sn')
})

test('QoS -1 to a topic that nobody can know is dropped and counted', async () => {
  const { device, app, world } = await scene({ predefined })
  app.subscribe('+')
  const sensor = device()
  sensor.send(publish(1, 'x', { qos: -1 })).silent()
  device()
    .send(publish(6, 'x', { qos: -1, topicType: 1 }))
    .silent()
  device()
    .send(publish(0xff61, 'x', { qos: -1, topicType: 2 }))
    .silent()
  device()
    .send(publish(0x612b, 'x', { qos: -1, topicType: 2 }))
    .silent()
  assert.deepEqual(app.take(), [])
  assert.equal(world.counters().get('qos-minus-1-topic'), 3)
  assert.equal(world.counters().get('qos-minus-1-refused'), 1)
})

test('QoS -1 is authorized under its client id', async () => {
  const world = new World({
    access: {
      authenticate: () => ({ ok: true }),
      authorize: (client, action, topic) => action === 'subscribe' || (client.id === 'anon-10.0.0.2' && topic === 'ab'),
    },
  })
  const { device, app } = await scene({ qosMinus1: { clientId: 'anon-${peerhost}' } }, {}, world)
  app.subscribe('ab')
  device({ address: '10.0.0.1' }).send(publish(AB, 'x', { qos: -1, topicType: 2 }))
  device({ address: '10.0.0.2' }).send(publish(AB, 'y', { qos: -1, topicType: 2 }))
  assert.deepEqual(
    app.take().map(({ text }) => text),
    ['y'],
  )
  assert.equal(world.counters().get('qos-minus-1-refused'), 1)
})

test('QoS -1: a client that the broker does not admit publishes nothing', async () => {
  const world = new World({ access: { authenticate: () => ({ ok: false, reason: 'banned' }) } })
  const { device, app } = await scene({}, {}, world)
  app.subscribe('ab')
  device()
    .send(publish(AB, 'x', { qos: -1, topicType: 2 }))
    .send(publish(AB, 'x', { qos: -1, topicType: 2 }))
    .silent()
  assert.deepEqual(app.take(), [])
  assert.equal(world.counters().get('qos-minus-1-refused'), 2)
})

test('QoS -1: what comes while the broker decides is kept, a little of it', async () => {
  let decide: (verdict: { ok: true }) => void = () => {}
  const world = new World({ access: { authenticate: () => new Promise((resolve) => (decide = resolve)) } })
  const { device, app } = await scene({}, {}, world)
  app.subscribe('ab')
  const sensor = device()
  for (let i = 0; i < 20; i++) sensor.send(publish(AB, String(i), { qos: -1, topicType: 2 }))
  decide({ ok: true })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(app.take().length, 16)
  assert.equal(world.counters().get('qos-minus-1-dropped'), 4)
})

test('QoS -1 can be switched off; its client goes when nobody needs it', async () => {
  const off = await scene({ qosMinus1: { enabled: false } })
  off
    .device()
    .send(publish(AB, 'x', { qos: -1, topicType: 2 }))
    .silent()
  assert.equal(off.world.counters().get('qos-minus-1-disabled'), 1)
  const { device, world } = await scene({ qosMinus1: { idleTimeout: '60s' } })
  const sensor = device().send(publish(AB, 'x', { qos: -1, topicType: 2 }))
  world.advance(59_999)
  assert.notEqual(world.core.client('mqtt-sn-qos-minus-1'), undefined)
  world.advance(1)
  assert.equal(world.core.client('mqtt-sn-qos-minus-1'), undefined)
  assert.notEqual(sensor.peer.closed, undefined)
  assert.equal(world.wheel.size, 0)
})

test('QoS -1 from a connected client is published in its own name', async () => {
  const { device, app, world } = await scene()
  app.subscribe('ab')
  device()
    .join('c1')
    .send(publish(AB, 'x', { qos: -1, topicType: 2 }))
    .silent()
  assert.equal(app.take()[0]?.message.publisher, world.core.client('c1'))
  assert.equal(world.core.client('mqtt-sn-qos-minus-1'), undefined)
})

test('a sender of QoS -1 may connect later, and a client may go and publish on', async () => {
  const { device, app } = await scene()
  app.subscribe('ab')
  const sensor = device()
    .send(publish(AB, '1', { qos: -1, topicType: 2 }))
    .join('c1')
  sensor.ask({ type: 'disconnect', duration: undefined }, 'disconnect')
  sensor.send(publish(AB, '2', { qos: -1, topicType: 2 })).silent()
  assert.equal(app.take().length, 2)
})

test('SEARCHGW is answered to who asked, octet for octet', async () => {
  const { device } = await scene({ gatewayId: 3 })
  const sensor = device().raw(unhex('03 01 00'))
  assert.deepEqual(
    sensor.peer.take().map((bytes) => [...bytes]),
    [[3, 2, 3]],
  )
  const connected = device().join('c1')
  connected.ask({ type: 'searchgw', radius: 1 }, 'gwinfo')
  connected.ask({ type: 'pingreq', clientId: '' }, 'pingresp')
})

test('what other gateways and clients broadcast is heard and left alone', async () => {
  const { device, world } = await scene()
  const advertise: Message = { type: 'advertise', gatewayId: 9, duration: 900 }
  device().send(advertise).silent()
  device()
    .send({ type: 'gwinfo', gatewayId: 9, address: Uint8Array.of(1) })
    .silent()
  device().join('c1').send(advertise).silent()
  assert.equal(world.counters().get('overheard'), 3)
})

test("a gateway's messages, and answers without a question, are counted", async () => {
  const { device, world } = await scene()
  const sensor = device().join('c1')
  const messages: Message[] = [
    { type: 'connack', returnCode: 0 },
    { type: 'willtopicreq' },
    { type: 'willmsgreq' },
    { type: 'suback', qos: 0, topicId: 1, messageId: 1, returnCode: 0 },
    { type: 'unsuback', messageId: 1 },
    { type: 'willtopicresp', returnCode: 0 },
    { type: 'willmsgresp', returnCode: 0 },
    { type: 'willtopic', qos: 0, retain: false, topic: 'a' },
    { type: 'willmsg', payload: Uint8Array.of() },
  ]
  sensor.send(...messages, { type: 'pingresp' }).silent()
  assert.equal(world.counters().get('unexpected-message'), messages.length)
  const joining = device()
  joining.ask(connect('c2', { will: true }), 'willtopicreq')
  joining.send(publish(1, 'x')).silent()
  assert.equal(world.counters().get('unexpected-message'), messages.length + 1)
})

test('every malformed vector is counted, keeps nothing, and harms no session', async () => {
  for (const { hex: digits, kind } of vectors()) {
    if (kind !== 'malformed' || digits === '') continue
    const { device, world } = await scene()
    device().raw(unhex(digits)).silent()
    const sensor = device().join('c1').raw(unhex(digits))
    assert.equal(
      [...world.malformed().values()].reduce((sum, count) => sum + count, 0),
      2,
      digits,
    )
    sensor.ask({ type: 'pingreq', clientId: '' }, 'pingresp')
    assert.equal(world.core.size, 2)
  }
})

test('property: nothing that strangers and clients send makes a session fail, or stays behind', async () => {
  const sound = vectors()
    .filter(({ kind }) => kind === 'frame')
    .map(({ hex: digits }) => unhex(digits))
  const damaged = fc.tuple(fc.constantFrom(...sound), fc.nat(), fc.integer({ min: 0, max: 255 })).map(([bytes, at, value]) => {
    const copy = bytes.slice()
    copy[at % copy.length] = value
    return copy
  })
  const datagram = fc.oneof(fc.constantFrom(...sound), damaged, fc.uint8Array({ maxLength: 40 }))
  const opener = fc.constantFrom(
    encode(connect('c1')),
    encode(connect('c1', { will: true, clean: false })),
    encode(connect('c2')),
  )
  const steps = fc.array(fc.tuple(fc.nat({ max: 2 }), fc.oneof(datagram, opener), fc.nat({ max: 20_000 })), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const world = new World()
      const gateway = await world.gateway(module, { predefined, roaming: true })
      const app = world.app('app', { autoAck: false })
      app.subscribe('#', { qos: 2 })
      const peers = [0, 1, 2].map((port) => gateway.connect({ datagram: true, port: 5000 + port }))
      for (const [i, bytes, waitMs] of script) {
        const peer = peers[i] as (typeof peers)[number]
        if (peer.wire.ended === undefined) peer.send(bytes)
        else {
          const again = gateway.connect({ datagram: true, port: 5000 + i })
          peers[i] = again
          again.send(bytes)
        }
        app.publish('a/b', 'x', { qos: 2 })
        world.advance(waitMs)
      }
      assert.deepEqual(world.errors, [])
      app.disconnect()
      for (const peer of peers) peer.hangUp()
      world.advance(40 * 86_400_000)
      assert.deepEqual(
        { timers: world.wheel.size, clients: world.core.size, hosts: gateway.runtime.hosts.size, faults: world.faults() },
        { timers: 0, clients: 0, hosts: 0, faults: 0 },
      )
    }),
    { numRuns: 300, seed: 20_261_122 },
  )
})
