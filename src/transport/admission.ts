/** Who may connect: the listener's own bounds and those of the process, and how fast newcomers may come. */
import type { ListenerLimits, TotalLimits } from './listener.ts'
import type { ListenerStats } from './listener-stats.ts'
import { TokenBucket } from './token-bucket.ts'

export class Admission {
  readonly #maxConnections: number
  readonly #total: TotalLimits
  readonly #stats: ListenerStats
  readonly #rate: TokenBucket | undefined

  constructor(limits: ListenerLimits, total: TotalLimits, stats: ListenerStats) {
    this.#maxConnections = limits.maxConnections
    this.#total = total
    this.#stats = stats
    this.#rate = limits.maxConnectRate > 0 ? new TokenBucket(limits.maxConnectRate, performance.now()) : undefined
  }

  /** Counts one more in, or counts the refusal. */
  admit(): boolean {
    const stats = this.#stats
    if (stats.current >= this.#maxConnections || this.#total.current >= this.#total.maxConnections) {
      stats.refusedLimit++
      return false
    }
    if (this.#rate !== undefined && !this.#rate.take(1, performance.now())) {
      stats.refusedRate++
      return false
    }
    stats.current++
    this.#total.current++
    return true
  }

  release(): void {
    this.#stats.current--
    this.#total.current--
  }
}
