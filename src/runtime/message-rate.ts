/** Messages a second from one peer: a token bucket as deep as one second. */

/** Host-internal timer number; sessions name theirs from 0 up. */
export const MESSAGE_RATE_TIMER = -1

export class MessageRate {
  readonly #perSecond: number
  #tokens: number
  #at = 0

  constructor(perSecond: number) {
    this.#perSecond = perSecond
    this.#tokens = perSecond
  }

  /** For datagrams: takes a token if there is one; false is "drop it". `now` in ms. */
  take(now: number): boolean {
    this.#refill(now)
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }

  /** For streams, which are slowed down and never thinned out: goes into debt; false is "stop reading". */
  spend(now: number): boolean {
    this.#refill(now)
    return --this.#tokens >= 0
  }

  /** Until the debt is paid, in ms; 0 when there is none. */
  debtMs(now: number): number {
    this.#refill(now)
    return this.#tokens >= 0 ? 0 : Math.ceil((-1000 * this.#tokens) / this.#perSecond)
  }

  #refill(now: number): void {
    if (now <= this.#at) return
    if (this.#at > 0) this.#tokens = Math.min(this.#perSecond, this.#tokens + ((now - this.#at) * this.#perSecond) / 1000)
    this.#at = now
  }
}
