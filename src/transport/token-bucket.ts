/** Rate limit with a burst: tokens come back at a steady rate, up to one second's worth. Time is passed in. */

export class TokenBucket {
  readonly #perMs: number
  readonly #capacity: number
  #tokens: number
  #atMs: number

  /** `rate` in tokens a second, above 0; `capacity` defaults to one second's worth. Starts full. */
  constructor(rate: number, nowMs: number, capacity = Math.max(1, rate)) {
    this.#perMs = rate / 1000
    this.#capacity = capacity
    this.#tokens = capacity
    this.#atMs = nowMs
  }

  /** Takes `count` tokens if they are there. */
  take(count: number, nowMs: number): boolean {
    this.#refill(nowMs)
    if (this.#tokens < count) return false
    this.#tokens -= count
    return true
  }

  /** Takes `count` tokens in any case, for what has happened already; milliseconds until the debt is paid, 0 is none. */
  spend(count: number, nowMs: number): number {
    this.#refill(nowMs)
    this.#tokens -= count
    return this.#tokens >= 0 ? 0 : Math.ceil(-this.#tokens / this.#perMs)
  }

  #refill(nowMs: number): void {
    if (nowMs <= this.#atMs) return
    this.#tokens = Math.min(this.#capacity, this.#tokens + (nowMs - this.#atMs) * this.#perMs)
    this.#atMs = nowMs
  }
}
