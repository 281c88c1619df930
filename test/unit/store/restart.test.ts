/** What sessions find again after a restart, statement by statement, and whatever the order of what happened before. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { Message } from '../../../src/sdk.ts'
import { AppClient, appPort } from '../../../src/testing/app-client.ts'
import { World, type WorldOptions } from '../../../src/testing.ts'

const HOUR_MS = 3_600_000

/** Worlds one after the other on one directory. */
class History {
  readonly #dataDir = mkdtempSync(join(tmpdir(), 'omnigate-restart-'))
  #world: World | undefined = undefined

  constructor(t?: TestContext) {
    t?.after(() => this.end())
  }

  /** The next process; the one before ends. */
  start(options: WorldOptions = {}): World {
    this.#world?.close()
    this.#world = new World({ ...options, dataDir: this.#dataDir })
    return this.#world
  }

  end(): void {
    this.#world?.close()
    rmSync(this.#dataDir, { recursive: true })
  }
}

const KEPT = { cleanStart: false, expiryMs: HOUR_MS } as const
const texts = (received: readonly { text: string }[]): string[] => received.map(({ text }) => text)

test('a session, its subscriptions and its queue are there after a restart', (t) => {
  const history = new History(t)
  const before = history.start()
  const app = before.app('app', KEPT)
  app.subscribe('t/#', { qos: 1, id: 7 })
  app.subscribe('gone', { qos: 1 })
  app.unsubscribe('gone')
  app.disconnect()
  before.app('publisher').publish('t/1', 'one', {
    qos: 1,
    properties: { contentType: 'text/plain', correlationData: Uint8Array.of(1, 2), userProperties: [['a', 'ä']] },
  })

  const after = history.start()
  const again = after.app('app', KEPT)
  assert.equal(again.sessionPresent, true)
  const [received] = again.take()
  assert.equal(received?.text, 'one')
  assert.deepEqual(received?.delivery.subscriptionIds, [7])
  assert.deepEqual(received?.message.properties, {
    contentType: 'text/plain',
    correlationData: Uint8Array.of(1, 2),
    userProperties: [['a', 'ä']],
  })
  const publisher = after.app('publisher')
  publisher.publish('t/2', 'two', { qos: 1 })
  publisher.publish('gone', 'not this', { qos: 1 })
  assert.deepEqual(texts(again.take()), ['two'])

  assert.deepEqual(texts(history.start().app('app', KEPT).take()), [], 'what was acknowledged does not come again')
})

test('what was sent and not acknowledged comes again under its identifier', (t) => {
  const history = new History(t)
  const before = history.start()
  const app = before.app('app', { ...KEPT, autoAck: false })
  app.subscribe('t', { qos: 2 })
  const publisher = before.app('publisher')
  for (const text of ['a', 'b', 'c']) publisher.publish('t', text, { qos: 2 })
  const [a, b, c] = app.take().map(({ delivery }) => delivery.id)
  assert.ok(a !== undefined && b !== undefined && c !== undefined)
  before.core.received(app.client, a)
  before.core.ack(app.client, a)
  before.core.received(app.client, b)

  const after = history.start()
  const received = after.app('app', { ...KEPT, autoAck: false }).take()
  assert.deepEqual(
    received.map(({ text, delivery: { id, dup, released } }) => ({ text, id, dup, released })),
    [
      { text: 'b', id: b, dup: true, released: true },
      { text: 'c', id: c, dup: true, released: false },
    ],
  )
})

test('QoS 0, live-only deliveries and sessions that end with their connection are not stored', (t) => {
  const history = new History(t)
  const before = history.start()
  const kept = before.app('kept', { ...KEPT, autoAck: false })
  kept.subscribe('t', { qos: 1 })
  kept.subscribe('live', { qos: 1, liveOnly: true })
  const brief = before.app('brief', { autoAck: false })
  brief.subscribe('t', { qos: 1 })
  const publisher = before.app('publisher')
  publisher.publish('t', 'zero', { qos: 0 })
  publisher.publish('live', 'live', { qos: 1 })

  const after = history.start()
  assert.equal(after.core.client('brief'), undefined)
  assert.deepEqual(after.app('kept', KEPT).take(), [])
})

test('retained messages, their replacement, removal and expiry', (t) => {
  const history = new History(t)
  const before = history.start()
  const publisher = before.app('publisher')
  const retain = true
  publisher.publish('a', 'old', { retain })
  publisher.publish('a', 'new', { retain })
  publisher.publish('b', 'gone', { retain })
  publisher.publish('b', '', { retain })
  publisher.publish('$c', 'dollar', { retain })
  publisher.publish('d', 'soon', { retain, expiresAt: before.now() + 1000 })

  const after = history.start({ elapsedMs: 2000 })
  const app = after.app('app')
  app.subscribe('#')
  app.subscribe('$c')
  assert.deepEqual(texts(app.take().filter(({ topic }) => !topic.startsWith('devices/'))), ['new', 'dollar'])
  assert.equal(after.core.retainedStore.size, 2)
})

test('retained messages that a new subscription had not got yet come after a restart, and only then', (t) => {
  const history = new History(t)
  const total = 50
  const options = { ...KEPT, autoAck: false, receiveMaximum: 4 }
  const takeAll = (world: World, app: AppClient): Set<string> => {
    const topics = new Set<string>()
    for (let received = app.take(); received.length > 0; received = app.take()) {
      for (const { topic, delivery } of received) {
        topics.add(topic)
        app.ack(delivery.id)
      }
      world.settle()
    }
    return topics
  }
  const first = history.start()
  const publisher = first.app('publisher')
  for (let i = 0; i < total; i++) publisher.publish(`many/${i}`, 'x', { qos: 1, retain: true })
  const app = first.app('app', options)
  app.subscribe('many/+', { qos: 1, id: 3 })
  assert.equal(app.take().length, 4)

  const second = history.start()
  const again = second.app('app', options)
  assert.equal(takeAll(second, again).size, total)

  const third = history.start()
  assert.equal(takeAll(third, third.app('app', options)).size, 0, 'the replay is over')
  third.app('publisher').publish('many/new', 'x', { qos: 1 })
  assert.deepEqual(
    [...third.core.clients()].flatMap((client) => client.allSubscriptions().map(({ filter, qos, ids }) => [filter, qos, ids])),
    [['many/+', 1, [3]]],
  )
})

test('a session expires by the time of its disconnection, or of the restart if it was connected', (t) => {
  const history = new History(t)
  const before = history.start()
  before.app('left', { ...KEPT, expiryMs: 10_000 }).disconnect()
  before.app('stayed', { ...KEPT, expiryMs: 10_000 })
  before.app('forever', { ...KEPT, expiryMs: Number.POSITIVE_INFINITY })
  const after = history.start({ elapsedMs: 8000 })
  after.advance(3000)
  assert.equal(after.core.client('left'), undefined)
  assert.notEqual(after.core.client('stayed'), undefined)
  after.advance(8000)
  assert.equal(after.core.client('stayed'), undefined)
  const last = history.start({ elapsedMs: 1_000_000_000 })
  assert.deepEqual(
    [...last.core.clients()].map(({ id }) => id),
    ['forever'],
  )
})

test('the will of a client that was connected is published after the restart, once', (t) => {
  const history = new History(t)
  const before = history.start()
  const port = appPort(before.core)
  const will = { message: new Message('will', Buffer.from('lost'), 1, true), delayMs: 500 }
  const request = { clientId: 'device', protocol: 'app', cleanStart: false, expiryMs: HOUR_MS, keepAliveMs: 0, will }
  assert.equal(before.core.attach(port, {}, request).outcome.ok, true)

  const after = history.start({ elapsedMs: 1000 })
  const app = after.app('app')
  app.subscribe('will', { qos: 1 })
  after.advance(400)
  assert.deepEqual(app.take(), [])
  after.advance(200)
  assert.deepEqual(texts(app.take()), ['lost'])

  const last = history.start({ elapsedMs: 2000 })
  const late = last.app('late')
  late.subscribe('will')
  last.advance(10_000)
  assert.deepEqual(texts(late.take()), ['lost'], 'only as the retained message')
})

test('values that a gateway remembers come back, and go with the session', (t) => {
  const history = new History(t)
  const before = history.start()
  const { client } = before.app('app', KEPT)
  for (let i = 0; i < 20; i++) before.core.remember(client, `k${i}`, `v${i}`)
  before.core.remember(client, 'k3', undefined)
  before.core.remember(client, 'k4', 'new')
  const { client: again } = history.start().app('app', KEPT)
  const memory = new Map(again.memory?.entries())
  assert.equal(memory.size, 19)
  assert.equal(memory.get('k3'), undefined)
  assert.equal(memory.get('k4'), 'new')
  const clean = history.start().app('app', { ...KEPT, cleanStart: true })
  assert.equal(clean.sessionPresent, false)
  assert.equal(history.start().app('app', KEPT).client.memory, undefined)
})

test('one client may be reached by a subscription of its own and by a shared one, with one message each', (t) => {
  const history = new History(t)
  const app = history.start().app('app', KEPT)
  app.subscribe('t', { qos: 1 })
  app.subscribe('$share/g/t', { qos: 1 })
  app.disconnect()
  const between = history.start()
  between.app('publisher').publish('t', 'both', { qos: 1 })
  assert.deepEqual(texts(history.start().app('app', KEPT).take()), ['both', 'both'])
})

test('a delayed message is published when its time has come, once, whatever ended in between', (t) => {
  const history = new History(t)
  const before = history.start()
  const app = before.app('app', KEPT)
  app.subscribe('a', { qos: 1 })
  app.subscribe('b', { qos: 1 })
  app.disconnect()
  before.app('publisher').publish('$delayed/10/a', 'early', { qos: 1 })
  before.app('other').publish('$delayed/100/b', 'late', { qos: 1 })
  const between = history.start({ elapsedMs: 5000 })
  between.advance(6000)
  while (between.store?.clean());
  const after = history.start({ elapsedMs: 11_000 })
  assert.deepEqual(texts(after.app('app', KEPT).take()), ['early'])
  const last = history.start({ elapsedMs: 500_000 })
  last.advance(1000)
  assert.deepEqual(texts(last.app('app', KEPT).take()), ['late'])
  assert.equal(history.start({ elapsedMs: 600_000 }).core.delayed.size, 0)
})

interface Step {
  readonly kind: number
  readonly client: number
  readonly topic: number
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
}

/** Everything that a session keeps, as data to compare. */
function snapshot({ core }: World): unknown {
  const sessions = [...core.clients()]
    .filter(({ number }) => number !== 0)
    .map((client) => {
      const deliveries: unknown[] = []
      const add = (inflight: boolean) => (record: { id: number; qos: number; released: boolean; message: Message }) => {
        const { id, qos, released, message } = record
        if (qos > 0) deliveries.push([inflight ? id : 0, qos, released, message.topic, Buffer.from(message.payload).toString()])
      }
      client.inflight?.inOrder().forEach(add(true))
      client.queue?.each(add(false))
      const filters = client.allSubscriptions().map(({ filter, qos }) => `${filter} ${qos}`)
      return [client.id, filters.sort(), [...(client.memory?.entries() ?? [])].sort(), deliveries]
    })
  const all = core.retainedStore.all(() => 0)
  const retained: string[] = []
  for (let next = all.next(); !next.done; next = all.next()) {
    retained.push(`${next.value.topic} ${Buffer.from(next.value.payload).toString()}`)
  }
  return { sessions: sessions.sort(), retained: retained.sort() }
}

function take(world: World, apps: Map<number, AppClient>, step: Step, index: number): void {
  const { client, topic, qos, retain } = step
  const app = apps.get(client)
  switch (step.kind) {
    case 0:
      apps.set(client, new AppClient(world.core, `c${client}`, { ...KEPT, autoAck: false, receiveMaximum: 3 }))
      return
    case 1:
      app?.disconnect()
      apps.delete(client)
      return
    case 2:
      app?.subscribe(topic === 0 ? 't/#' : topic === 1 ? '$share/g/t/1' : `t/${topic}`, { qos })
      return
    case 3:
      app?.unsubscribe(topic === 0 ? 't/#' : `t/${topic}`)
      return
    case 4: {
      const [first] = app?.client.inflight?.inOrder() ?? []
      if (first === undefined || app === undefined) return
      if (first.qos === 2 && !first.released) world.core.received(app.client, first.id)
      else world.core.ack(app.client, first.id)
      return
    }
    case 5:
      if (app !== undefined) world.core.remember(app.client, `k${topic}`, retain ? `v${index}` : undefined)
      return
    default:
      world.core.publish(new Message(`t/${topic}`, Buffer.from(retain && topic === 2 ? '' : `m${index}`), qos, retain))
  }
}

test('whatever happened before, a restart changes nothing, also with the log cleaned in between', () => {
  const step: fc.Arbitrary<Step> = fc.record({
    kind: fc.integer({ min: 0, max: 9 }),
    client: fc.integer({ min: 0, max: 2 }),
    topic: fc.integer({ min: 0, max: 3 }),
    qos: fc.constantFrom(0, 1, 2),
    retain: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { minLength: 60, maxLength: 160 }), fc.integer({ min: 20, max: 80 }), (steps, restartAt) => {
      const history = new History()
      try {
        let world = history.start()
        let apps = new Map<number, AppClient>()
        for (const [index, one] of steps.entries()) {
          take(world, apps, one, index)
          if (index === restartAt) {
            for (const app of apps.values()) app.disconnect()
            const kept = snapshot(world)
            world = history.start()
            apps = new Map()
            assert.deepEqual(snapshot(world), kept)
          }
          if (index === restartAt + 20) while (world.store?.clean());
        }
        for (const app of apps.values()) app.disconnect()
        const kept = snapshot(world)
        assert.deepEqual(snapshot(history.start()), kept)
      } finally {
        history.end()
      }
    }),
    { numRuns: 200 },
  )
})
