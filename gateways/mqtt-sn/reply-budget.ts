/** Answers to strangers, so many a second: their addresses may be forged. */
import type { Link } from '#sdk'
import type { Shared } from './shared.ts'

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

/** False is counted. */
export function mayReply({ replies, config }: Shared, link: Link): boolean {
  const isWithin = replies.take(link.now(), config.maxStrayReplies)
  if (!isWithin) link.count('stray-reply-withheld')
  return isWithin
}
