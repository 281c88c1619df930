import assert from 'node:assert/strict'
import { test } from 'node:test'
import { armTimer, disarmAll, disarmTimer, type SessionTimers } from '../../../src/runtime/session-timers.ts'
import { TimerWheel } from '../../../src/runtime/timer-wheel.ts'

const [KEEP_ALIVE, RETRY] = [1, 2]

function session() {
  const fired: number[] = []
  const wheel = new TimerWheel(0)
  const owner = { onWheelTimer: (id: number) => fired.push(id) }
  let timers: SessionTimers
  return {
    fired,
    wheel,
    arm: (id: number, delayMs: number) => {
      timers = armTimer(timers, wheel, owner, id, delayMs)
    },
    disarm: (id: number) => {
      timers = disarmTimer(timers, wheel, id)
    },
    disarmAll: () => disarmAll(timers, wheel),
    kept: () => {
      const ids: number[] = []
      for (let timer = timers; timer !== undefined; timer = timer.sibling) ids.push(timer.id)
      return ids
    },
  }
}

test('a timer that a session needs now and then is not kept beside the one that it always has', () => {
  const { arm, disarm, kept, wheel, fired } = session()
  arm(KEEP_ALIVE, 60_000)
  arm(RETRY, 5_000)
  assert.deepEqual(kept(), [RETRY, KEEP_ALIVE])
  disarm(RETRY)
  assert.deepEqual(kept(), [KEEP_ALIVE])
  wheel.advance(70_000)
  assert.deepEqual(fired, [KEEP_ALIVE])
  disarm(KEEP_ALIVE)
  assert.deepEqual(kept(), [])
})

test('a timer that has fired goes with the next disarm; one that is armed keeps its place', () => {
  const { arm, disarm, kept, wheel, fired } = session()
  arm(KEEP_ALIVE, 60_000)
  arm(RETRY, 5_000)
  wheel.advance(6_000)
  assert.deepEqual(fired, [RETRY])
  disarm(RETRY)
  assert.deepEqual(kept(), [KEEP_ALIVE])
  arm(RETRY, 5_000)
  disarm(KEEP_ALIVE)
  assert.deepEqual(kept(), [RETRY, KEEP_ALIVE])
  arm(KEEP_ALIVE, 1_000)
  wheel.advance(20_000)
  assert.deepEqual(fired, [RETRY, KEEP_ALIVE, RETRY])
})

test('disarmed timers fire no more', () => {
  const { arm, disarmAll, wheel, fired } = session()
  arm(KEEP_ALIVE, 1_000)
  arm(RETRY, 1_000)
  disarmAll()
  wheel.advance(2_000)
  assert.deepEqual(fired, [])
  assert.equal(wheel.size, 0)
})
