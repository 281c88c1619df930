/** Deduplication of the responses that a peer sends in messages of their own: RFC 7252 4.5, seen from a client. */
import type { CoapMessage } from './message.ts'

interface Heard {
  readonly token: string
  readonly at: number
  readonly expected: boolean
}

/** At the limit the oldest is forgotten. */
export class RecentResponses {
  readonly #limit: number
  readonly #lifetimeMs: number
  #heard: Map<number, Heard> | undefined = undefined

  constructor(limit: number, lifetimeMs: number) {
    this.#limit = limit
    this.#lifetimeMs = lifetimeMs
  }

  /** Whether this response was expected when it came before; undefined when it is new. */
  find(response: CoapMessage, now: number): boolean | undefined {
    const heard = this.#heard?.get(response.messageId)
    if (heard === undefined || heard.token !== response.token || now - heard.at >= this.#lifetimeMs) return undefined
    return heard.expected
  }

  /** True when no repetition can come any more. */
  isOver(now: number): boolean {
    for (const { at } of this.#heard?.values() ?? []) if (now - at < this.#lifetimeMs) return false
    return true
  }

  add(response: CoapMessage, now: number, expected: boolean): void {
    this.#heard ??= new Map()
    this.#heard.delete(response.messageId)
    this.#heard.set(response.messageId, { token: response.token, at: now, expected })
    if (this.#heard.size <= this.#limit) return
    for (const oldest of this.#heard.keys()) {
      this.#heard.delete(oldest)
      return
    }
  }
}
