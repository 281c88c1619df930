/** The tree of retained messages: the same as a list of them, whatever is put in and taken out, and never long at one thing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Levels } from '../../../src/broker/levels.ts'
import { RetainedStore } from '../../../src/broker/retained.ts'
import { Message, topicMatches } from '../../../src/sdk.ts'

const utf8 = new TextEncoder()
const message = (topic: string, payload = topic, expiresAt = 0): Message => {
  const made = new Message(topic, utf8.encode(payload), 1, true)
  made.expiresAt = expiresAt
  return made
}
const now = (): number => 1000
const textOf = ({ payload }: Message): string => new TextDecoder().decode(payload)

test('the tree agrees with a list of topics, through any history of changes', () => {
  const level = fc.constantFrom('a', 'b', '', '$s')
  const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
  const filter = fc
    .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([levels, hash]) => [...levels, ...(hash ? ['#'] : [])].join('/'))
  const step = fc.record({
    topic,
    payload: fc.constantFrom(undefined, 'x', 'yy'),
    expired: fc.constantFrom(false, false, false, true),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.array(filter, { minLength: 1, maxLength: 4 }), (steps, filters) => {
      const store = new RetainedStore()
      const list = new Map<string, string>()
      for (const { topic, payload, expired } of steps) {
        if (payload === undefined) assert.equal(store.delete(topic), list.delete(topic))
        else {
          store.set(message(topic, payload, expired ? 1 : 0))
          list.set(topic, payload)
          if (expired) {
            assert.equal(store.get(topic, now()), undefined)
            list.delete(topic)
          }
        }
        assert.equal(store.size, list.size)
        assert.equal(
          store.bytes,
          [...list.values()].reduce((sum, text) => sum + text.length, 0),
        )
      }
      for (const [topic, payload] of list) assert.equal(textOf(store.get(topic, now()) as Message), payload)
      for (const wanted of filters) {
        const found = [...store.match(wanted, now)].flatMap((one) => one?.topic ?? [])
        assert.deepEqual(found.sort(), [...list.keys()].filter((topic) => topicMatches(wanted, topic)).sort(), wanted)
      }
      assert.deepEqual([...store.all(now)].map(({ topic }) => topic).sort(), [...list.keys()].sort())
    }),
    { numRuns: 300 },
  )
})

test('payload, QoS, properties and expiry come back as they were, also of large payloads and any octets', () => {
  const store = new RetainedStore()
  for (const size of [1, 64, 256, 1024, 1025, 100_000]) {
    const chunk = Uint8Array.from({ length: size + 10 }, (_, i) => i * 7)
    const sent = Message.view('t', chunk, 5, 5 + size, 2, true, { contentType: 'x' })
    sent.expiresAt = 2000.5
    store.set(sent)
    const kept = store.get('t', now()) as Message
    assert.deepEqual(new Uint8Array(kept.payload), chunk.slice(5, 5 + size))
    assert.deepEqual([kept.qos, kept.retain, kept.expiresAt, kept.properties], [2, true, 2000.5, { contentType: 'x' }])
    assert.equal(store.bytes, size)
  }
  assert.equal(store.size, 1)
})

test('a search that finds nothing says so now and then, instead of going through all in one go', () => {
  const store = new RetainedStore()
  for (let i = 0; i < 1000; i++) store.set(message(`many/${i}/up`))
  const rests = [...store.match('many/+/down', now)]
  assert.ok(rests.length >= 30)
  assert.ok(rests.every((one) => one === undefined))
})

test('what changes during a search: each topic once, with its newest value; what is gone does not come', () => {
  const store = new RetainedStore()
  const total = 3000
  for (let i = 0; i < total; i++) store.set(message(`many/${i}/up`, 'old'))
  const search = store.match('many/#', now)
  const found = new Map<string, string>()
  const take = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const { value } = search.next()
      if (value === undefined) return
      assert.ok(!found.has(value.topic), value.topic)
      found.set(value.topic, textOf(value))
    }
  }
  take(100)
  // Enough for the branches to be spread over many maps.
  for (let i = total; i < 3 * total; i++) store.set(message(`many/${i}/up`, 'late'))
  for (let i = 2000; i < 2500; i++) store.set(message(`many/${i}/up`, 'new'))
  for (let i = 2500; i < total; i++) store.delete(`many/${i}/up`)
  take(Number.POSITIVE_INFINITY)
  for (let i = 0; i < total; i++) {
    const expected = i < 2000 ? 'old' : i < 2500 ? 'new' : undefined
    assert.equal(found.get(`many/${i}/up`), expected, String(i))
  }
})

test('levels are found, counted and removed alike below and above the number at which they are spread', () => {
  const levels = new Levels<number>()
  const total = 20_000
  for (let i = 0; i < total; i++) levels.set(`sensor-${i}`, i)
  for (let i = 0; i < total; i++) levels.set(`sensor-${i}`, i + 1)
  assert.equal(levels.size, total)
  for (let i = 0; i < total; i++) assert.equal(levels.get(`sensor-${i}`), i + 1)
  assert.equal(new Set([...levels.entries()].map(([level]) => level)).size, total)
  for (let i = 0; i < total; i += 2) levels.delete(`sensor-${i}`)
  levels.delete('never there')
  assert.equal(levels.size, total / 2)
  assert.equal([...levels.entries()].length, total / 2)
})
