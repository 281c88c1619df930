/** Slow subscribers: measured from publish to acknowledgement, bounded, forgotten in time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SlowSubscribers } from '../../../src/broker/slow-subscribers.ts'
import { AppClient, appPort } from '../../../src/testing/app-client.ts'
import { World } from '../../../src/testing.ts'

function open(top = 10) {
  const slow = new SlowSubscribers({ thresholdMs: 500, top, expiryMs: 300_000 })
  const world = new World({ slow })
  const list = () => slow.list(world.now()).map(({ clientId, topic, latencyMs }) => [clientId, topic, latencyMs])
  const subscriber = (id: string, filter: string) => {
    const app = world.app(id, { autoAck: false })
    app.subscribe(filter, { qos: 1 })
    return app
  }
  return { world, slow, list, subscriber, publisher: world.app('publisher') }
}

test('a delivery that is acknowledged late is listed with its latency, a quick one is not', () => {
  const { world, slow, list, subscriber, publisher } = open()
  const [quick, late] = [subscriber('quick', 'a/#'), subscriber('late', 'a/#')]
  publisher.publish('a/1', 'x', { qos: 1 })
  publisher.publish('a/0', 'x', { qos: 0 })
  world.advance(499)
  for (const { delivery } of quick.take()) quick.ack(delivery.id)
  world.advance(1)
  for (const { delivery } of late.take()) late.ack(delivery.id)
  assert.deepEqual(list(), [['late', 'a/1', 500]])
  assert.equal(slow.slow, 1)
})

test('the wait in the queue counts, the latest delivery of a subscription is shown', () => {
  const { world, list, publisher } = open()
  const app = world.app('app', { autoAck: false, receiveMaximum: 1 })
  app.subscribe('t', { qos: 1 })
  for (const payload of ['a', 'b']) publisher.publish('t', payload, { qos: 1 })
  const next = (): void => void app.ack(app.take()[0]?.delivery.id ?? 0)
  world.advance(600)
  next()
  world.advance(600)
  next()
  assert.deepEqual(list(), [['app', 't', 1200]])
})

test('only the slowest stay, the slowest first', () => {
  const { world, list, subscriber, publisher } = open(2)
  for (const [index, topic] of ['a', 'b', 'c', 'd'].entries()) {
    const app = subscriber(topic, topic)
    publisher.publish(topic, 'x', { qos: 1 })
    world.advance([900, 600, 800, 550][index] as number)
    app.ack(app.take()[0]?.delivery.id ?? 0)
  }
  assert.deepEqual(list(), [
    ['a', 'a', 900],
    ['c', 'c', 800],
  ])
})

test('who has not been slow for a while is forgotten', () => {
  const { world, list, subscriber, publisher } = open()
  const app = subscriber('app', 't')
  publisher.publish('t', 'x', { qos: 1 })
  world.advance(1000)
  app.ack(app.take()[0]?.delivery.id ?? 0)
  world.advance(300_000)
  assert.equal(list().length, 1)
  world.advance(1)
  assert.deepEqual(list(), [])
})

test('what waited for an absent client does not make it slow', () => {
  const { world, list, publisher } = open()
  const port = appPort(world.core)
  const options = { cleanStart: false, expiryMs: 1e9 }
  const first = new AppClient(world.core, 'app', options, port)
  first.subscribe('t', { qos: 1 })
  first.disconnect()
  publisher.publish('t', 'x', { qos: 1 })
  world.advance(60_000)
  const back = new AppClient(world.core, 'app', options, port)
  assert.equal(back.take().length, 1)
  assert.deepEqual(list(), [])
})
