/** Which events hold output back until they are stored: those that an answer promises, and no others. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { World } from '../../../src/testing.ts'

const KEPT = { cleanStart: false, expiryMs: 3_600_000 } as const

interface Bench {
  readonly world: World
  /** Whether output waits after `event`; then it is stored. */
  holds(event: () => unknown): boolean
}

function bench(t: TestContext): Bench {
  const dataDir = mkdtempSync(join(tmpdir(), 'omnigate-write-ahead-'))
  const world = new World({ dataDir })
  t.after(() => {
    world.close()
    rmSync(dataDir, { recursive: true })
  })
  const { store } = world
  assert.ok(store !== undefined)
  return {
    world,
    holds(event) {
      event()
      const isClosed = store.gate.closed
      assert.equal(store.gate.open(), true)
      return isClosed
    },
  }
}

test('CONNACK, SUBACK and UNSUBACK of a session that is kept wait', (t) => {
  const { world, holds } = bench(t)
  assert.equal(
    holds(() => world.app('kept', KEPT)),
    true,
  )
  const app = world.app('kept', KEPT)
  assert.equal(
    holds(() => app.subscribe('t', { qos: 1 })),
    true,
  )
  assert.equal(
    holds(() => app.unsubscribe('t')),
    true,
  )
  assert.equal(
    holds(() => world.core.remember(app.client, 'key', 'value')),
    true,
  )
})

test('the acknowledgement of a message waits if a session that is kept gets it, or if it is retained', (t) => {
  const { world, holds } = bench(t)
  const publisher = world.app('publisher')
  const kept = world.app('kept', { ...KEPT, autoAck: false })
  kept.subscribe('kept/#', { qos: 2 })
  kept.disconnect()
  const brief = world.app('brief')
  brief.subscribe('brief', { qos: 2 })
  const published = (topic: string, qos: 0 | 1 | 2, retain = false): boolean =>
    holds(() => publisher.publish(topic, 'text', { qos, retain }))
  world.store?.gate.open()
  assert.deepEqual([published('kept/1', 1), published('kept/2', 2), published('other', 1, true)], [true, true, true])
  assert.deepEqual(
    [published('kept/0', 0), published('brief', 1), published('brief', 2), published('nobody', 1)],
    [false, false, false, false],
  )
})

test('PUBREL waits for what PUBREC said; what PUBACK and PUBCOMP said holds nothing back', (t) => {
  const { world, holds } = bench(t)
  const kept = world.app('kept', { ...KEPT, autoAck: false })
  kept.subscribe('t', { qos: 2 })
  const publisher = world.app('publisher')
  publisher.publish('t', 'one', { qos: 1 })
  publisher.publish('t', 'two', { qos: 2 })
  world.store?.gate.open()
  const [one, two] = kept.take().map(({ delivery }) => delivery.id)
  assert.ok(one !== undefined && two !== undefined)
  assert.equal(
    holds(() => world.core.ack(kept.client, one)),
    false,
  )
  assert.equal(
    holds(() => world.core.received(kept.client, two)),
    true,
  )
  assert.equal(
    holds(() => world.core.ack(kept.client, two)),
    false,
  )
})

test('a session that ends with its connection holds nothing back', (t) => {
  const { world, holds } = bench(t)
  const app = world.app('brief')
  assert.equal(
    holds(() => world.app('other')),
    false,
  )
  assert.equal(
    holds(() => app.subscribe('t', { qos: 2 })),
    false,
  )
  assert.equal(
    holds(() => app.unsubscribe('t')),
    false,
  )
})
