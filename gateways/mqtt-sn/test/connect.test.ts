/** CONNECT to DISCONNECT: the will dialogue, CleanSession, keep-alive, return codes (MQTT-SN 1.2, 6.2 to 6.4, 6.11, 6.12). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unhex, World } from '#testing'
import type { Message, Of } from '../codec/index.ts'
import { connect, type Device, publish, scene, text } from './device.ts'

const willTopic = (topic = 'gone', qos: 0 | 1 | 2 = 1): Message => ({ type: 'willtopic', qos, retain: false, topic })
const willMessage = (payload = 'bye'): Message => ({ type: 'willmsg', payload: Buffer.from(payload) })
const noWill: Message = { type: 'willtopic', qos: 0, retain: false, topic: undefined }

/** Connects with a will, through the whole dialogue. */
function joinWithWill(device: Device, clientId: string, clean = true, topic = 'gone', payload = 'bye'): void {
  device.ask(connect(clientId, { clean, will: true }), 'willtopicreq')
  device.ask(willTopic(topic), 'willmsgreq')
  assert.equal((device.ask(willMessage(payload), 'connack') as Of<'connack'>).returnCode, 0)
}

test('CONNECT without a will is answered at once, octet for octet', async () => {
  const { device, world } = await scene()
  const sensor = device()
  sensor.raw(unhex('08 04 04 01 00 3c 63 31'))
  assert.deepEqual(
    sensor.peer.take().map((bytes) => [...bytes]),
    [[3, 5, 0]],
  )
  assert.equal(world.core.client('c1')?.protocol, 'mqtt-sn')
  assert.equal(world.core.client('c1')?.version, '1.2')
})

test('the will dialogue: topic, message, CONNACK; the will is published when the client is lost', async () => {
  const { device, app, world } = await scene()
  app.subscribe('gone', { qos: 1 })
  const sensor = device()
  joinWithWill(sensor, 'c1')
  world.advance(89_999)
  assert.deepEqual(app.take(), [])
  world.advance(1)
  const [will] = app.take()
  assert.equal(will?.text, 'bye')
  assert.equal(will?.qos, 1)
  assert.equal(sensor.only('disconnect').duration, undefined)
  assert.equal(sensor.peer.closed, 'keepalive-timeout')
})

test('an empty WILLTOPIC ends the dialogue without a will', async () => {
  const { device, world } = await scene()
  const sensor = device()
  sensor.ask(connect('c1', { will: true }), 'willtopicreq')
  sensor.ask(noWill, 'connack')
  const app = world.app('watcher')
  app.subscribe('gone')
  world.advance(100_000)
  assert.deepEqual(app.take(), [])
})

test('a lost question is repeated, N_retry times; then the connect is abandoned', async () => {
  const { device, world } = await scene({ retry: { interval: '10s', attempts: 2 } })
  const sensor = device().send(connect('c1', { will: true }))
  assert.deepEqual(sensor.types(), ['willtopicreq'])
  world.advance(10_000)
  assert.deepEqual(sensor.types(), ['willtopicreq'])
  sensor.ask(willTopic(), 'willmsgreq')
  world.advance(20_000)
  assert.deepEqual(sensor.types(), ['willmsgreq', 'willmsgreq'])
  world.advance(10_000)
  sensor.silent()
  assert.equal(sensor.peer.closed, 'connect-timeout')
  assert.equal(world.core.client('c1'), undefined)
})

test('a repeated CONNECT or WILLTOPIC brings the open question again', async () => {
  const { device } = await scene()
  const sensor = device()
  sensor.ask(connect('c1', { will: true }), 'willtopicreq')
  sensor.ask(connect('c1', { will: true }), 'willtopicreq')
  sensor.ask(willTopic(), 'willmsgreq')
  sensor.ask(willTopic(), 'willmsgreq')
  sensor.ask(connect('c1', { will: true }), 'willmsgreq')
  sensor.ask(willMessage(), 'connack')
})

test('a CONNECT that asks for something else begins again', async () => {
  const { device } = await scene()
  const sensor = device()
  sensor.ask(connect('c1', { will: true }), 'willtopicreq')
  sensor.ask(willTopic(), 'willmsgreq')
  sensor.ask(connect('c1', { will: true, duration: 5 }), 'willtopicreq')
  sensor.ask(connect('c1'), 'connack')
})

test('a will that cannot be published is refused', async () => {
  const { device } = await scene()
  for (const topic of [willTopic('a/#'), { ...willTopic(), qos: -1 } as Message]) {
    const sensor = device()
    sensor.ask(connect('c1', { will: true }), 'willtopicreq')
    assert.equal((sensor.ask(topic, 'connack') as Of<'connack'>).returnCode, 3)
  }
})

for (const [clean, will, keepsSubscription, heard] of [
  [true, true, false, 'second'],
  [true, false, false, undefined],
  [false, true, true, 'second'],
  [false, false, true, 'first'],
] as const) {
  test(`CleanSession ${clean}, Will ${will}: subscription ${keepsSubscription ? 'kept' : 'deleted'}, will ${heard ?? 'deleted'}`, async () => {
    const { device, app, world } = await scene()
    app.subscribe('gone')
    const first = device()
    joinWithWill(first, 'c1', false, 'gone', 'first')
    first.subscribe('news')
    first.ask({ type: 'disconnect', duration: undefined }, 'disconnect')
    assert.deepEqual(app.take(), [], 'a goodbye publishes no will')
    const again = device()
    if (will) joinWithWill(again, 'c1', clean, 'gone', 'second')
    else again.join('c1', { clean })
    app.publish('news', 'x')
    assert.equal(again.take().length > 0, keepsSubscription)
    world.advance(200_000)
    assert.deepEqual(
      app.take().map((received) => received.text),
      heard === undefined ? [] : [heard],
    )
  })
}

test('client ids: 1 and 23 characters, more as configured; none, too long and unknown versions are refused', async () => {
  const { device, world } = await scene({ maxClientIdLength: 24 })
  for (const [clientId, returnCode] of [
    ['a', 0],
    ['x'.repeat(23), 0],
    ['x'.repeat(24), 0],
    ['x'.repeat(25), 3],
    ['', 3],
  ] as const) {
    assert.equal((device().ask(connect(clientId), 'connack') as Of<'connack'>).returnCode, returnCode, clientId)
  }
  const newer = device().ask({ ...(connect('c2') as Of<'connect'>), protocolId: 2 }, 'connack')
  assert.equal((newer as Of<'connack'>).returnCode, 3)
  assert.equal(world.core.size, 1 + 3, 'the application and three clients')
})

test('a client that the broker refuses is told so: not supported, or congestion', async () => {
  for (const [reason, returnCode] of [
    ['not-authorized', 3],
    ['banned', 3],
    ['quota', 1],
    ['unavailable', 1],
  ] as const) {
    const world = new World({ access: { authenticate: () => ({ ok: false, reason }) } })
    const { device } = await scene({}, {}, world)
    const sensor = device()
    assert.equal((sensor.ask(connect('c1'), 'connack') as Of<'connack'>).returnCode, returnCode)
    assert.notEqual(sensor.peer.closed, undefined)
  }
})

test('what arrives while the broker decides is handled afterwards', async () => {
  let decide: (verdict: { ok: true }) => void = () => {}
  const world = new World({ access: { authenticate: () => new Promise((resolve) => (decide = resolve)) } })
  const { device } = await scene({}, {}, world)
  const sensor = device().send(connect('c1'), { type: 'register', topicId: 0, messageId: 1, topic: 'a' })
  sensor.silent()
  decide({ ok: true })
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(sensor.types(), ['connack', 'regack'])
})

test('a CONNECT of a connected client is answered again; its subscriptions stay with CleanSession 0', async () => {
  const { device, app, world } = await scene()
  const sensor = device().join('c1', { clean: false })
  const topicId = sensor.subscribe('news', 0)
  sensor.join('c1', { clean: false, duration: 10 })
  app.publish('news', 'x')
  assert.equal(sensor.only('publish').topicId, topicId)
  world.advance(15_000)
  assert.equal(sensor.peer.closed, 'keepalive-timeout', 'the new duration counts')
})

test('a CONNECT of a connected client with CleanSession 1 begins a new session', async () => {
  const { device, app } = await scene()
  const sensor = device().join('c1', { clean: false })
  sensor.subscribe('news', 0)
  sensor.join('c1', { clean: true })
  app.publish('news', 'x')
  sensor.silent()
  sensor.ask(publish(1, 'x', { qos: 1 }), 'puback')
})

test('a session that began clean is kept once CONNECT asks for it', async () => {
  const { device, world } = await scene()
  const sensor = device().join('c1', { clean: true })
  sensor.subscribe('news')
  sensor.join('c1', { clean: false })
  world.advance(90_000)
  assert.equal(sensor.peer.closed, 'keepalive-timeout')
  assert.equal(world.core.client('c1')?.subscriptionCount, 1)
})

test('what came while the client was away follows CONNACK, once', async () => {
  const { device, app } = await scene()
  const sensor = device().join('c1', { clean: false })
  sensor.subscribe('news', 1)
  sensor.ask({ type: 'disconnect', duration: undefined }, 'disconnect')
  app.publish('news', 'x', { qos: 1 })
  const again = device().send(connect('c1', { clean: false }))
  assert.deepEqual(again.types(), ['connack', 'publish'])
})

test('a kept session expires', async () => {
  const { device, world } = await scene({ sessionExpiry: '2h' })
  device().join('c1', { clean: false }).ask({ type: 'disconnect', duration: undefined }, 'disconnect')
  world.advance(2 * 3_600_000 - 1)
  assert.notEqual(world.core.client('c1'), undefined)
  world.advance(1)
  assert.equal(world.core.client('c1'), undefined)
})

test('keep-alive: whatever is heard counts; PINGREQ is answered', async () => {
  const { device, world } = await scene()
  const sensor = device().join('c1', { duration: 10 })
  for (let i = 0; i < 5; i++) {
    world.advance(14_000)
    sensor.ask({ type: 'pingreq', clientId: '' }, 'pingresp')
  }
  sensor.ask({ type: 'pingreq', clientId: 'c1' }, 'pingresp')
  world.advance(15_000)
  assert.equal(sensor.peer.closed, 'keepalive-timeout')
})

test('a duration of 0 is no keep-alive: the idle timeout of the gateway counts', async () => {
  const { device, world } = await scene({ idleTimeout: '10m' })
  const sensor = device().join('c1', { duration: 0 })
  world.advance(599_999)
  assert.equal(sensor.peer.closed, undefined)
  world.advance(1)
  assert.equal(sensor.peer.closed, 'keepalive-timeout')
})

test('WILLTOPICUPD and WILLMSGUPD change the will of a connected client', async () => {
  const { device, app, world } = await scene()
  app.subscribe('+')
  const sensor = device()
  joinWithWill(sensor, 'c1')
  const topic = sensor.ask({ type: 'willtopicupd', qos: 0, retain: false, topic: 'lost' }, 'willtopicresp')
  const message = sensor.ask({ type: 'willmsgupd', payload: Buffer.from('help') }, 'willmsgresp')
  assert.deepEqual(
    [topic, message].map((answer) => (answer as Of<'willtopicresp'>).returnCode),
    [0, 0],
  )
  app.take()
  world.advance(90_000)
  assert.deepEqual(
    app.take().map((received) => `${received.topic} ${received.text}`),
    ['lost help'],
  )
})

test('an empty WILLTOPICUPD deletes the will; a will message without a will is refused, as is a bad topic', async () => {
  const { device, app, world } = await scene()
  app.subscribe('+')
  const sensor = device()
  joinWithWill(sensor, 'c1')
  app.take()
  const codes = [
    sensor.ask({ type: 'willtopicupd', qos: 0, retain: false, topic: 'a/+' }, 'willtopicresp'),
    sensor.ask({ type: 'willtopicupd', qos: 0, retain: false, topic: undefined }, 'willtopicresp'),
    sensor.ask({ type: 'willmsgupd', payload: Buffer.from('x') }, 'willmsgresp'),
  ].map((answer) => (answer as Of<'willtopicresp'>).returnCode)
  assert.deepEqual(codes, [3, 0, 3])
  world.advance(90_000)
  assert.deepEqual(app.take(), [])
})

test('a will is subject to authorization, and to the mountpoint', async () => {
  const world = new World({
    access: {
      authenticate: () => ({ ok: true }),
      authorize: (_client, action, topic) => action === 'subscribe' || topic !== 'site/secret',
    },
  })
  const { device, app } = await scene({}, { mountpoint: 'site/' }, world)
  app.subscribe('site/#')
  joinWithWill(device(), 'c1', true, 'secret')
  joinWithWill(device(), 'c2', true, 'open')
  world.advance(90_000)
  assert.deepEqual(
    app.take().map(({ topic }) => topic),
    ['site/open'],
  )
  assert.equal(world.core.stats.rejected, 1)
})

test('who is not connected is told to connect, whatever it says', async () => {
  const { device, world } = await scene()
  const messages: Message[] = [
    publish(1, 'x', { qos: 1 }),
    publish(1, 'x'),
    { type: 'pingreq', clientId: '' },
    { type: 'pingreq', clientId: 'nobody' },
    { type: 'register', topicId: 0, messageId: 1, topic: 'a' },
    { type: 'disconnect', duration: undefined },
    { type: 'disconnect', duration: 10 },
    { type: 'willtopic', qos: 0, retain: false, topic: 'a' },
  ]
  for (const message of messages) {
    const stranger = device()
    assert.deepEqual(stranger.ask(message, 'disconnect').duration, undefined)
    assert.notEqual(stranger.peer.closed, undefined, 'nothing is kept of it')
  }
  assert.equal(world.counters().get('unknown-sender'), messages.length)
})

test('answers to strangers are rationed', async () => {
  const { device, world } = await scene({ maxStrayReplies: 2 })
  const answered = () => device().send({ type: 'pingreq', clientId: '' }).take().length
  assert.deepEqual([answered(), answered(), answered()], [1, 1, 0])
  world.advance(1000)
  assert.equal(answered(), 1)
  assert.equal(world.counters().get('stray-reply-withheld'), 1)
})

test('an operator ends a session: the client hears of it, and its will is published', async () => {
  const { device, app, world } = await scene()
  app.subscribe('gone')
  const sensor = device()
  joinWithWill(sensor, 'c1')
  world.core.kick('c1')
  assert.deepEqual(sensor.types(), ['disconnect'])
  assert.equal(text({ type: 'willmsg', payload: app.take()[0]?.payload ?? new Uint8Array(0) }), 'bye')
})

test('a gateway that is stopped says goodbye and publishes no will', async () => {
  const { device, app, gateway } = await scene()
  app.subscribe('gone')
  const sensor = device()
  joinWithWill(sensor, 'c1')
  await gateway.close()
  assert.deepEqual(sensor.types(), ['disconnect'])
  assert.deepEqual(app.take(), [])
})
