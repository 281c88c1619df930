/** Who gets a message: filters, overlaps, options, shared groups. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { topicMatches } from '../../../src/sdk.ts'
import { World } from '../../../src/testing.ts'

const topics = (received: readonly { topic: string }[]): string[] => received.map(({ topic }) => topic)

test('wildcards match as OASIS v5.0 section 4.7 says, $ topics only by name', () => {
  const world = new World()
  const app = world.app('app')
  const publisher = world.app('publisher')
  app.subscribe('#', { retainHandling: 2 })
  publisher.publish('a/b', '1')
  publisher.publish('$data/b', '2')
  assert.deepEqual(topics(app.take()), ['a/b'])
  app.unsubscribe('#')
  app.subscribe('+/b')
  app.subscribe('$data/+')
  publisher.publish('a/b', '1')
  publisher.publish('/b', '1')
  publisher.publish('$data/b', '2')
  publisher.publish('a/b/c', '3')
  assert.deepEqual(topics(app.take()), ['a/b', '/b', '$data/b'])
  app.subscribe('sport/#')
  publisher.publish('sport', 'parent')
  assert.deepEqual(topics(app.take()), ['sport'])
})

test('the subscription table agrees with the definition of matching, through any history of changes', () => {
  const level = fc.constantFrom('a', 'b', '', '$s')
  const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
  const filter = fc
    .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([levels, hash]) => [...levels, ...(hash ? ['#'] : [])].join('/'))
  const step = fc.oneof(fc.record({ add: fc.constant(true), filter }), fc.record({ add: fc.constant(false), filter }))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.array(topic, { minLength: 1, maxLength: 6 }), (steps, names) => {
      const world = new World()
      const app = world.app('app')
      const publisher = world.app('publisher')
      const held = new Set<string>()
      for (const { add, filter: wanted } of steps) {
        if (wanted === '') continue
        if (add) {
          assert.equal(app.subscribe(wanted, { retainHandling: 2 }), 0)
          held.add(wanted)
        } else {
          assert.equal(app.unsubscribe(wanted), held.delete(wanted))
        }
        for (const name of names) {
          if (name === '') continue
          publisher.publish(name, 'x')
          const expected = [...held].some((candidate) => topicMatches(candidate, name)) ? [name] : []
          assert.deepEqual(topics(app.take()), expected, `${name} with ${[...held].join(' ')}`)
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('overlapping subscriptions give one copy with the highest QoS and all identifiers', () => {
  const world = new World()
  const app = world.app('app')
  app.subscribe('a/#', { qos: 0, id: 7 })
  app.subscribe('a/+', { qos: 2, id: 9 })
  app.subscribe('a/b', { qos: 1 })
  world.app('publisher').publish('a/b', 'x', { qos: 2 })
  const [only, ...more] = app.take()
  assert.equal(more.length, 0)
  assert.equal(only?.qos, 2)
  assert.deepEqual([...(only?.delivery.subscriptionIds ?? [])].sort(), [7, 9])
})

test('no local keeps back own messages only, also where subscriptions overlap', () => {
  const world = new World()
  const app = world.app('app')
  app.subscribe('a/b', { noLocal: true })
  app.publish('a/b', 'own')
  assert.equal(app.take().length, 0)
  app.subscribe('a/+', { id: 3 })
  app.publish('a/b', 'own')
  assert.deepEqual(
    app.take().map(({ delivery }) => delivery.subscriptionIds),
    [[3]],
  )
  world.app('other').publish('a/b', 'theirs')
  assert.equal(app.take().length, 1)
})

test('an identical filter replaces the subscription', () => {
  const world = new World()
  const app = world.app('app')
  app.subscribe('a', { qos: 2 })
  app.subscribe('a', { qos: 0 })
  world.app('publisher').publish('a', 'x', { qos: 2 })
  assert.deepEqual(
    app.take().map(({ qos }) => qos),
    [0],
  )
  assert.equal(world.core.subscriptionCount, 1)
})

test('publish outcomes: delivered, no subscribers, invalid topic, not authorized', () => {
  const access = {
    authenticate: () => ({ ok: true }) as const,
    authorize: (_client: object, action: string, topic: string) => !(action === 'publish' && topic.startsWith('secret/')),
  }
  const world = new World({ access })
  const app = world.app('app')
  assert.equal(app.publish('a', 'x'), 'no-subscribers')
  app.subscribe('#')
  assert.equal(app.publish('a', 'x'), 'delivered')
  assert.equal(app.publish('a/+', 'x'), 'invalid-topic')
  assert.equal(app.publish('secret/a', 'x'), 'not-authorized')
  assert.equal(app.publish('$SYS/broker/uptime', 'forged'), 'not-authorized')
  assert.equal(world.core.stats.rejected, 3)
  assert.equal(app.subscribe('a/#/b'), 'invalid-filter')
  assert.equal(app.subscribe('$share//x'), 'invalid-filter')
})

test('shared subscriptions: round robin over members, each message once', () => {
  const world = new World()
  const members = ['m1', 'm2', 'm3'].map((id) => world.app(id))
  for (const member of members) assert.equal(member.subscribe('$share/g/t/+', { qos: 1 }), 1)
  const publisher = world.app('publisher')
  for (let i = 0; i < 9; i++) assert.equal(publisher.publish(`t/${i}`, 'x', { qos: 1 }), 'delivered')
  assert.deepEqual(
    members.map((member) => member.take().length),
    [3, 3, 3],
  )
})

test('shared subscriptions: two groups and a plain subscriber each get a copy', () => {
  const world = new World()
  const [a, b, plain] = ['a', 'b', 'plain'].map((id) => world.app(id))
  a?.subscribe('$share/one/t')
  b?.subscribe('$share/two/t')
  plain?.subscribe('t')
  world.app('publisher').publish('t', 'x')
  assert.deepEqual(
    [a, b, plain].map((app) => app?.take().length),
    [1, 1, 1],
  )
})

test('shared subscriptions: a member that is gone or full is passed over', () => {
  const world = new World()
  const slow = world.app('slow', { autoAck: false, receiveMaximum: 1, limits: { maxQueued: 1 } })
  const fast = world.app('fast')
  slow.subscribe('$share/g/t', { qos: 1 })
  fast.subscribe('$share/g/t', { qos: 1 })
  const publisher = world.app('publisher')
  for (let i = 0; i < 10; i++) publisher.publish('t', String(i), { qos: 1 })
  assert.equal(slow.take().length, 1)
  assert.equal(slow.client.queued, 1)
  assert.equal(fast.take().length, 8)
  assert.equal(world.core.stats.droppedTotal, 0)
  fast.disconnect()
  publisher.publish('t', 'nobody', { qos: 1 })
  assert.equal(world.core.stats.dropped['no-shared-member'], 1)
})

test('shared subscriptions: what an ended member had not acknowledged passes to another', () => {
  const world = new World()
  const first = world.app('first', { autoAck: false, receiveMaximum: 2 })
  first.subscribe('$share/g/t', { qos: 1 })
  const publisher = world.app('publisher')
  for (let i = 0; i < 4; i++) publisher.publish('t', String(i), { qos: 1 })
  const second = world.app('second')
  second.subscribe('$share/g/t', { qos: 1 })
  first.disconnect()
  assert.deepEqual(
    second.take().map(({ text }) => text),
    ['0', '1', '2', '3'],
  )
})

for (const [policy, spread] of [
  ['sticky', 1],
  ['random', 3],
] as const) {
  test(`shared subscriptions: policy ${policy}`, () => {
    const world = new World({ limits: { sharedPolicy: policy } })
    const members = ['m1', 'm2', 'm3'].map((id) => world.app(id))
    for (const member of members) member.subscribe('$share/g/t')
    const publisher = world.app('publisher')
    for (let i = 0; i < 60; i++) publisher.publish('t', 'x')
    const counts = members.map((member) => member.take().length)
    assert.equal(
      counts.reduce((a, b) => a + b),
      60,
    )
    assert.equal(counts.filter((count) => count > 0).length, spread)
  })
}
