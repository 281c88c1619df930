/** A fan-out is flushed over several turns, and nobody waits for it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { FlushQueue } from '../../../src/transport/flush-queue.ts'

/** A slice is 4 ms, and each flush takes so long. */
const FLUSH_MS = 0.01

/** A queue whose clock moves with each flush alone. */
function queueWithClock() {
  let nowMs = 0
  const queue = new FlushQueue<{ flush(): void }>(() => nowMs)
  const wire = (flushed: () => void, ms = FLUSH_MS) => ({
    flush(): void {
      nowMs += ms
      flushed()
    },
  })
  const pass = (ms: number) => {
    nowMs += ms
  }
  return { queue, wire, pass }
}

test('few wires are flushed in the turn in which they became dirty', async () => {
  const queue = new FlushQueue()
  const flushed: number[] = []
  for (let index = 0; index < 10; index++) queue.add({ flush: () => flushed.push(index) })
  assert.deepEqual(flushed, [])
  await turn()
  assert.deepEqual(flushed, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('ten thousand wires take several turns, each once and in order, and what comes later does not wait for them', async () => {
  const { queue, wire } = queueWithClock()
  const total = 10_000
  const flushed: number[] = []
  for (let index = 0; index < total; index++) queue.add(wire(() => flushed.push(index)))
  let answered = 0
  let turns = 0
  let before = 0
  while (flushed.length < total) {
    queue.add(wire(() => answered++))
    await turn()
    turns++
    // The first turn has the whole fan-out before the answer.
    if (turns > 2) assert.ok(answered >= turns - 1, `${answered} answers in ${turns} turns`)
    assert.ok(flushed.length - before <= 900, 'two slices, and a stride')
    before = flushed.length
    assert.ok(turns < total)
  }
  assert.ok(turns >= 11)
  assert.deepEqual(
    flushed,
    Array.from({ length: total }, (_, index) => index),
  )
})

test('a wire that is dirty again after its flush is flushed again, also within an unending fan-out', async () => {
  const queue = new FlushQueue()
  const counts = new Array<number>(3000).fill(0)
  const wires = counts.map((_, index) => ({
    flush(): void {
      counts[index] = (counts[index] ?? 0) + 1
      if ((counts[index] ?? 0) < 5) queue.add(this)
    },
  }))
  for (const wire of wires) queue.add(wire)
  for (let turns = 0; turns < 100 && counts.some((count) => count < 5); turns++) await turn()
  await turn()
  assert.deepEqual(new Set(counts), new Set([5]))
})

test('in a hurry all are flushed in one turn, those too that waited from earlier ones', async () => {
  const { queue, wire } = queueWithClock()
  let flushed = 0
  for (let index = 0; index < 5000; index++) queue.add(wire(() => flushed++))
  await turn()
  assert.ok(flushed < 5000)
  const hurried = wire(() => {
    flushed++
    queue.hurry()
  })
  queue.add(hurried)
  for (let index = 0; index < 5000; index++) queue.add(wire(() => flushed++))
  await turn()
  assert.equal(flushed, 10_001)
  for (let index = 0; index < 5000; index++) queue.add(wire(() => flushed++))
  await turn()
  assert.ok(flushed < 15_001, 'the hurry ends with its turn')
})

test('where each flush is slow, a turn still makes headway', async () => {
  const { queue, wire } = queueWithClock()
  let flushed = 0
  for (let index = 0; index < 320; index++) queue.add(wire(() => flushed++, 100))
  let turns = 0
  for (; flushed < 320 && turns < 100; turns++) await turn()
  assert.equal(turns, 40, 'a stride of 8 each')
})

test('what an event of a long turn made dirty does not wait for the end of the turn', async () => {
  const { queue, wire, pass } = queueWithClock()
  let flushed = 0
  queue.add(wire(() => flushed++))
  queue.relieve()
  assert.equal(flushed, 0, 'a short turn is written at its end')
  pass(4)
  queue.relieve()
  assert.equal(flushed, 1)
  queue.add(wire(() => flushed++))
  queue.relieve()
  assert.equal(flushed, 1, 'counted anew')
  await turn()
  assert.equal(flushed, 2)
  queue.relieve()
  await turn()
  assert.equal(flushed, 2)
})

test('an answer goes before a fan-out of the same turn, and before one that is still under way', async () => {
  const { queue, wire } = queueWithClock()
  let copies = 0
  let answers = 0
  for (let index = 0; index < 5000; index++) queue.add(wire(() => copies++))
  queue.add(
    wire(() => answers++),
    true,
  )
  await turn()
  assert.equal(answers, 1)
  assert.ok(copies < 5000)
  for (let index = 0; index < 1000; index++)
    queue.add(
      wire(() => answers++),
      true,
    )
  for (let turns = 0; answers < 1001; turns++) {
    const before = copies
    await turn()
    assert.ok(copies > before, 'the fan-out goes on beside very many answers')
    assert.ok(turns < 10)
  }
  for (let index = 0; index < 1000; index++)
    queue.add(
      wire(() => answers++),
      true,
    )
  queue.add(wire(() => queue.hurry()))
  await turn()
  assert.deepEqual([copies, answers], [5000, 2001], 'in a hurry all of them')
})
