/** Drives a timer wheel in real time with one timeout at a time, set to when the wheel has something to do. */
import type { Clock } from './clock.ts'
import { TimerWheel } from './timer-wheel.ts'

/** The longest delay of setTimeout is 2^31 - 1 ms. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1

export class Ticker {
  readonly wheel: TimerWheel
  readonly #clock: Clock
  readonly #wake = (): void => this.#advance()
  readonly #sooner = (): void => this.#schedule()
  #timeout: NodeJS.Timeout | undefined = undefined
  #running = false

  constructor(clock: Clock, tickMs = 8) {
    this.#clock = clock
    this.wheel = new TimerWheel(clock.monotonic(), tickMs, () => clock.monotonic())
  }

  /** From now on timers fire. An armed timer alone does not keep the process alive. */
  start(): void {
    if (this.#running) return
    this.#running = true
    this.wheel.onSooner = this.#sooner
    this.#schedule()
  }

  /** No timer fires any more. */
  stop(): void {
    this.#running = false
    this.wheel.onSooner = undefined
    clearTimeout(this.#timeout)
    this.#timeout = undefined
  }

  #advance(): void {
    this.#timeout = undefined
    this.wheel.onSooner = undefined // what is armed while firing is seen below
    this.wheel.advance(this.#clock.monotonic())
    if (!this.#running) return
    this.wheel.onSooner = this.#sooner
    this.#schedule()
  }

  #schedule(): void {
    clearTimeout(this.#timeout)
    const dueMs = this.wheel.nextDueMs()
    if (dueMs === undefined) {
      this.#timeout = undefined
      return
    }
    const delayMs = Math.max(1, Math.ceil(dueMs - this.#clock.monotonic()))
    this.#timeout = setTimeout(this.#wake, Math.min(delayMs, LONGEST_SLEEP_MS)).unref()
  }
}
