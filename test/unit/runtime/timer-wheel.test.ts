/** The timer wheel against a model that keeps a plain list, on virtual time. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import fc from 'fast-check'
import { Ticker } from '../../../src/runtime/ticker.ts'
import { type TimerOwner, TimerWheel, WheelTimer } from '../../../src/runtime/timer-wheel.ts'

class Log implements TimerOwner {
  readonly fired: number[] = []
  onWheelTimer(id: number): void {
    this.fired.push(id)
  }
}

describe('timer wheel', () => {
  it('fires when the delay has passed, not before', () => {
    const log = new Log()
    const wheel = new TimerWheel(0, 1)
    wheel.arm(new WheelTimer(log, 7), 100)
    assert.equal(wheel.size, 1)
    assert.equal(wheel.nextDueMs() === undefined, false)
    wheel.advance(99)
    assert.deepEqual(log.fired, [])
    wheel.advance(100)
    assert.deepEqual(log.fired, [7])
    assert.equal(wheel.size, 0)
    assert.equal(wheel.nextDueMs(), undefined)
  })

  it('is at most one tick late, and never early, when ticks are coarse and times are fractions', () => {
    const startMs = 123.456
    for (let delayMs = 0; delayMs < 40; delayMs += 0.7) {
      const log = new Log()
      const wheel = new TimerWheel(startMs, 8)
      wheel.arm(new WheelTimer(log, 1), delayMs)
      let nowMs = startMs
      while (log.fired.length === 0) {
        nowMs += 0.25
        wheel.advance(nowMs)
      }
      assert.ok(nowMs >= startMs + delayMs, `early: ${nowMs}`)
      assert.ok(nowMs <= startMs + delayMs + 8 + 0.25, `late: ${nowMs}`)
    }
  })

  it('fires in due order over all levels in one advance', () => {
    const log = new Log()
    const wheel = new TimerWheel(0, 1)
    const delays = [5, 70, 63, 64, 5000, 4096, 300_000, 262_144, 20_000_000, 2 ** 30, 2 ** 30 + 1, 2 ** 33]
    delays.forEach((delayMs) => {
      wheel.arm(new WheelTimer(log, delayMs), delayMs)
    })
    wheel.advance(2 ** 34)
    assert.deepEqual(
      log.fired,
      delays.toSorted((a, b) => a - b),
    )
  })

  it('keeps a delay of 2^40 ms to the millisecond', () => {
    const log = new Log()
    const wheel = new TimerWheel(0, 1)
    wheel.arm(new WheelTimer(log, 1), 2 ** 40)
    let visits = 0
    for (let next = wheel.nextDueMs(); next !== undefined; next = wheel.nextDueMs()) {
      visits++
      if (next < 2 ** 40) assert.deepEqual(log.fired, [])
      wheel.advance(next)
    }
    assert.deepEqual(log.fired, [1])
    assert.ok(visits < 3000, `${visits} visits`)
  })

  it('treats a delay that is no positive number as now', () => {
    const log = new Log()
    const wheel = new TimerWheel(0, 1)
    wheel.arm(new WheelTimer(log, 1), Number.NaN)
    wheel.arm(new WheelTimer(log, 2), -5)
    wheel.advance(1)
    assert.deepEqual(log.fired, [1, 2])
  })

  it('never fires an infinite delay', () => {
    const log = new Log()
    const wheel = new TimerWheel(0, 1)
    const timer = new WheelTimer(log, 1)
    wheel.arm(timer, Number.POSITIVE_INFINITY)
    wheel.advance(2 ** 41)
    assert.deepEqual(log.fired, [])
    assert.ok(timer.isArmed)
    wheel.disarm(timer)
    assert.equal(wheel.size, 0)
  })

  it('lets a timer re-arm itself, and arm and disarm others, while it fires', () => {
    const wheel = new TimerWheel(0, 1)
    const seen: string[] = []
    let count = 0
    const victim = new WheelTimer({ onWheelTimer: () => seen.push('victim') }, 0)
    const other = new WheelTimer({ onWheelTimer: () => seen.push('other') }, 0)
    const first: WheelTimer = new WheelTimer(
      {
        onWheelTimer() {
          seen.push(`first ${++count}`)
          wheel.disarm(victim)
          if (count === 1) wheel.arm(other, 0)
          if (count < 3) wheel.arm(first, 10)
        },
      },
      0,
    )
    wheel.arm(first, 10)
    wheel.arm(victim, 10) // due in the same tick, after it
    for (let nowMs = 1; nowMs <= 40; nowMs++) wheel.advance(nowMs)
    assert.deepEqual(seen, ['first 1', 'other', 'first 2', 'first 3'])
  })

  it('does not spin on a timer that re-arms itself with no delay', () => {
    const wheel = new TimerWheel(0, 1)
    let count = 0
    const timer: WheelTimer = new WheelTimer(
      {
        onWheelTimer() {
          count++
          wheel.arm(timer, 0)
        },
      },
      0,
    )
    wheel.arm(timer, 0)
    wheel.advance(1)
    assert.equal(count, 1)
    wheel.advance(2)
    assert.equal(count, 2)
  })

  it('counts delays from the clock, when it has one, and not from the last advance', () => {
    let nowMs = 0
    const log = new Log()
    const wheel = new TimerWheel(0, 1, () => nowMs)
    nowMs = 5000
    wheel.arm(new WheelTimer(log, 1), 100)
    wheel.advance(5099)
    assert.deepEqual(log.fired, [])
    wheel.advance(5100)
    assert.deepEqual(log.fired, [1])
  })

  it('tells its driver of a timer that is due before the promised time, and of no other', () => {
    const wheel = new TimerWheel(0, 1)
    const log = new Log()
    let sooner = 0
    wheel.onSooner = () => {
      sooner++
      wheel.nextDueMs()
    }
    wheel.arm(new WheelTimer(log, 1), 50)
    assert.equal(sooner, 1)
    wheel.arm(new WheelTimer(log, 2), 60)
    assert.equal(sooner, 1)
    wheel.arm(new WheelTimer(log, 3), 10)
    assert.equal(sooner, 2)
  })

  it('agrees with a plain list under any sequence of calls', () => {
    const delay = fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 200 }) },
      { weight: 2, arbitrary: fc.integer({ min: 0, max: 300_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 32 }) },
    )
    const step = fc.oneof(
      fc.record({ call: fc.constant('arm' as const), timer: fc.nat(19), ms: delay }),
      fc.record({ call: fc.constant('disarm' as const), timer: fc.nat(19), ms: fc.constant(0) }),
      fc.record({ call: fc.constant('advance' as const), timer: fc.constant(0), ms: delay }),
      fc.record({ call: fc.constant('next' as const), timer: fc.constant(0), ms: fc.constant(0) }),
    )
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.constantFrom(1, 4, 8),
        fc.array(step, { minLength: 1, maxLength: 120 }),
        (startMs, tickMs, steps) => {
          const wheel = new TimerWheel(startMs, tickMs)
          const due = new Map<number, number>() // timer to the tick at which it fires
          let fired: number[] = []
          const owner = { onWheelTimer: (id: number) => void fired.push(id) }
          const timers = Array.from({ length: 20 }, (_, id) => new WheelTimer(owner, id))
          let nowMs = startMs
          let tick = 0
          const advance = (toMs: number) => {
            nowMs = toMs
            wheel.advance(nowMs)
            tick = Math.floor((nowMs - startMs) / tickMs)
            const expected = [...due].filter(([, at]) => at <= tick)
            assert.deepEqual([...fired].sort(), expected.map(([id]) => id).sort())
            const order = fired.map((id) => due.get(id) as number)
            assert.deepEqual(
              order,
              order.toSorted((a, b) => a - b),
              'in due order',
            )
            for (const id of fired) due.delete(id)
            fired = []
          }
          for (const { call, timer, ms } of steps) {
            if (call === 'arm') {
              wheel.arm(timers[timer] as WheelTimer, ms)
              due.set(timer, Math.max(tick + 1, Math.ceil((nowMs + ms - startMs) / tickMs)))
            } else if (call === 'disarm') {
              wheel.disarm(timers[timer] as WheelTimer)
              due.delete(timer)
            } else if (call === 'advance') {
              advance(nowMs + ms)
            } else {
              const next = wheel.nextDueMs()
              assert.equal(next === undefined, due.size === 0)
              if (next === undefined) continue
              assert.ok(next > nowMs - tickMs, 'it lies ahead')
              assert.ok(next <= startMs + Math.min(...due.values()) * tickMs, 'nothing is due before')
              advance(Math.max(nowMs, next))
            }
            assert.equal(wheel.size, due.size)
            for (const [id, armed] of timers.entries()) assert.equal(armed.isArmed, due.has(id))
          }
        },
      ),
      { numRuns: 400 },
    )
  })

  it('reaches every timer by following nextDueMs alone', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 36 }), { minLength: 1, maxLength: 30 }), (delays) => {
        const wheel = new TimerWheel(0, 1)
        let nowMs = 0
        const firedAt: number[] = []
        delays.forEach((delayMs, id) => {
          const onWheelTimer = () => {
            firedAt[id] = nowMs
          }
          wheel.arm(new WheelTimer({ onWheelTimer }, id), delayMs)
        })
        for (let turns = 0, next = wheel.nextDueMs(); next !== undefined; next = wheel.nextDueMs()) {
          assert.ok(next > nowMs && turns++ < 20_000)
          nowMs = next
          wheel.advance(nowMs)
        }
        assert.deepEqual(
          firedAt,
          delays.map((delayMs) => Math.max(1, delayMs)),
        )
      }),
      { numRuns: 100 },
    )
  })
})

describe('ticker', () => {
  /** A clock that moves with the mocked timeouts. */
  function virtual(t: TestContext) {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
    const clock = { now: () => Date.now(), monotonic: () => Date.now() }
    const log = new Log()
    const ticker = new Ticker(clock, 8)
    return { log, ticker, tick: (ms: number) => t.mock.timers.tick(ms) }
  }

  it('fires each timer within a tick, also one that was armed last and is due first', (t) => {
    const { log, ticker, tick } = virtual(t)
    ticker.start()
    ticker.wheel.arm(new WheelTimer(log, 1), 1000)
    ticker.wheel.arm(new WheelTimer(log, 2), 100)
    tick(99)
    assert.deepEqual(log.fired, [])
    tick(9)
    assert.deepEqual(log.fired, [2])
    tick(891)
    assert.deepEqual(log.fired, [2])
    tick(9)
    assert.deepEqual(log.fired, [2, 1])
  })

  it('fires timers that were armed before it was started', (t) => {
    const { log, ticker, tick } = virtual(t)
    ticker.wheel.arm(new WheelTimer(log, 1), 50)
    tick(100)
    assert.deepEqual(log.fired, [])
    ticker.start()
    tick(8)
    assert.deepEqual(log.fired, [1])
  })

  it('fires what a timer arms', (t) => {
    const { log, ticker, tick } = virtual(t)
    const second = new WheelTimer(log, 2)
    ticker.start()
    ticker.wheel.arm(new WheelTimer({ onWheelTimer: () => ticker.wheel.arm(second, 16) }, 1), 16)
    tick(16)
    tick(15)
    assert.deepEqual(log.fired, [])
    tick(9)
    assert.deepEqual(log.fired, [2])
  })

  it('sleeps longer than one timeout can', (t) => {
    const { log, ticker, tick } = virtual(t)
    ticker.start()
    ticker.wheel.arm(new WheelTimer(log, 1), 2 ** 32)
    tick(2 ** 32 - 1)
    assert.deepEqual(log.fired, [])
    tick(9)
    assert.deepEqual(log.fired, [1])
  })

  it('fires nothing once it is stopped', (t) => {
    const { log, ticker, tick } = virtual(t)
    ticker.start()
    ticker.wheel.arm(new WheelTimer(log, 1), 5)
    ticker.stop()
    ticker.wheel.arm(new WheelTimer(log, 2), 1)
    tick(100)
    assert.deepEqual(log.fired, [])
    assert.equal(ticker.wheel.size, 2)
  })
})
