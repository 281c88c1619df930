/** PUBLISH up and down with QoS 0, 1 and 2; SUBSCRIBE and UNSUBSCRIBE (MQTT-SN 1.2, 6.6, 6.9, 6.13). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { World } from '#testing'
import type { Message, Of } from '../codec/index.ts'
import { FIRST_TOPIC_ID } from '../topic-ids.ts'
import { puback, publish, regack, scene, subscribe, text } from './device.ts'

const pubrel = (messageId: number): Message => ({ type: 'pubrel', messageId })
const pubrec = (messageId: number): Message => ({ type: 'pubrec', messageId })
const pubcomp = (messageId: number): Message => ({ type: 'pubcomp', messageId })

test('QoS 0 is published and not answered', async () => {
  const { device, app } = await scene()
  app.subscribe('a', { qos: 2 })
  const sensor = device().join('c1')
  const topicId = sensor.register('a')
  sensor.send(publish(topicId, 'x', { retain: true })).silent()
  const [message] = app.take()
  assert.deepEqual([message?.text, message?.qos, message?.message.retain], ['x', 0, true])
})

test('QoS 1 is acknowledged with the topic id and message id of the publish', async () => {
  const { device, app } = await scene()
  app.subscribe('a', { qos: 2 })
  const sensor = device().join('c1')
  const topicId = sensor.register('a')
  assert.deepEqual(sensor.ask(publish(topicId, 'x', { qos: 1, messageId: 65535 }), 'puback'), {
    type: 'puback',
    topicId,
    messageId: 65535,
    returnCode: 0,
  })
  assert.equal(app.take()[0]?.qos, 1)
})

test('QoS 1 repeated with DUP after a lost PUBACK is acknowledged again and published once', async () => {
  const { device, app, world } = await scene()
  app.subscribe('a', { qos: 1 })
  const sensor = device().join('c1')
  const topicId = sensor.register('a')
  sensor.ask(publish(topicId, 'x', { qos: 1, messageId: 3 }), 'puback')
  sensor.ask(publish(topicId, 'x', { qos: 1, messageId: 3, dup: true }), 'puback')
  assert.equal(app.take().length, 1)
  assert.equal(world.counters().get('duplicate'), 1)
})

test('a client that never counts its message ids loses nothing', async () => {
  const { device, app } = await scene()
  app.subscribe('a', { qos: 1 })
  const sensor = device().join('c1')
  const topicId = sensor.register('a')
  sensor.ask(publish(topicId, 'x', { qos: 1, messageId: 1 }), 'puback')
  sensor.ask(publish(topicId, 'y', { qos: 1, messageId: 1, dup: true }), 'puback')
  sensor.ask(publish(topicId, 'y', { qos: 1, messageId: 1 }), 'puback')
  assert.deepEqual(
    app.take().map((message) => message.text),
    ['x', 'y', 'y'],
  )
})

test('QoS 2: PUBREC, PUBREL, PUBCOMP; whatever is repeated, it is published once', async () => {
  const { device, app } = await scene()
  app.subscribe('a', { qos: 2 })
  const sensor = device().join('c1')
  const topicId = sensor.register('a')
  const message = publish(topicId, 'x', { qos: 2, messageId: 3 })
  for (const each of [message, { ...message, dup: true } as Message, message]) {
    assert.equal(sensor.ask(each, 'pubrec').messageId, 3)
  }
  assert.equal(sensor.ask(pubrel(3), 'pubcomp').messageId, 3)
  assert.equal(sensor.ask(pubrel(3), 'pubcomp').messageId, 3)
  assert.equal(app.take().length, 1)
  sensor.ask(message, 'pubrec')
  assert.equal(app.take().length, 1, 'the id is free again')
})

test('QoS 2 that the network brings once more after PUBCOMP is published once', async () => {
  const { device, app } = await scene()
  app.subscribe('a', { qos: 2 })
  const sensor = device().join('c1')
  const topicId = sensor.register('a')
  const message = publish(topicId, 'x', { qos: 2, messageId: 5 })
  sensor.ask(message, 'pubrec')
  sensor.ask({ type: 'pubrel', messageId: 5 }, 'pubcomp')
  sensor.ask({ ...message, dup: true } as Message, 'pubrec')
  assert.equal(app.take().length, 1)
  // The same id anew, by a client that never counts its ids.
  sensor.ask(message, 'pubrec')
  assert.equal(app.take().length, 1)
})

test('QoS 2 survives a reconnect with CleanSession 0 between PUBLISH and PUBREL', async () => {
  const { device, app } = await scene()
  app.subscribe('a', { qos: 2 })
  const sensor = device().join('c1', { clean: false })
  const topicId = sensor.register('a')
  sensor.ask(publish(topicId, 'x', { qos: 2, messageId: 3 }), 'pubrec')
  const again = device().join('c1', { clean: false })
  again.ask(publish(topicId, 'x', { qos: 2, messageId: 3, dup: true }), 'pubrec')
  again.ask(pubrel(3), 'pubcomp')
  assert.equal(app.take().length, 1)
})

test('receipts are bounded: the oldest gives way', async () => {
  const { device, world } = await scene()
  const sensor = device().join('c1')
  const topicId = sensor.register('a')
  for (let messageId = 1; messageId <= 17; messageId++) sensor.ask(publish(topicId, 'x', { qos: 2, messageId }), 'pubrec')
  assert.equal(world.counters().get('receipt-forgotten'), 1)
})

test('a publish that is not allowed: not supported, also in place of PUBREC; QoS 0 is only counted', async () => {
  const world = new World({
    access: { authenticate: () => ({ ok: true }), authorize: (_client, action) => action !== 'publish' },
  })
  const { device } = await scene({}, {}, world)
  const sensor = device().join('c1')
  const topicId = sensor.register('a')
  assert.equal((sensor.ask(publish(topicId, 'x', { qos: 1 }), 'puback') as Of<'puback'>).returnCode, 3)
  assert.equal((sensor.ask(publish(topicId, 'x', { qos: 2 }), 'puback') as Of<'puback'>).returnCode, 3)
  sensor.send(publish(topicId, 'x')).silent()
  assert.equal(world.counters().get('publish-refused-not-authorized'), 3)
})

test('a broker that cannot take a publish: congestion', async () => {
  const world = new World({ limits: { maxRetained: 0 } })
  const { device } = await scene({}, {}, world)
  const sensor = device().join('c1')
  const topicId = sensor.register('a')
  const answer = sensor.ask(publish(topicId, 'x', { qos: 1, retain: true }), 'puback') as Of<'puback'>
  assert.equal(answer.returnCode, 1)
})

test('message id 0 with QoS 1 or 2 is dropped and counted', async () => {
  const { device, world } = await scene()
  const sensor = device().join('c1')
  const topicId = sensor.register('a')
  sensor.send(publish(topicId, 'x', { qos: 1, messageId: 0 }), publish(topicId, 'x', { qos: 2, messageId: 0 })).silent()
  assert.equal(world.malformed().get('message-id-0'), 2)
})

test('QoS 1 down: one at a time, the next after PUBACK', async () => {
  const { device, app } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('a')
  for (const payload of ['1', '2', '3']) app.publish('a', payload, { qos: 1 })
  for (const payload of ['1', '2', '3']) {
    const message = sensor.only('publish')
    assert.deepEqual([text(message), message.dup, message.qos], [payload, false, 1])
    sensor.send(puback(message))
  }
  sensor.silent()
})

test('a wider window, where it is configured', async () => {
  const { device, app } = await scene({ window: 2 })
  const sensor = device().join('c1')
  sensor.subscribe('a')
  sensor.subscribe('b/#')
  for (const [topic, payload] of [
    ['b/1', '1'],
    ['b/2', '2'],
    ['a', '3'],
  ] as const) {
    app.publish(topic, payload, { qos: 1 })
  }
  const first = sensor.only('register')
  sensor.send(regack(first))
  const [message, second] = sensor.take()
  assert.equal(text(message), '1')
  assert.equal((second as Of<'register'>).topic, 'b/2', 'one REGISTER at a time')
  sensor.send(puback(message as Of<'publish'>))
  assert.equal(text(sensor.only('publish')), '3')
  sensor.send(regack(second as Of<'register'>))
  assert.equal(text(sensor.only('publish')), '2')
})

test('a lost PUBLISH or PUBACK: sent again with DUP, N_retry times; then the client is lost', async () => {
  const { device, app, world } = await scene({ retry: { interval: '5s', attempts: 2 } })
  const sensor = device().join('c1', { clean: false, duration: 6000 })
  sensor.subscribe('a')
  app.publish('a', 'x', { qos: 1 })
  const first = sensor.only('publish')
  world.advance(5000)
  const second = sensor.only('publish')
  assert.deepEqual([second.messageId, second.dup, text(second)], [first.messageId, true, 'x'])
  world.advance(5000)
  sensor.only('publish')
  world.advance(5000)
  assert.deepEqual(sensor.types(), ['disconnect'])
  assert.equal(sensor.peer.closed, 'unreachable')
  const again = device().send({
    type: 'connect',
    will: false,
    cleanSession: false,
    protocolId: 1,
    duration: 60,
    clientId: 'c1',
  })
  const [, message] = again.take()
  assert.deepEqual([text(message), (message as Of<'publish'>).dup], ['x', true], 'it waits in the session')
})

test('PUBACK congestion: sent again later; not supported: dropped and counted', async () => {
  const { device, app, world } = await scene()
  const sensor = device().join('c1', { duration: 600 })
  sensor.subscribe('a')
  app.publish('a', 'x', { qos: 1 })
  sensor.send(puback(sensor.only('publish'), 1)).silent()
  world.advance(10_000)
  sensor.send(puback(sensor.only('publish'), 3)).silent()
  assert.equal(world.counters().get('nack-publish-refused'), 1)
  app.publish('a', 'y', { qos: 1 })
  assert.equal(text(sensor.only('publish')), 'y')
})

test('a client that refuses the topic for ever is not asked for ever', async () => {
  const { device, app, world } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('a')
  app.publish('a', 'x', { qos: 1 })
  for (let i = 0; i < 3; i++) {
    sensor.send(puback(sensor.only('publish'), 2))
    sensor.send(regack(sensor.only('register')))
  }
  sensor.send(puback(sensor.only('publish'), 2)).silent()
  assert.equal(world.counters().get('nack-publish-refused'), 1)
})

test('QoS 2 down: PUBLISH, PUBREC, PUBREL, PUBCOMP', async () => {
  const { device, app } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('a', 2)
  app.publish('a', 'x', { qos: 2 })
  app.publish('a', 'y', { qos: 2 })
  const message = sensor.only('publish')
  assert.equal(message.qos, 2)
  assert.equal(sensor.ask(pubrec(message.messageId), 'pubrel').messageId, message.messageId)
  assert.equal(text(sensor.ask(pubcomp(message.messageId), 'publish')), 'y')
})

test('QoS 2 down: PUBREL is repeated until PUBCOMP comes, and after a reconnect', async () => {
  const { device, app, world } = await scene()
  const sensor = device().join('c1', { clean: false, duration: 600 })
  sensor.subscribe('a', 2)
  app.publish('a', 'x', { qos: 2 })
  const { messageId } = sensor.only('publish')
  sensor.ask(pubrec(messageId), 'pubrel')
  world.advance(10_000)
  assert.equal(sensor.only('pubrel').messageId, messageId)
  sensor.send({ type: 'disconnect', duration: undefined })
  sensor.take()
  const again = device()
  again.send({ type: 'connect', will: false, cleanSession: false, protocolId: 1, duration: 60, clientId: 'c1' })
  assert.deepEqual(again.types(), ['connack', 'pubrel'])
  again.send(pubcomp(messageId)).silent()
  app.publish('a', 'y', { qos: 2 })
  assert.equal(text(again.only('publish')), 'y')
})

test('QoS 2 down, refused by PUBACK; a PUBREC for nothing is released', async () => {
  const { device, app, world } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('a', 2)
  app.publish('a', 'x', { qos: 2 })
  sensor.send(puback(sensor.only('publish'), 3)).silent()
  assert.equal(world.counters().get('nack-publish-refused'), 1)
  assert.equal(sensor.ask(pubrec(99), 'pubrel').messageId, 99)
})

test('message ids down wrap from 65535 to 1', async () => {
  const { device, app } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('a')
  let last = 0
  for (let i = 0; i < 65_537; i++) {
    app.publish('a', 'x', { qos: 1 })
    const message = sensor.only('publish')
    assert.equal(message.messageId, (i % 65_535) + 1)
    last = message.messageId
    sensor.send(puback(message))
  }
  assert.equal(last, 2)
})

test('what is too large for a datagram is dropped and counted', async () => {
  const { device, app, world } = await scene({ maxDatagram: '300B' })
  const sensor = device().join('c1')
  sensor.subscribe('a')
  app.publish('a', 'x'.repeat(292), { qos: 1 })
  sensor.silent()
  assert.equal(world.counters().get('nack-too-large'), 1)
  app.publish('a', 'x'.repeat(291), { qos: 1 })
  assert.equal(sensor.peer.take()[0]?.length, 300)
})

test('SUBSCRIBE by name tells its id; the message comes by it', async () => {
  const { device, app } = await scene()
  const sensor = device().join('c1')
  const suback = sensor.ask(subscribe('a/b', 2, 4), 'suback')
  assert.deepEqual(suback, { type: 'suback', qos: 2, topicId: FIRST_TOPIC_ID, messageId: 4, returnCode: 0 })
  app.publish('a/b', 'x')
  assert.deepEqual(sensor.only('publish').topicId, FIRST_TOPIC_ID)
})

test('SUBSCRIBE: what cannot be subscribed to is not supported', async () => {
  const { device } = await scene()
  const sensor = device().join('c1')
  for (const message of [
    subscribe('a/#/b'),
    subscribe(''),
    subscribe('a', -1),
    subscribe('ab', 1, 9, 3),
    subscribe('$share//a'),
  ]) {
    assert.equal((sensor.ask(message, 'suback') as Of<'suback'>).returnCode, 3)
  }
})

test('SUBSCRIBE that is not allowed, or one too many', async () => {
  const world = new World({
    access: { authenticate: () => ({ ok: true }), authorize: (_client, _action, topic) => topic !== 'secret' },
  })
  const { device } = await scene({}, { session: { maxSubscriptions: 1 } }, world)
  const sensor = device().join('c1')
  const code = (topic: string) => (sensor.ask(subscribe(topic), 'suback') as Of<'suback'>).returnCode
  assert.deepEqual(['secret', 'a', 'b'].map(code), [3, 0, 1])
})

test('retained messages follow SUBACK, with the retain flag', async () => {
  const { device, app } = await scene()
  app.publish('a', 'kept', { retain: true })
  const sensor = device().join('c1')
  sensor.send(subscribe('a', 0))
  const [suback, message] = sensor.take()
  assert.equal(suback?.type, 'suback')
  assert.deepEqual([text(message), (message as Of<'publish'>).retain], ['kept', true])
  app.publish('a', 'new', { retain: true })
  assert.equal(sensor.only('publish').retain, false)
})

test('overlapping subscriptions bring one copy, with the higher QoS', async () => {
  const { device, app } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('a', 1)
  sensor.subscribe('+', 0)
  app.publish('a', 'x', { qos: 1 })
  const message = sensor.only('publish')
  assert.equal(message.qos, 1)
  sensor.send(puback(message)).silent()
})

test('UNSUBSCRIBE is always acknowledged, also what was never subscribed or cannot be', async () => {
  const { device, app } = await scene({ predefined: [{ id: 5, topic: 'five' }] })
  const sensor = device().join('c1')
  sensor.subscribe('a', 0)
  sensor.ask(subscribe('ab', 0, 2, 2), 'suback')
  sensor.ask(subscribe('', 0, 3, 1, 5), 'suback')
  const unsubscribe = (topicType: 0 | 1 | 2 | 3, topic: string, topicId = 0): Message => ({
    type: 'unsubscribe',
    topicType,
    messageId: 6,
    topic,
    topicId,
  })
  for (const message of [
    unsubscribe(0, 'a'),
    unsubscribe(2, 'ab'),
    unsubscribe(1, '', 5),
    unsubscribe(1, '', 6),
    unsubscribe(0, 'never'),
    unsubscribe(3, 'a'),
  ]) {
    assert.equal(sensor.ask(message, 'unsuback').messageId, 6)
  }
  for (const topic of ['a', 'ab', 'five']) app.publish(topic, 'x')
  sensor.silent()
})

test('shared subscriptions work by name', async () => {
  const { device, app } = await scene()
  const sensors = [device().join('c1'), device().join('c2')]
  for (const sensor of sensors) assert.equal(sensor.subscribe('$share/g/jobs', 0), 0)
  for (const payload of ['1', '2']) app.publish('jobs', payload)
  const received = sensors.map((sensor) => sensor.take().filter(({ type }) => type === 'register').length)
  assert.deepEqual(received, [1, 1])
})

test('the mountpoint is where the topics of devices live', async () => {
  const { device, app } = await scene({}, { mountpoint: 'site/${clientid}/' })
  app.subscribe('site/c1/up')
  const sensor = device().join('c1')
  const up = sensor.register('up')
  sensor.ask(publish(up, 'x', { qos: 1 }), 'puback')
  assert.equal(app.take()[0]?.text, 'x')
  const down = sensor.subscribe('down', 0)
  app.publish('site/c1/down', 'y')
  assert.equal(sensor.only('publish').topicId, down)
})
