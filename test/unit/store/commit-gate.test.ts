/** Nothing leaves before what it depends on is stored. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { CommitGate, type Output } from '../../../src/store/commit-gate.ts'
import { StoreError } from '../../../src/store/log.ts'

/** A disk that may refuse. */
class Disk {
  pending = 0
  isFull = false
  commits = 0

  commit(): void {
    if (this.isFull) throw new StoreError('full', '/data', 'no space', 'free some')
    this.pending = 0
    this.commits++
  }
}

interface Bench {
  readonly disk: Disk
  readonly gate: CommitGate
  readonly events: string[]
  /** Something is recorded that output depends on, or not. */
  record(isAwaited?: boolean): void
}

function bench(t: TestContext): Bench {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const disk = new Disk()
  const events: string[] = []
  const gate = new CommitGate(disk, {
    failed: ({ code }) => events.push(`failed: ${code}`),
    recovered: () => events.push('recovered'),
    committed: () => events.push('committed'),
  })
  t.after(() => gate.stop())
  const record = (isAwaited = true): void => {
    disk.pending += 10
    if (isAwaited) gate.close()
    else gate.touch()
  }
  return { disk, gate, events, record }
}

/** Says whether it might leave, and how much was not stored then. */
function output({ gate, disk }: Bench): Output & { readonly sent: string[] } {
  const sent: string[] = []
  return { sent, flush: () => void sent.push(`${gate.open() ? 'sent' : 'cut'} with ${disk.pending} pending`) }
}

test('output that waits leaves at the end of the turn, after one commit of all that was recorded', async (t) => {
  const world = bench(t)
  const waiting = output(world)
  world.record()
  world.record()
  assert.equal(world.gate.closed, true)
  world.gate.postpone(waiting)
  assert.deepEqual(waiting.sent, [])
  await turn()
  assert.deepEqual(waiting.sent, ['sent with 0 pending'])
  assert.equal(world.disk.commits, 1)
  assert.equal(world.gate.closed, false)
})

test('whoever asks first has it stored', (t) => {
  const { disk, gate, record } = bench(t)
  assert.equal(gate.open(), true)
  assert.equal(disk.commits, 0)
  record()
  assert.equal(gate.open(), true)
  assert.deepEqual([disk.commits, disk.pending, gate.closed], [1, 0, false])
})

test('what nothing depends on is stored at the end of the turn, and holds nothing back', async (t) => {
  const { disk, gate, record } = bench(t)
  record(false)
  assert.equal(gate.closed, false)
  await turn()
  assert.equal(disk.pending, 0)
})

test('a commit that fails cuts all that waits in this turn, and is told once', async (t) => {
  const world = bench(t)
  const { disk, gate, events, record } = world
  disk.isFull = true
  const waiting = [output(world), output(world)]
  record()
  for (const one of waiting) gate.postpone(one)
  await turn()
  assert.deepEqual(
    waiting.flatMap(({ sent }) => sent),
    ['cut with 10 pending', 'cut with 10 pending'],
  )
  assert.deepEqual([gate.ready, gate.failures, ...events], [false, 1, 'failed: full'])
  await turn()
  await turn()
  assert.equal(gate.closed, false, 'later output does not depend on it: its peers were cut')
  record()
  assert.equal(gate.open(), false)
  assert.equal(gate.failures, 1, 'the disk is left alone')
})

test('what is recorded after a failure is refused as well, and then no more', async (t) => {
  const world = bench(t)
  const { disk, gate, record } = world
  disk.isFull = true
  record()
  assert.equal(gate.open(), false)
  record()
  const waiting = output(world)
  gate.postpone(waiting)
  for (let turns = 0; turns < 6; turns++) await turn()
  assert.deepEqual(waiting.sent, ['cut with 20 pending'])
  assert.equal(gate.closed, false)
})

test('a disk that failed is tried every second, and output leaves again when it writes', async (t) => {
  const { disk, gate, events, record } = bench(t)
  disk.isFull = true
  record()
  gate.open()
  await turn()
  await turn()
  t.mock.timers.tick(1000)
  assert.deepEqual([gate.ready, gate.failures], [false, 2])
  disk.isFull = false
  t.mock.timers.tick(1000)
  assert.deepEqual([gate.ready, disk.pending], [true, 0])
  assert.deepEqual(events, ['failed: full', 'recovered', 'committed'])
  record()
  assert.equal(gate.open(), true)
})

test('a gate that stops has stored what it can', (t) => {
  const { disk, gate, record } = bench(t)
  record()
  gate.stop()
  assert.equal(disk.pending, 0)
})
