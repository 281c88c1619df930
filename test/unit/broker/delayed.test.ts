/** `$delayed/{seconds}/{topic}`: accepted now, published later, bounded. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Deadlines } from '../../../src/broker/deadlines.ts'
import { Message, parseDelayed } from '../../../src/sdk.ts'
import { World } from '../../../src/testing.ts'

const texts = (received: readonly { text: string }[]): string[] => received.map(({ text }) => text)

test('the form of a delayed topic', () => {
  assert.deepEqual(parseDelayed('$delayed/1/t'), { delayMs: 1000, topic: 't' })
  assert.deepEqual(parseDelayed('$delayed/4294967/a/b'), { delayMs: 4_294_967_000, topic: 'a/b' })
  assert.deepEqual(parseDelayed('$delayed/5//b'), { delayMs: 5000, topic: '/b' })
  for (const plain of ['t', '$delayed', '$delay/1/t', 'x/$delayed/1/t']) assert.equal(parseDelayed(plain), undefined, plain)
  const broken = [
    '$delayed/',
    '$delayed/1',
    '$delayed/1/',
    '$delayed/0/t',
    '$delayed/4294968/t',
    '$delayed/-1/t',
    '$delayed/1.5/t',
  ]
  for (const topic of [
    ...broken,
    '$delayed/x/t',
    '$delayed//t',
    '$delayed/1/a/#',
    '$delayed/99999999/t',
    '$delayed/1/$delayed/1/t',
  ])
    assert.equal(parseDelayed(topic), 'invalid', topic)
})

test('a delayed message is accepted at once and published in time, with all that it had', () => {
  const world = new World()
  const app = world.app('app')
  app.subscribe('t', { qos: 1, retainAsPublished: true })
  const publisher = world.app('publisher')
  const properties = { contentType: 'text/plain', userProperties: [['a', '1']] } as const
  assert.equal(publisher.publish('$delayed/10/t', 'later', { qos: 1, retain: true, properties }), 'delivered')
  world.advance(9999)
  assert.deepEqual(app.take(), [])
  assert.deepEqual([world.core.delayed.size, world.core.delayed.bytes > 0], [1, true])
  world.advance(1)
  const [received] = app.take()
  assert.deepEqual([received?.topic, received?.text, received?.qos, received?.retain], ['t', 'later', 1, true])
  assert.deepEqual(received?.message.properties, properties)
  assert.deepEqual([world.core.delayed.size, world.core.delayed.bytes], [0, 0])
  const late = world.app('late')
  late.subscribe('t')
  assert.deepEqual(texts(late.take()), ['later'])
})

test('messages come in the order of their times, those of one time as they were published', () => {
  const world = new World()
  const app = world.app('app')
  app.subscribe('t')
  const publisher = world.app('publisher')
  for (const [seconds, payload] of [
    [3, 'd'],
    [1, 'a'],
    [2, 'b'],
    [2, 'c'],
  ] as const)
    publisher.publish(`$delayed/${seconds}/t`, payload)
  world.advance(1000)
  assert.deepEqual(texts(app.take()), ['a'])
  world.advance(5000)
  assert.deepEqual(texts(app.take()), ['b', 'c', 'd'])
})

test('the longest delay is kept to the second', () => {
  const world = new World()
  const app = world.app('app')
  app.subscribe('t')
  world.app('publisher').publish('$delayed/4294967/t', 'x')
  world.advance(4_294_966_999)
  assert.deepEqual(app.take(), [])
  world.advance(1)
  assert.deepEqual(texts(app.take()), ['x'])
})

test('message expiry counts from the real publication', () => {
  const world = new World()
  const publisher = world.app('publisher')
  const app = world.app('app', { cleanStart: false, expiryMs: 1e9 })
  app.subscribe('t', { qos: 1 })
  app.disconnect()
  publisher.publish('$delayed/60/t', 'x', { qos: 1, expiresAt: world.now() + 5000 })
  world.advance(60_000)
  assert.equal(app.client.queued, 1)
  assert.equal(app.client.queue?.shift()?.message.expiresAt, world.now() + 5000)
})

test('what was restored too late is dropped as expired, what is only due is published', () => {
  const world = new World()
  const app = world.app('app')
  app.subscribe('t')
  const stale = new Message('t', new TextEncoder().encode('stale'))
  stale.expiresAt = world.now() - 1
  assert.ok(world.core.delayed.add(stale, world.now() - 5000))
  assert.ok(world.core.delayed.add(new Message('t', new TextEncoder().encode('due')), world.now() - 5000))
  assert.deepEqual(
    [...world.core.delayed.entries()].map(({ message, dueAt }) => [message.topic, dueAt]),
    new Array(2).fill(['t', world.now() - 5000]),
  )
  world.advance(0)
  assert.deepEqual(texts(app.take()), ['due'])
  assert.equal(world.core.stats.dropped.expired, 1)
})

test('what is malformed is refused, and nothing is ever delivered on $delayed itself', () => {
  const world = new World()
  const app = world.app('app')
  app.subscribe('$delayed/#')
  app.subscribe('$delayed/1/t')
  assert.equal(app.publish('$delayed/soon/t', 'x'), 'invalid-topic')
  assert.equal(app.publish('$delayed/1/a/+', 'x'), 'invalid-topic')
  app.publish('$delayed/1/t', 'x')
  world.advance(2000)
  assert.deepEqual(app.take(), [])
  assert.equal(world.core.stats.rejected, 2)
})

test('permission is asked for the real topic, and $SYS stays closed', () => {
  const asked: string[] = []
  const world = new World({
    access: {
      authenticate: () => ({ ok: true }),
      authorize: (_subject, action, topic) => {
        if (action === 'publish') asked.push(topic)
        return topic !== 'secret'
      },
    },
  })
  const app = world.app('app')
  assert.equal(app.publish('$delayed/1/secret', 'x'), 'not-authorized')
  assert.equal(app.publish('$delayed/1/open', 'x'), 'delivered')
  assert.equal(app.publish('$delayed/1/$SYS/broker/version', 'x'), 'not-authorized')
  world.advance(1000)
  assert.deepEqual(asked, ['secret', 'open'])
})

test('the number and the bytes of delayed messages are bounded', () => {
  const few = new World({ limits: { maxDelayed: 2 } })
  const app = few.app('app')
  const outcomes = ['a', 'b', 'c'].map((payload) => app.publish('$delayed/1/t', payload))
  assert.deepEqual(outcomes, ['delivered', 'delivered', 'quota'])
  few.advance(1000)
  assert.equal(app.publish('$delayed/1/t', 'd'), 'delivered')
  const small = new World({ limits: { maxDelayedBytes: 1000 } })
  assert.equal(small.app('app').publish('$delayed/1/t', 'x'.repeat(1000)), 'quota')
  const none = new World({ limits: { maxDelayed: 0 } })
  assert.equal(none.app('app').publish('$delayed/1/t', 'x'), 'quota')
})

test('no local holds for delayed messages too', () => {
  const world = new World()
  const app = world.app('app')
  app.subscribe('t', { noLocal: true })
  app.publish('$delayed/1/t', 'mine')
  world.app('other').publish('$delayed/1/t', 'theirs')
  world.advance(1000)
  assert.deepEqual(texts(app.take()), ['theirs'])
})

test('a delayed message and the end of a session share the one alarm', () => {
  const world = new World()
  const app = world.app('app')
  app.subscribe('t')
  const leaving = world.app('leaving', { expiryMs: 3000 })
  leaving.publish('$delayed/2/t', 'first')
  leaving.publish('$delayed/4/t', 'last')
  leaving.disconnect()
  world.advance(2000)
  assert.deepEqual(texts(app.take()), ['first'])
  assert.ok(world.core.client('leaving'))
  world.advance(1000)
  assert.equal(world.core.client('leaving'), undefined)
  world.advance(1000)
  assert.deepEqual(texts(app.take()), ['last'])
})

test('deadlines come out sorted by time, and in the order of adding within one', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5 })), (times) => {
      const deadlines = new Deadlines<number>()
      for (const [index, at] of times.entries()) deadlines.add(at, index)
      const taken: number[] = []
      for (let item = deadlines.takeDue(9); item !== undefined; item = deadlines.takeDue(9)) taken.push(item)
      const expected = times.map((at, index) => ({ at, index })).sort((a, b) => a.at - b.at || a.index - b.index)
      assert.deepEqual(
        taken,
        expected.map(({ index }) => index),
      )
    }),
  )
})
