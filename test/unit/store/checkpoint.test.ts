/** The log is cleaned while sessions live on, and a process may end at any step of it. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { World } from '../../../src/testing.ts'

const KEPT = { cleanStart: false, expiryMs: 3_600_000 } as const
const SESSIONS = 6
const PAYLOAD = '.'.repeat(64 * 1024)
/** What fills more than one segment and is dead at once. */
const DEAD = 400

function bytesUnder(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
}

/** Texts that wait for each session, without their padding, and what is retained. */
function contentOf({ core }: World): Record<string, string[]> {
  const content: Record<string, string[]> = {}
  for (const { id, number, queue } of core.clients()) {
    if (number === 0) continue
    const waiting: string[] = []
    queue?.each(({ message }) => waiting.push(Buffer.from(message.payload).toString().replaceAll('.', '')))
    content[id] = waiting
  }
  const retained = core.retainedStore.all(() => 0)
  for (let next = retained.next(); !next.done; next = retained.next()) {
    content[next.value.topic] = [Buffer.from(next.value.payload).toString()]
  }
  return content
}

test('a process may end at any step of a cleaning, and the log shrinks when one comes to its end', (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'omnigate-checkpoint-'))
  const started: World[] = []
  const start = (): World => {
    started.at(-1)?.close()
    started.push(new World({ dataDir }))
    return started.at(-1) as World
  }
  t.after(() => {
    started.at(-1)?.close()
    rmSync(dataDir, { recursive: true })
  })

  let world = start()
  const worker = world.app('worker', KEPT)
  worker.subscribe('dead', { qos: 1 })
  for (let session = 0; session < SESSIONS; session++) {
    const app = world.app(`session-${session}`, KEPT)
    app.subscribe('all', { qos: 1 })
    app.subscribe(`own/${session}`, { qos: 1 })
    app.disconnect()
  }
  world.app('publisher').publish('retained/old', 'old', { retain: true })
  let count = 0
  const publish = (): void => {
    const publisher = world.app('publisher')
    publisher.publish('all', `${count++}${PAYLOAD}`, { qos: 1 })
    publisher.publish(`own/${count % SESSIONS}`, `${count++}${PAYLOAD}`, { qos: 1 })
    publisher.publish(`retained/${count % 5}`, `${count++}`, { retain: true })
  }
  for (let index = 0; index < DEAD; index++) {
    if (index % 50 === 0) publish()
    world.app('publisher').publish('dead', PAYLOAD, { qos: 1 })
    worker.take()
    if (index % 50 === 0) world.store?.gate.open()
  }
  worker.disconnect()
  const store = join(dataDir, 'store')
  world.store?.gate.open()
  const full = bytesUnder(store)
  assert.ok(full > DEAD * PAYLOAD.length)

  for (let steps = 1, isCleaning = true; isCleaning; steps *= 2) {
    for (let step = 0; step < steps && isCleaning; step++) {
      isCleaning = world.store?.clean() ?? false
      if (step % 3 === 1) publish()
      if (step % 5 === 2) {
        const app = world.app(`session-${step % SESSIONS}`, KEPT)
        app.take()
        app.disconnect()
      }
    }
    const kept = contentOf(world)
    world = start()
    assert.deepEqual(contentOf(world), kept, `after ${steps} steps`)
  }
  assert.ok(bytesUnder(store) < full, `${bytesUnder(store)} of ${full}`)
})
