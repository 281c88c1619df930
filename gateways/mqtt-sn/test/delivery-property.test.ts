/** What the protocol promises, through everything that a network and sleepy clients do, in virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { World } from '#testing'
import module from '../index.ts'
import { type Sent, SleepyClient, type Weather } from './sleepy-client.ts'

/** How long the weather is bad, and how long it may take then until all is said; seconds. */
const STORM_S = 300
const CALM_S = 900

interface Case {
  readonly clients: number
  /** In each direction, for each client. */
  readonly messages: number
  readonly loss: number
  readonly duplication: number
  readonly seed: number
}

function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

/** Each QoS 1 message at least once, each QoS 2 message exactly once, and for the first time in the order of sending. */
function check(sent: readonly Sent[], received: readonly Sent[], who: string): void {
  for (const topic of new Set(sent.map((each) => each.topic))) {
    const ours = received.filter((each) => each.topic === topic)
    const first = [...new Set(ours.map(({ payload }) => payload))]
    const expected = sent.filter((each) => each.topic === topic)
    assert.deepEqual(
      first,
      expected.map(({ payload }) => payload),
      `${who}, ${topic}: all of them, in order`,
    )
    for (const { payload, qos } of expected) {
      const copies = ours.filter((each) => each.payload === payload).length
      if (qos === 2) assert.equal(copies, 1, `${who}, ${topic}: ${payload} exactly once`)
    }
  }
}

async function live({ clients: count, messages, loss, duplication, seed }: Case): Promise<Map<string, number>> {
  const world = new World({ seed })
  const gateway = await world.gateway(module, { retry: { interval: '4s', attempts: 3 } })
  const random = randomFrom(seed)
  const weather: Weather = { loss, duplication, random }
  const app = world.app('app', { limits: { maxQueued: 1e6, maxQueuedBytes: 1e9 } })
  app.subscribe('up/#', { qos: 2 })
  const clients: SleepyClient[] = []
  const down = new Map<string, Sent[]>()
  const up = new Map<string, Sent[]>()
  for (let i = 0; i < count; i++) {
    const client = new SleepyClient(gateway, weather, `c${i}`, 1000 + i)
    clients.push(client)
    down.set(client.id, [])
    for (let n = 0; n < messages; n++) {
      client.outbox.push({ topic: `up/${client.id}/${n % 2}`, payload: `${n}`, qos: random() < 0.5 ? 1 : 2 })
    }
    up.set(client.id, [...client.outbox])
  }
  for (let second = 0; second < STORM_S + CALM_S; second++) {
    if (second === STORM_S) {
      weather.loss = 0
      weather.duplication = 0
    }
    for (const client of clients) {
      client.step(second)
      const sent = down.get(client.id) ?? []
      // Nobody hears what was said before it subscribed.
      if (second > 60 && sent.length < messages && random() < 0.1) {
        const message: Sent = {
          topic: `down/${client.id}/${sent.length % 3}`,
          payload: `${sent.length}`,
          qos: random() < 0.5 ? 1 : 2,
        }
        if (app.publish(message.topic, message.payload, { qos: message.qos }) === 'delivered') sent.push(message)
      }
    }
    world.advance(1000)
    if (second > STORM_S + 200 && clients.every(({ done }) => done)) break
  }
  const received = app.take()
  for (const client of clients) {
    assert.ok(client.done, `${client.id} is done`)
    const heard = received
      .filter(({ topic }) => topic.startsWith(`up/${client.id}/`))
      .map(({ topic, text, qos }): Sent => ({ topic, payload: text, qos: qos as 1 | 2 }))
    check(up.get(client.id) ?? [], heard, `from ${client.id}`)
    check(down.get(client.id) ?? [], client.received, `to ${client.id}`)
    assert.equal(down.get(client.id)?.length, messages)
  }
  assert.deepEqual(world.errors, [])
  assert.equal(world.faults(), 0)
  return world.counters()
}

test('property: QoS 1 at least once, QoS 2 exactly once, in order, through loss, duplication, sleep and roaming', async () => {
  const cases = fc.record({
    clients: fc.constant(5),
    messages: fc.integer({ min: 1, max: 12 }),
    loss: fc.integer({ min: 0, max: 40 }).map((percent) => percent / 100),
    duplication: fc.integer({ min: 0, max: 30 }).map((percent) => percent / 100),
    seed: fc.nat(),
  })
  await fc.assert(
    fc.asyncProperty(cases, async (each) => void (await live(each))),
    { numRuns: 25, seed: 20_261_122 },
  )
})

test('the same holds for 1000 clients at once, and everything that can go wrong has', async () => {
  const counters = await live({ clients: 1000, messages: 6, loss: 0.2, duplication: 0.1, seed: 7 })
  for (const name of ['rebound', 'retransmitted', 'duplicate', 'unknown-sender', 'awake-unanswered', 'unmatched-answer']) {
    assert.ok((counters.get(name) ?? 0) > 0, `${name} happened`)
  }
})
