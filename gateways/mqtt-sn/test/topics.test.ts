/** Topic ids: REGISTER both ways, predefined ids, short names (MQTT-SN 1.2, 6.5 to 6.7). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message, Of } from '../codec/index.ts'
import { PredefinedTopics } from '../predefined.ts'
import { FIRST_TOPIC_ID, TopicIds } from '../topic-ids.ts'
import { puback, publish, regack, scene, subscribe, text } from './device.ts'

const register = (topic: string, messageId = 1): Message => ({ type: 'register', topicId: 0, messageId, topic })
const AB = 0x6162

test('REGISTER: an id a name, the same for the same name', async () => {
  const { device, app } = await scene()
  app.subscribe('a/b')
  const sensor = device().join('c1')
  assert.deepEqual(sensor.ask(register('a/b', 7), 'regack'), {
    type: 'regack',
    topicId: FIRST_TOPIC_ID,
    messageId: 7,
    returnCode: 0,
  })
  assert.equal(sensor.register('a/c'), FIRST_TOPIC_ID + 1)
  assert.equal(sensor.register('a/b'), FIRST_TOPIC_ID)
  sensor.send(publish(FIRST_TOPIC_ID, 'x')).silent()
  assert.equal(app.take()[0]?.text, 'x')
})

test('REGISTER of a wildcard is not supported; with a full map it is congestion', async () => {
  const { device } = await scene({ maxTopics: 2 })
  const sensor = device().join('c1')
  const code = (topic: string) => (sensor.ask(register(topic), 'regack') as Of<'regack'>).returnCode
  assert.deepEqual(['a/+', '#', 'a', 'b', 'c', 'a'].map(code), [3, 3, 0, 0, 1, 0])
  const suback = sensor.ask(subscribe('d'), 'suback') as Of<'suback'>
  assert.equal(suback.returnCode, 1)
})

test('ids belong to the client: another one has its own', async () => {
  const { device } = await scene()
  device().join('c1').register('a')
  assert.equal(device().join('c2').register('b'), FIRST_TOPIC_ID)
})

test('ids outlive the connection with CleanSession 0, and only then', async () => {
  const { device, app } = await scene()
  app.subscribe('a')
  const topicId = device().join('c1', { clean: false }).register('a')
  const again = device().join('c1', { clean: false })
  assert.equal((again.ask(publish(topicId, 'x', { qos: 1 }), 'puback') as Of<'puback'>).returnCode, 0)
  const anew = device().join('c1', { clean: true })
  assert.equal((anew.ask(publish(topicId, 'x', { qos: 1 }), 'puback') as Of<'puback'>).returnCode, 2)
  assert.equal(app.take().length, 1)
})

test('a publish to an unknown id is answered 2, whatever its QoS', async () => {
  const { device } = await scene()
  const sensor = device().join('c1')
  for (const qos of [0, 1, 2] as const) {
    for (const topicType of [0, 1] as const) {
      const messageId = qos === 0 ? 0 : 5
      assert.deepEqual(sensor.ask(publish(77, 'x', { qos, messageId, topicType }), 'puback'), {
        type: 'puback',
        topicId: 77,
        messageId,
        returnCode: 2,
      })
    }
  }
  sensor.send(publish(77, 'x', { qos: -1, topicType: 1 })).silent()
})

test('short names need no registration, either way', async () => {
  const { device, app } = await scene()
  app.subscribe('ab')
  const sensor = device().join('c1')
  sensor.send(publish(AB, 'up', { topicType: 2 })).silent()
  assert.equal(app.take()[0]?.text, 'up')
  const suback = sensor.ask(subscribe('ab', 0, 3, 2), 'suback') as Of<'suback'>
  assert.deepEqual([suback.topicId, suback.returnCode], [0, 0])
  app.publish('ab', 'down')
  const down = sensor.only('publish')
  assert.deepEqual([down.topicType, down.topicId, text(down)], [2, AB, 'down'])
})

test('a short name with a wildcard, or that is no text, is not supported', async () => {
  const { device } = await scene()
  const sensor = device().join('c1')
  for (const topicId of [0x612b, 0x2361, 0xff61, 0x6100]) {
    const answer = sensor.ask(publish(topicId, 'x', { qos: 1, topicType: 2 }), 'puback') as Of<'puback'>
    assert.equal(answer.returnCode, 3)
  }
  assert.equal((sensor.ask(publish(AB, 'x', { qos: 1, topicType: 3 }), 'puback') as Of<'puback'>).returnCode, 3)
})

test('predefined ids, for everybody and for one client', async () => {
  const { device, app } = await scene({
    predefined: [
      { id: 5, topic: 'plant/temperature' },
      { id: 5, topic: 'own/temperature', clientId: 'c2' },
    ],
  })
  app.subscribe('+/temperature')
  const first = device().join('c1')
  const second = device().join('c2')
  for (const sensor of [first, second]) sensor.ask(publish(5, 'x', { qos: 1, topicType: 1 }), 'puback')
  assert.deepEqual(
    app.take().map(({ topic }) => topic),
    ['plant/temperature', 'own/temperature'],
  )
  const suback = first.ask(subscribe('', 1, 3, 1, 5), 'suback') as Of<'suback'>
  assert.deepEqual([suback.topicId, suback.returnCode, suback.qos], [5, 0, 1])
  app.publish('plant/temperature', 'down')
  const down = first.only('publish')
  assert.deepEqual([down.topicType, down.topicId], [1, 5])
  second.silent()
  assert.equal((first.ask(subscribe('', 1, 3, 1, 6), 'suback') as Of<'suback'>).returnCode, 2)
})

test('predefined and registered ids are different spaces', async () => {
  const { device, app } = await scene({ predefined: [{ id: FIRST_TOPIC_ID, topic: 'plant' }] })
  app.subscribe('+')
  const sensor = device().join('c1')
  assert.equal(sensor.register('mine'), FIRST_TOPIC_ID)
  sensor.send(publish(FIRST_TOPIC_ID, 'a'), publish(FIRST_TOPIC_ID, 'b', { topicType: 1 }))
  assert.deepEqual(
    app.take().map((received) => `${received.topic} ${received.text}`),
    ['mine a', 'plant b'],
  )
})

test('a subscription to a wildcard: REGISTER, REGACK, PUBLISH', async () => {
  const { device, app } = await scene()
  const sensor = device().join('c1')
  assert.equal(sensor.subscribe('news/#'), 0)
  app.publish('news/today', 'x', { qos: 1 })
  const question = sensor.only('register')
  assert.equal(question.topic, 'news/today')
  sensor.send(regack(question))
  const message = sensor.only('publish')
  assert.deepEqual([message.topicType, message.topicId, message.qos, text(message)], [0, question.topicId, 1, 'x'])
  sensor.send(puback(message))
  app.publish('news/today', 'y', { qos: 1 })
  assert.equal(sensor.only('publish').topicId, question.topicId, 'registered once')
})

test('a QoS 0 message waits for its registration, and others behind it', async () => {
  const { device, app } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('news/#', 0)
  app.publish('news/1', 'a')
  app.publish('news/2', 'b')
  const first = sensor.only('register')
  sensor.send(regack(first))
  const [message, second] = sensor.take()
  assert.equal(text(message), 'a')
  assert.equal((second as Of<'register'>).topic, 'news/2')
  assert.notEqual((second as Of<'register'>).messageId, first.messageId)
  sensor.send(regack(second as Of<'register'>))
  assert.equal(text(sensor.only('publish')), 'b')
})

test('a lost REGACK: REGISTER is repeated with the same ids', async () => {
  const { device, app, world } = await scene()
  const sensor = device().join('c1', { duration: 600 })
  sensor.subscribe('news/#')
  app.publish('news/1', 'a', { qos: 1 })
  const first = sensor.only('register')
  world.advance(10_000)
  const second = sensor.only('register')
  assert.deepEqual(second, first)
  sensor.send(regack(second))
  assert.equal(text(sensor.only('publish')), 'a')
})

test('REGACK congestion: REGISTER is repeated later', async () => {
  const { device, app, world } = await scene()
  const sensor = device().join('c1', { duration: 600 })
  sensor.subscribe('news/#')
  app.publish('news/1', 'a', { qos: 1 })
  sensor.send(regack(sensor.only('register'), 1)).silent()
  world.advance(10_000)
  sensor.send(regack(sensor.only('register')))
  assert.equal(text(sensor.only('publish')), 'a')
})

test('a refused registration drops its message, and the next one asks again', async () => {
  const { device, app, world } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('news/#')
  for (const returnCode of [2, 3]) {
    app.publish('news/1', 'a', { qos: 1 })
    sensor.send(regack(sensor.only('register'), returnCode)).silent()
  }
  assert.equal(world.counters().get('nack-register-refused'), 2)
  app.publish('news/1', 'b', { qos: 1 })
  sensor.send(regack(sensor.only('register')))
  assert.equal(text(sensor.only('publish')), 'b')
})

test('a client that has lost its ids is told again, and gets the message', async () => {
  const { device, app } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('news')
  app.publish('news', 'a', { qos: 1 })
  sensor.send(puback(sensor.only('publish'), 2))
  const question = sensor.only('register')
  assert.equal(question.topic, 'news')
  sensor.send(regack(question))
  const message = sensor.only('publish')
  assert.deepEqual([text(message), message.dup], ['a', false])
})

test('a client that knows no short names is given an id instead', async () => {
  const { device, app } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('+')
  app.publish('ab', 'x', { qos: 1 })
  const short = sensor.only('publish')
  assert.equal(short.topicType, 2)
  sensor.send(puback(short, 2))
  sensor.send(regack(sensor.only('register')))
  const message = sensor.only('publish')
  assert.deepEqual([message.topicType, text(message)], [0, 'x'])
})

test('no id is left for a delivery: it is dropped and counted, and others go on', async () => {
  const { device, app, world } = await scene({ maxTopics: 1 })
  const sensor = device().join('c1')
  sensor.subscribe('known', 0)
  sensor.subscribe('news/#', 0)
  app.publish('news/1', 'a')
  app.publish('known', 'b')
  assert.equal(text(sensor.only('publish')), 'b')
  assert.equal(world.counters().get('nack-topic-ids-exhausted'), 1)
})

test('an answer that fits nothing is counted', async () => {
  const { device, world } = await scene()
  const sensor = device().join('c1')
  sensor.send(
    { type: 'regack', topicId: 1, messageId: 1, returnCode: 0 },
    { type: 'puback', topicId: 1, messageId: 1, returnCode: 0 },
    { type: 'pubcomp', messageId: 4 },
  )
  sensor.silent()
  assert.equal(world.counters().get('unmatched-answer'), 3)
})

test('TopicIds: names found in both directions, few or many', () => {
  const ids = new TopicIds()
  const at = (n: number): number => FIRST_TOPIC_ID + n - 1
  for (let i = 1; i <= 40; i++) assert.equal(ids.learn(`t/${i}`, 40), at(i))
  assert.equal(ids.learn('t/41', 40), undefined)
  for (let i = 1; i <= 40; i++) {
    assert.equal(ids.known(`t/${i}`), at(i))
    assert.equal(ids.name(at(i)), `t/${i}`)
  }
  ids.forget(at(7))
  assert.equal(ids.known('t/7'), undefined)
  assert.equal(ids.learn('t/7', 40), at(7))
  assert.equal(ids.known('t/7'), at(7))
  ids.forget(at(7))
  ids.confirm(at(7))
  assert.equal(ids.known('t/7'), at(7))
  assert.equal(ids.name(at(0)), undefined)
  assert.equal(ids.name(at(41)), undefined)
  ids.forgetAll()
  assert.equal(ids.known('t/1'), undefined)
  assert.equal(ids.id('t/1'), at(1))
  ids.clear()
  assert.equal(ids.size, 0)
})

test('TopicIds: a predefined id is the id of a name, unless it is taken or not left to predefined topics', () => {
  const ids = new TopicIds()
  assert.equal(ids.learn('a', 4, 5), 5)
  assert.equal(ids.learn('b', 4, 5), FIRST_TOPIC_ID)
  assert.equal(ids.learn('c', 4, FIRST_TOPIC_ID), FIRST_TOPIC_ID + 1)
  assert.equal(ids.learn('a', 4), 5)
  assert.equal(ids.name(5), 'a')
  assert.deepEqual(ids.ids(), [5, FIRST_TOPIC_ID, FIRST_TOPIC_ID + 1])
  ids.forget(5)
  assert.equal(ids.known('a'), undefined)
  assert.equal(ids.learn('d', 4, 6), 6)
  assert.equal(ids.learn('e', 4), undefined)
  const restored = new TopicIds()
  for (const id of ids.ids()) restored.restore(id, ids.name(id) ?? '')
  assert.deepEqual(restored.ids(), ids.ids())
  assert.equal(restored.id('d'), 6)
})

test('PredefinedTopics: an id that means something else to the client is not used for it', () => {
  const topics = new PredefinedTopics([
    { id: 1, topic: 'a' },
    { id: 1, topic: 'b', clientId: 'c1' },
  ])
  assert.equal(topics.id('a', 'c1'), undefined)
  assert.equal(topics.id('b', 'c1'), 1)
  assert.equal(topics.id('a', 'c2'), 1)
  assert.equal(topics.name(1), 'a')
  assert.equal(topics.name(1, 'c1'), 'b')
})
