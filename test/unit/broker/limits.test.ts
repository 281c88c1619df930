/** Limits of topics, filters, client ids and retained messages: what is beyond them is refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { World } from '../../../src/testing.ts'
import { echoGateway } from '../runtime/echo-gateway.ts'

test('topics and filters have a bounded number of levels', () => {
  const world = new World({ limits: { maxTopicLevels: 3 } })
  const app = world.app('app')
  assert.deepEqual(
    ['a/b/c', '//', 'a/b/c/d', '///', '$delayed/5/a/b/c', '$delayed/5/a/b/c/d'].map((topic) => app.publish(topic, 'x')),
    ['no-subscribers', 'no-subscribers', 'invalid-topic', 'invalid-topic', 'delivered', 'invalid-topic'],
  )
  assert.deepEqual(
    ['a/+/#', '#', 'a/b/c/#', '$share/g/a/b/c', '$share/g/a/b/c/d'].map((filter) => app.subscribe(filter)),
    [0, 0, 'invalid-filter', 0, 'invalid-filter'],
  )
  assert.equal(world.core.stats.rejected, 3)
})

test('topics and filters have a bounded length in octets', () => {
  const world = new World({ limits: { maxTopicLength: 6 } })
  const app = world.app('app')
  assert.deepEqual(
    ['123456', '1234567', 'ééé', 'éééé'].map((topic) => app.publish(topic, 'x')),
    ['no-subscribers', 'invalid-topic', 'no-subscribers', 'invalid-topic'],
  )
  assert.deepEqual(
    ['1234/#', '12345/#', '$share/group/123456'].map((filter) => app.subscribe(filter)),
    [0, 'invalid-filter', 0],
  )
})

test('a client id has a bounded length, and who is refused is counted', async () => {
  const world = new World({ limits: { maxClientIdLength: 4 } })
  const gateway = await world.gateway(echoGateway())
  const said = ['id 1234', 'id 12345', 'id éé', 'id ééé'].map((words) => {
    const peer = gateway.connect()
    peer.send(new TextEncoder().encode(words))
    return new TextDecoder().decode(peer.take()[0])
  })
  assert.deepEqual(said, ['welcome 1234', 'refused bad-client-id', 'welcome éé', 'refused bad-client-id'])
  assert.equal(world.counters().get('connect-refused-bad-client-id'), 2)
})

test('a retained payload has a bounded size; as a live message it may be larger', () => {
  const world = new World({ limits: { maxRetainedPayload: 3 } })
  const app = world.app('app')
  assert.equal(app.publish('t', '123', { retain: true }), 'no-subscribers')
  assert.equal(app.publish('t', '1234', { retain: true }), 'quota')
  assert.equal(app.publish('t', '1234'), 'no-subscribers')
  assert.equal(world.core.stats.dropped['retained-limit'], 1)
  app.subscribe('t')
  assert.deepEqual(
    app.take().map(({ text }) => text),
    ['123'],
  )
})

test('a client id whose own topics would be too long is refused', async () => {
  const world = new World()
  const gateway = await world.gateway(echoGateway())
  const ids = ['a'.repeat(65_514), 'a'.repeat(65_515), '#'.repeat(21_838), '#'.repeat(21_839)]
  const said = ids.map((id) => {
    const peer = gateway.connect()
    peer.send(new TextEncoder().encode(`id ${id}`))
    return new TextDecoder().decode(peer.take()[0]).split(' ')[0]
  })
  assert.deepEqual(said, ['welcome', 'refused', 'welcome', 'refused'])
})
