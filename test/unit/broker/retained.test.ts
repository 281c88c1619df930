/** Retained messages: stored, cleared, replayed by retain handling, looked up by branch, never stale or lost to a small window. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { World } from '../../../src/testing.ts'

test('stored with QoS, replaced, cleared by an empty payload', () => {
  const world = new World()
  const publisher = world.app('publisher')
  publisher.publish('t/a', 'old', { retain: true, qos: 1 })
  publisher.publish('t/a', 'new', { retain: true, qos: 1 })
  publisher.publish('t/b', 'not kept')
  const app = world.app('app')
  app.subscribe('t/+', { qos: 2 })
  assert.deepEqual(
    app.take().map(({ topic, text, qos, retain }) => [topic, text, qos, retain]),
    [['t/a', 'new', 1, true]],
  )
  publisher.publish('t/a', '', { retain: true })
  const [live] = app.take()
  assert.equal(live?.retain, false)
  assert.equal(world.core.retainedStore.size, 0)
  assert.equal(world.core.retainedStore.bytes, 0)
})

test('retain handling 0, 1, 2 and retain as published', () => {
  const world = new World()
  const publisher = world.app('publisher')
  publisher.publish('t', 'kept', { retain: true })
  const app = world.app('app')
  app.subscribe('t', { retainHandling: 2 })
  assert.equal(app.take().length, 0)
  app.subscribe('t', { retainHandling: 1 })
  assert.equal(app.take().length, 0)
  app.subscribe('t', { retainHandling: 0 })
  assert.equal(app.take().length, 1)
  app.unsubscribe('t')
  app.subscribe('t', { retainHandling: 1, retainAsPublished: true })
  assert.equal(app.take().length, 1)
  publisher.publish('t', 'live', { retain: true })
  assert.deepEqual(
    app.take().map(({ retain }) => retain),
    [true],
  )
})

test('expired retained messages are neither sent nor kept', () => {
  const world = new World()
  const publisher = world.app('publisher')
  publisher.publish('t/a', 'x', { retain: true, expiresAt: world.now() + 1000 })
  publisher.publish('t/b', 'y', { retain: true })
  world.advance(1000)
  const app = world.app('app')
  app.subscribe('t/#')
  assert.deepEqual(
    app.take().map(({ topic }) => topic),
    ['t/b'],
  )
  assert.equal(world.core.retainedStore.size, 1)
})

test('wildcards at the front do not see $ topics', () => {
  const world = new World()
  const publisher = world.app('publisher')
  publisher.publish('$hidden/a', 'x', { retain: true })
  publisher.publish('seen/a', 'x', { retain: true })
  const app = world.app('app')
  for (const filter of ['#', '+/a']) app.subscribe(filter)
  assert.ok(app.take().every(({ topic }) => !topic.startsWith('$')))
  app.subscribe('$hidden/#')
  assert.deepEqual(
    app.take().map(({ topic }) => topic),
    ['$hidden/a'],
  )
})

test('a replay far larger than window and queue arrives whole, as fast as the client acknowledges', () => {
  const world = new World()
  const publisher = world.app('publisher')
  for (let i = 0; i < 5000; i++) publisher.publish(`many/${i}`, 'x', { retain: true, qos: 1 })
  const app = world.app('app', { autoAck: false, receiveMaximum: 4, limits: { maxQueued: 2 } })
  app.subscribe('many/+', { qos: 1 })
  const seen = new Set<string>()
  for (let received = app.take(); received.length > 0; received = app.take()) {
    assert.ok(received.length <= 4)
    for (const { topic, delivery } of received) {
      seen.add(topic)
      app.ack(delivery.id)
    }
    world.settle()
  }
  assert.equal(seen.size, 5000)
  assert.equal(world.core.stats.droppedTotal, 0)
})

test('a replay to a busy client waits for it', () => {
  const world = new World()
  const publisher = world.app('publisher')
  for (let i = 0; i < 50; i++) publisher.publish(`many/${i}`, 'x', { retain: true })
  const app = world.app('app', { limits: { maxQueued: 5 } })
  app.ready = false
  app.subscribe('many/+')
  assert.equal(app.take().length, 0)
  app.ready = true
  world.core.release(app.client)
  world.settle()
  assert.equal(app.take().length, 50)
})

test('limits: too many retained messages are refused as quota, and counted', () => {
  const world = new World({ limits: { maxRetained: 2 } })
  const publisher = world.app('publisher')
  publisher.publish('a', 'x', { retain: true })
  publisher.publish('b', 'x', { retain: true })
  assert.equal(publisher.publish('c', 'x', { retain: true }), 'quota')
  assert.equal(publisher.publish('b', 'y', { retain: true }), 'no-subscribers')
  assert.equal(world.core.stats.dropped['retained-limit'], 1)
})
