/** What every session host of the process shares: time, randomness, the core, access control, and turns. */
import type { Access } from '../auth/access.ts'
import type { BrokerCore } from '../broker/core.ts'
import type { Bans } from './bans.ts'
import type { Clock } from './clock.ts'
import type { FanOutShare } from './fan-out-share.ts'
import type { OutsideOf } from './outside.ts'
import type { TimerWheel } from './timer-wheel.ts'
import type { TopicRules } from './topic-rules.ts'

export interface Shared {
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly core: BrokerCore
  readonly access: Access
  readonly rules: TopicRules
  readonly bans: Bans
  readonly fanOut: FanOutShare
  /** False: a client whose connection is closed by a stop leaves no will behind. */
  readonly willOnShutdown: boolean
  random(bytes: number): Uint8Array
  /** Services, files, keys and notebook of one gateway instance; `count` adds to its counters. */
  readonly outside: OutsideOf
}

/** Marks the span of one event: time stands still inside, and replays that it started are sent at its end. */
export class Turn {
  readonly #clock: Clock
  readonly #settle: () => void
  #depth = 0
  #monotonic = 0
  now = 0
  /** Whose bytes are being handled, and which. */
  host: object | undefined = undefined
  bytes: Uint8Array | undefined = undefined

  /** `settle` runs at the end of each event. */
  constructor(clock: Clock, settle: () => void) {
    this.#clock = clock
    this.#settle = settle
  }

  enter(): void {
    if (this.#depth++ > 0) return
    this.now = this.#clock.now()
    this.#monotonic = 0
  }

  leave(): void {
    if (--this.#depth === 0) this.#settle()
  }

  /** One event. */
  run(work: () => void): void {
    this.enter()
    try {
      work()
    } finally {
      this.leave()
    }
  }

  /** Monotonic milliseconds, read once an event and only if asked for. */
  monotonic(): number {
    if (this.#depth === 0) return this.#clock.monotonic()
    if (this.#monotonic === 0) this.#monotonic = this.#clock.monotonic()
    return this.#monotonic
  }

  /** Time for code that runs outside any event. */
  time(): number {
    return this.#depth === 0 ? this.#clock.now() : this.now
  }
}
