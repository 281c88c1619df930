/**
 * An open loop: what is due at a rate, whether or not anything came back. A message that leaves late counts from when it
 * was due, so that a server that holds up its publishers cannot hide it.
 */

/** How often what is due is sent. */
const STEP_MS = 1

export class Pace {
  readonly #perMs: number
  readonly #wake: () => void
  #startMs = 0
  #before = 0
  #timer: NodeJS.Timeout | undefined

  /** `rate` a second; `wake` is called at every step. */
  constructor(rate: number, wake: () => void) {
    this.#perMs = rate / 1000
    this.#wake = wake
  }

  /** `sent` messages are out by now, and count no more. */
  begin(nowMs: number, sent: number): void {
    this.#startMs = nowMs
    this.#before = sent
    this.#timer = setInterval(this.#wake, STEP_MS)
  }

  end(): void {
    clearInterval(this.#timer)
  }

  /** How many messages should be out by now. */
  limit(nowMs: number): number {
    return this.#before + Math.floor((nowMs - this.#startMs) * this.#perMs)
  }

  /** When the message is due that follows `sent` others. */
  dueMs(sent: number): number {
    return this.#startMs + (sent - this.#before) / this.#perMs
  }
}
