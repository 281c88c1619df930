/** Answers to strangers, so many a second: their addresses may be forged. */

const SECOND_MS = 1000

export class ReplyBudget {
  #since = 0
  #spent = 0

  take(nowMs: number, perSecond: number): boolean {
    if (nowMs - this.#since >= SECOND_MS || nowMs < this.#since) {
      this.#since = nowMs
      this.#spent = 0
    }
    if (this.#spent >= perSecond) return false
    this.#spent++
    return true
  }
}
