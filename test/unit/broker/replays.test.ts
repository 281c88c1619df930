/** Retained messages of new subscriptions: in turns that all of them share, none forgotten. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppClient, appPort } from '../../../src/testing/app-client.ts'
import { World } from '../../../src/testing.ts'

/** A world with retained topics, and a client that has not taken any of them. */
function worldWith(retained: number): World {
  const world = new World()
  const publisher = world.app('publisher')
  for (let i = 0; i < retained; i++) publisher.publish(`many/${i}`, 'x', { retain: true })
  return world
}

test('an event sends the first few, a turn a bounded number, and in the end all have all', () => {
  const world = worldWith(5000)
  const apps = Array.from({ length: 5 }, (_, index) => world.app(`app-${index}`))
  const counts = apps.map(() => 0)
  const taken = (): number => {
    let now = 0
    for (const [index, app] of apps.entries()) {
      const { length } = app.take()
      counts[index] = (counts[index] ?? 0) + length
      now += length
    }
    return now
  }
  for (const { client } of apps) world.core.subscribe(client, 'many/+', { qos: 0 })
  world.core.settle()
  assert.ok(taken() <= 5 * 16)
  world.core.settle()
  assert.equal(taken(), 0, 'further events do not send more')
  for (let turns = 0; turns < 100; turns++) {
    world.core.proceed()
    assert.ok(taken() <= 1000)
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 200, 'they get it at the same pace')
  }
  assert.deepEqual(counts, [5000, 5000, 5000, 5000, 5000])
})

test('a client that was busy in between gets the rest, however little a release lets go', () => {
  const world = worldWith(1000)
  const app = world.app('app')
  app.ready = false
  world.core.subscribe(app.client, 'many/+', { qos: 0 })
  world.settle()
  assert.equal(app.take().length, 0)
  app.ready = true
  world.core.release(app.client)
  world.settle()
  assert.equal(app.take().length, 1000)
})

test('who leaves, or unsubscribes, in the middle is not sent any more', () => {
  const world = worldWith(1000)
  const [gone, over] = [world.app('gone'), world.app('over')]
  for (const { client } of [gone, over]) world.core.subscribe(client, 'many/+', { qos: 0 })
  world.core.settle()
  gone.disconnect()
  over.unsubscribe('many/+')
  const before = [gone.take().length, over.take().length]
  world.settle()
  assert.ok(before.every((count) => count <= 16))
  assert.deepEqual([gone.take().length, over.take().length], [0, 0])
})

test('a session that goes on gets the rest on its next connection; what has QoS 0 ends with the connection', () => {
  const world = worldWith(1000)
  const port = appPort(world.core)
  const options = { cleanStart: false, expiryMs: 60_000 }
  for (const [qos, rest] of [
    [1, 1000],
    [0, 0],
  ] as const) {
    const before = new AppClient(world.core, `app-${qos}`, options, port)
    world.core.subscribe(before.client, 'many/+', { qos })
    world.core.settle()
    const got = before.take().length
    before.disconnect()
    world.settle()
    assert.ok(got <= 16)
    const after = new AppClient(world.core, `app-${qos}`, options, port)
    world.settle()
    assert.equal(after.take().length, rest === 0 ? 0 : rest - got)
  }
})
