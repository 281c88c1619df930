/** The timers of one session, in a chain: most have exactly one (keep-alive), and keep nothing besides it. */
import type { TimerOwner, TimerWheel } from './timer-wheel.ts'
import { WheelTimer } from './timer-wheel.ts'

/** What a session keeps: the newest of its timers; undefined has none. */
export type SessionTimers = WheelTimer | undefined

/** Arms one, or moves it; the chain that holds it. */
export function armTimer(timers: SessionTimers, wheel: TimerWheel, owner: TimerOwner, id: number, delayMs: number): WheelTimer {
  for (let timer = timers; timer !== undefined; timer = timer.sibling) {
    if (timer.id !== id) continue
    wheel.arm(timer, delayMs)
    return timers as WheelTimer
  }
  const timer = new WheelTimer(owner, id, timers)
  wheel.arm(timer, delayMs)
  return timer
}

export function hasArmed(timers: SessionTimers, id: number): boolean {
  for (let timer = timers; timer !== undefined; timer = timer.sibling) if (timer.id === id) return timer.isArmed
  return false
}

/** The chain, without what is not armed at its head: a timer that a session needs now and then is not kept beside its first. */
export function disarmTimer(timers: SessionTimers, wheel: TimerWheel, id: number): SessionTimers {
  for (let timer = timers; timer !== undefined; timer = timer.sibling) if (timer.id === id) wheel.disarm(timer)
  let armed = timers
  while (armed !== undefined && !armed.isArmed) armed = armed.sibling
  return armed
}

export function disarmAll(timers: SessionTimers, wheel: TimerWheel): void {
  for (let timer = timers; timer !== undefined; timer = timer.sibling) wheel.disarm(timer)
}
