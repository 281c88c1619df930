/**
 * What clients expect that were written for other gateways: the order of answers, ids that are used as if there was one
 * kind of them, and answers that are nearly right.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message, Of } from '../codec/index.ts'
import { FIRST_TOPIC_ID } from '../topic-ids.ts'
import { puback, publish, regack, scene, subscribe, text } from './device.ts'

const predefined = [
  { id: 1, topic: 'plant/hello' },
  { id: 2, topic: 'plant/nice' },
]

function typesOf(messages: readonly Message[]): string[] {
  return messages.map(({ type }) => type)
}

test('the answer to a publish comes before the message itself, to a client that subscribed to it', async () => {
  const { device } = await scene()
  const sensor = device().join('c1')
  const topicId = sensor.subscribe('news', 2)
  const [answer, message, ...more] = sensor.send(publish(topicId, 'one', { qos: 1, messageId: 1 })).take()
  assert.deepEqual([answer?.type, message?.type, text(message), more.length], ['puback', 'publish', 'one', 0])
  sensor.send(puback(message as Of<'publish'>))
  assert.deepEqual(typesOf(sensor.send(publish(topicId, 'two', { qos: 2, messageId: 7 })).take()), ['pubrec', 'publish'])
  sensor.send({ type: 'pubrel', messageId: 7 })
  assert.deepEqual(typesOf(sensor.take()), ['pubcomp'])
})

test('a sleeping client that publishes to itself sleeps on', async () => {
  const { device } = await scene()
  const sensor = device().join('c1')
  const topicId = sensor.subscribe('news', 1)
  sensor.sleep(600)
  assert.deepEqual(typesOf(sensor.send(publish(topicId, 'x', { qos: 1, messageId: 1 })).take()), ['puback'])
  const message = sensor.ask({ type: 'pingreq', clientId: 'c1' }, 'publish')
  assert.deepEqual(typesOf(sensor.send(puback(message)).take()), ['pingresp'])
})

test('a predefined topic that is registered or subscribed to by name has its predefined id, and comes by it', async () => {
  const { device, app } = await scene({ predefined })
  app.subscribe('plant/+')
  const sensor = device().join('c1')
  assert.equal(sensor.register('plant/hello'), 1)
  assert.equal(sensor.subscribe('plant/hello', 0), 1)
  assert.equal(sensor.register('mine'), FIRST_TOPIC_ID)
  for (const topicType of [0, 1] as const) {
    sensor.send(publish(1, `type ${topicType}`, { topicType }))
    const message = sensor.only('publish')
    assert.deepEqual([message.topicType, message.topicId, text(message)], [0, 1, `type ${topicType}`])
  }
  assert.deepEqual(
    app.take().map(({ topic }) => topic),
    ['plant/hello', 'plant/hello'],
  )
  // What it has not named is told by its predefined id.
  sensor.subscribe('plant/+', 0)
  app.publish('plant/nice', 'x')
  const message = sensor.only('publish')
  assert.deepEqual([message.topicType, message.topicId], [1, 2])
})

test('an id of a name is accepted as a predefined one when it is no predefined one', async () => {
  const { device, app } = await scene({ predefined })
  app.subscribe('tom')
  const sensor = device().join('c1')
  const topicId = sensor.register('tom')
  const suback = sensor.ask(subscribe('', 2, 25, 1, topicId), 'suback')
  assert.deepEqual([suback.topicId, suback.qos, suback.returnCode], [topicId, 2, 0])
  sensor.send(publish(topicId, 'x', { topicType: 1 }))
  const message = sensor.only('publish')
  assert.deepEqual([message.topicType, message.topicId], [0, topicId])
  assert.equal(app.take()[0]?.text, 'x')
  assert.equal(sensor.ask(subscribe('', 2, 26, 1, topicId + 1), 'suback').returnCode, 2)
})

test('a message that was refused for its topic id comes again as a new one, after REGISTER', async () => {
  const { device, app } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('ab', 1)
  app.publish('ab', 'x', { qos: 1 })
  const first = sensor.only('publish')
  const question = sensor.send(puback(first, 2)).only('register')
  assert.equal(question.topicId, first.topicId)
  const again = sensor.send(regack(question)).only('publish')
  assert.deepEqual([again.messageId, again.dup, text(again)], [first.messageId, false, 'x'])
})

test('REGACK with the topic id or the message id of the open REGISTER is its answer; with neither it is none', async () => {
  const { device, app, world } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('a/+', 1)
  for (const topic of ['a/1', 'a/2']) {
    app.publish(topic, 'x', { qos: 1 })
    const question = sensor.only('register')
    sensor.send(regack({ ...question, topicId: 9, messageId: question.messageId + 5 })).silent()
    const nearly = topic === 'a/1' ? { ...question, topicId: 0 } : { ...question, messageId: question.messageId + 1 }
    sensor.send(puback(sensor.send(regack(nearly)).only('publish')))
  }
  assert.equal(world.counters().get('unmatched-answer'), 2)
})

test('registerAgain: a client that goes on with its session is told its ids again', async () => {
  const { device, app } = await scene({ registerAgain: true })
  const before = device().join('c1', { clean: false })
  const topicId = before.subscribe('news', 1)
  before.send({ type: 'disconnect', duration: undefined })
  app.publish('news', 'one', { qos: 1 })
  app.publish('news', 'two', { qos: 1 })
  const back = device({ port: 5001 })
  back.send({ type: 'connect', will: false, cleanSession: false, protocolId: 1, duration: 60, clientId: 'c1' })
  const [connack, question] = back.take()
  assert.deepEqual([connack?.type, question?.type], ['connack', 'register'])
  assert.deepEqual([(question as Of<'register'>).topic, (question as Of<'register'>).topicId], ['news', topicId])
  const one = back.send(regack(question as Of<'register'>)).only('publish')
  const two = back.send(puback(one)).only('publish')
  assert.deepEqual([text(one), text(two)], ['one', 'two'])
})

test('a client id of any characters', async () => {
  const { device, world } = await scene()
  const clientId = '!@#$%^&*()_+{}:"<>?/'
  device().join(clientId)
  assert.equal(world.core.client(clientId)?.connected, true)
})

test('the NUL that ends a string of C is not part of a name', async () => {
  const { device, app, world } = await scene()
  const sensor = device()
  const octets = (text: string): Uint8Array => Buffer.from(text, 'latin1')
  sensor.raw(octets('\x0a\x04\x0c\x01\x00\x3cmet\0'))
  assert.equal(sensor.only('willtopicreq').type, 'willtopicreq')
  sensor.raw(octets('\x08\x07\x20gone\0'))
  assert.equal(sensor.only('willmsgreq').type, 'willmsgreq')
  sensor.raw(octets('\x06\x09bye\0'))
  assert.equal(sensor.only('connack').returnCode, 0)
  assert.equal(world.core.client('met')?.connected, true)
  sensor.raw(octets('\x0a\x0a\0\0\0\x01a/b\0'))
  const { topicId } = sensor.only('regack')
  assert.equal(sensor.register('a/b'), topicId)
  sensor.raw(octets('\x09\x12\x20\0\x02a/b\0'))
  assert.equal(sensor.only('suback').topicId, topicId)
  app.publish('a/b', 'x')
  assert.equal(sensor.only('publish').topicId, topicId)
  // Elsewhere, and in a short name, it is not allowed; a payload keeps it.
  sensor.raw(octets('\x0b\x0a\0\0\0\x03a\0b\0\0')).silent()
  sensor.raw(octets('\x07\x12\x22\0\x04a\0')).silent()
  app.subscribe('gone')
  world.advance(100_000)
  assert.deepEqual([...(app.take()[0]?.message.payload ?? [])], [...octets('bye\0')])
})
