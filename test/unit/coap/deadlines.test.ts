/** Many deadlines on one timer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Deadlines, type DeadlineTimer, type Timed } from '#stacks/coap/deadlines'

class FakeTimer implements DeadlineTimer {
  time = 0
  due = Number.POSITIVE_INFINITY
  now(): number {
    return this.time
  }
  arm(delayMs: number): void {
    this.due = this.time + delayMs
  }
  disarm(): void {
    this.due = Number.POSITIVE_INFINITY
  }
}

class Item implements Timed {
  dueAt = 0
  heapIndex = -1
  readonly fired: number[] = []
  onDeadline(now: number): void {
    this.fired.push(now)
  }
}

function run(timer: FakeTimer, deadlines: Deadlines, until: number): void {
  while (timer.due <= until) {
    timer.time = timer.due
    timer.due = Number.POSITIVE_INFINITY
    deadlines.run()
  }
  timer.time = until
}

test('every deadline passes once, at its time, whatever is set, moved and cleared', () => {
  const step = fc.record({ item: fc.nat(9), delay: fc.integer({ min: 1, max: 50 }), clear: fc.boolean(), wait: fc.nat(20) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const timer = new FakeTimer()
      const deadlines = new Deadlines(timer)
      const items = Array.from({ length: 10 }, () => new Item())
      const expected = items.map(() => [] as number[])
      const due = items.map(() => Number.POSITIVE_INFINITY)
      const pass = (until: number) => {
        for (const [i, at] of due.entries()) {
          if (at > until) continue
          expected[i]?.push(at)
          due[i] = Number.POSITIVE_INFINITY
        }
        run(timer, deadlines, until)
      }
      for (const { item, delay, clear, wait } of steps) {
        const it = items[item] as Item
        if (clear) deadlines.clear(it)
        else deadlines.set(it, timer.time + delay)
        due[item] = clear ? Number.POSITIVE_INFINITY : timer.time + delay
        pass(timer.time + wait)
      }
      pass(timer.time + 100)
      assert.deepEqual(
        items.map(({ fired }) => fired),
        expected,
      )
      assert.deepEqual([deadlines.size, timer.due], [0, Number.POSITIVE_INFINITY])
    }),
  )
})

test('an item that sets itself again does not run twice in one turn', () => {
  const timer = new FakeTimer()
  const deadlines = new Deadlines(timer)
  const item = new Item()
  item.onDeadline = (now) => {
    item.fired.push(now)
    deadlines.set(item, now)
  }
  deadlines.set(item, 5)
  timer.time = 5
  deadlines.run()
  assert.deepEqual(item.fired, [5])
  assert.equal(timer.due, 6)
})
