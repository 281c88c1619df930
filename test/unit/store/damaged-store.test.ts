/** One changed bit anywhere in what is stored costs one message, one subscription or one retained message at most. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { World } from '../../../src/testing.ts'

const KEPT = { cleanStart: false, expiryMs: 3_600_000 } as const
const SESSIONS = ['left', 'stayed', 'partner']

/** Everything that is kept, one line each. */
function contentOf({ core }: World): Set<string> {
  const content = new Set<string>()
  for (const { id, number, queue, inflight, memory } of core.clients()) {
    if (number === 0) continue
    content.add(`session ${id}`)
    for (const { message } of inflight?.inOrder() ?? []) content.add(`message ${Buffer.from(message.payload)} for ${id}`)
    queue?.each(({ message }) => content.add(`message ${Buffer.from(message.payload)} for ${id}`))
    for (const [key] of memory?.entries() ?? []) content.add(`memory ${key} of ${id}`)
  }
  for (const id of SESSIONS) {
    for (const { filter } of core.client(id)?.allSubscriptions() ?? []) content.add(`subscription ${filter} of ${id}`)
  }
  const retained = core.retainedStore.all(() => 0)
  for (let next = retained.next(); !next.done; next = retained.next()) content.add(`retained ${next.value.topic}`)
  return content
}

function fill(world: World): void {
  const left = world.app('left', KEPT)
  left.subscribe('own', { qos: 1 })
  left.subscribe('all', { qos: 2 })
  left.disconnect()
  const stayed = world.app('stayed', { ...KEPT, autoAck: false })
  stayed.subscribe('all', { qos: 1 })
  const partner = world.app('partner', KEPT)
  partner.subscribe('$share/group/shared', { qos: 1 })
  partner.disconnect()
  world.core.remember(stayed.client, 'key', 'value')
  const publisher = world.app('publisher')
  for (let count = 0; count < 3; count++) {
    publisher.publish('own', `own-${count}`, { qos: 1 })
    publisher.publish('all', `all-${count}`, { qos: 2 })
    publisher.publish('shared', `shared-${count}`, { qos: 1 })
    publisher.publish(`retained/${count}`, 'kept', { retain: true })
  }
}

test('one changed bit anywhere costs one thing, and is reported', (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'omnigate-damaged-'))
  t.after(() => rmSync(dataDir, { recursive: true }))
  let world = new World({ dataDir })
  fill(world)
  const whole = contentOf(world)
  assert.equal(whole.size, 3 + 4 + 1 + 3 * 4 + 3)
  world.close()
  const [name] = readdirSync(join(dataDir, 'store'))
  const path = join(dataDir, 'store', name as string)
  const bytes = readFileSync(path)
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] as number) ^ (1 << (at & 7))
    writeFileSync(path, changed)
    world = new World({ dataDir })
    const found = contentOf(world)
    assert.equal(world.store?.recovery.damages.length, 1, `octet ${at}`)
    world.close()
    // A message for several sessions is stored once.
    const lost = new Set([...whole].filter((thing) => !found.has(thing)).map((thing) => thing.replace(/ for .*/, '')))
    assert.ok(lost.size <= 1, `octet ${at}: ${[...lost].join(', ')}`)
  }
})
