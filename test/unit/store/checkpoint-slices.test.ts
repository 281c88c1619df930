/** A cleaning does not stop at a client until all of its queue is recorded, and the client need not wait for it either. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { DeliveryRecord } from '../../../src/broker/delivery.ts'
import { type AppClient, World } from '../../../src/testing.ts'

const QUEUED = 100_000
const LIMITS = { maxQueued: 2 * QUEUED, maxQueuedBytes: 1024 ** 3, maxInflight: 10 }
const KEPT = { cleanStart: false, expiryMs: 3_600_000, autoAck: false, limits: LIMITS } as const
/** What one step may record, and a little for what the test itself does in between. */
const STEP_BYTES = 256 * 1024
/** More than a step records, so that some are over before their turn comes. */
const ACKNOWLEDGED = 5000
/** A step at which the second session is being recorded. */
const ENDING = 25

function textOf({ message }: Pick<DeliveryRecord, 'message'>): string {
  return Buffer.from(message.payload).toString()
}

/** What the session still has to get, in order. */
function owed(world: World, id: string): string[] {
  const client = world.core.client(id)
  const texts = client?.inflight?.inOrder().map(textOf) ?? []
  client?.queue?.each((record) => texts.push(textOf(record)))
  return texts
}

/** Acknowledges `count`, and says which. The window opens for others with each. */
function acknowledge(app: AppClient, count: number): string[] {
  const done: string[] = []
  while (done.length < count) {
    const arrived = app.take()
    if (arrived.length === 0) break
    for (const { delivery, text } of arrived) {
      assert.ok(app.ack(delivery.id))
      done.push(text)
    }
  }
  return done
}

test('a long queue is recorded over many steps, while its client goes on and another session ends', (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'omnigate-checkpoint-'))
  let world = new World({ dataDir })
  t.after(() => {
    world.close()
    rmSync(dataDir, { recursive: true })
  })
  const publisher = world.app('publisher')
  const long = world.app('long', KEPT)
  long.subscribe('all', { qos: 1 })
  const ending = world.app('ending', KEPT)
  ending.subscribe('all', { qos: 1 })
  const unacknowledged = new Set<string>()
  let published = 0
  const publish = (): void => {
    unacknowledged.add(String(published))
    publisher.publish('all', String(published++), { qos: 1 })
  }
  while (published < QUEUED) publish()
  world.store?.gate.open()

  let steps = 0
  let bytes = world.store?.status.bytes ?? 0
  while (world.store?.clean() === true) {
    steps++
    const now = world.store.status.bytes
    assert.ok(now - bytes < STEP_BYTES, `${now - bytes} octets in step ${steps}`)
    for (const text of acknowledge(long, ACKNOWLEDGED)) unacknowledged.delete(text)
    publish()
    if (steps === ENDING) world.core.kick('ending')
    world.store.gate.open()
    bytes = world.store.status.bytes
  }
  assert.ok(steps >= ENDING, `${steps} steps`)
  assert.ok(unacknowledged.size > 0 && unacknowledged.size < published)

  world.close()
  world = new World({ dataDir })
  assert.deepEqual(owed(world, 'long'), [...unacknowledged])
  assert.equal(world.core.client('ending'), undefined)
})
