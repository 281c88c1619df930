/** Deduplication, RFC 7252 4.5: the requests of one peer within EXCHANGE_LIFETIME, and what they were answered. */
import { CON } from './codes.ts'
import type { Exchange } from './exchange.ts'
import type { CoapMessage } from './message.ts'
import { deriveTimes, type TransmissionParameters } from './parameters.ts'

/** Those of the endpoint, so that every peer has the same one. */
export interface ExchangeLimits {
  readonly maxExchanges: number
  /** Bytes of remembered replies. */
  readonly maxReplyBytes: number
  readonly parameters: TransmissionParameters
}

/** An eighth of the limit goes at a time. */
const TRIM_SHIFT = 3

/** At a limit the oldest are forgotten: a very late retransmission of one of them would be taken for a new request. */
export class Exchanges {
  readonly #limits: ExchangeLimits
  #byMessageId: Map<number, Exchange> | undefined = undefined
  #replyBytes = 0

  constructor(limits: ExchangeLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#byMessageId?.size ?? 0
  }

  /** The earlier arrival of the same request. */
  find(request: CoapMessage, now: number): Exchange | undefined {
    const exchange = this.#byMessageId?.get(request.messageId)
    if (exchange === undefined || !exchange.matches(request)) return undefined
    const { exchangeLifetimeMs, nonLifetimeMs } = deriveTimes(this.#limits.parameters)
    const lifetimeMs = exchange.type === CON ? exchangeLifetimeMs : nonLifetimeMs
    return now - exchange.at < lifetimeMs ? exchange : undefined
  }

  add(exchange: Exchange): void {
    this.#byMessageId ??= new Map()
    const known = this.#byMessageId.get(exchange.messageId)
    if (known !== undefined) this.#forget(known)
    this.#byMessageId.set(exchange.messageId, exchange)
    if (this.#byMessageId.size > this.#limits.maxExchanges) this.#trim()
  }

  /** The exchange has its reply. */
  answered(exchange: Exchange): void {
    if (exchange.reply === undefined || this.#byMessageId?.get(exchange.messageId) !== exchange) return
    this.#replyBytes += exchange.reply.length
    if (this.#replyBytes > this.#limits.maxReplyBytes) this.#trim()
  }

  /** Forgets what is over; true when nothing is left to remember. */
  purge(now: number): boolean {
    if (this.#byMessageId === undefined) return true
    const { exchangeLifetimeMs } = deriveTimes(this.#limits.parameters)
    for (const exchange of this.#byMessageId.values()) {
      if (now - exchange.at < exchangeLifetimeMs) break
      this.#forget(exchange)
    }
    if (this.#byMessageId.size > 0) return false
    this.#byMessageId = undefined
    return true
  }

  /** Those that are remembered, in the order of their arrival. */
  all(): Iterable<Exchange> {
    return this.#byMessageId?.values() ?? []
  }

  /** True when every request has its answer. */
  get areAnswered(): boolean {
    for (const exchange of this.all()) if (exchange.state !== 'answered') return false
    return true
  }

  clear(): void {
    this.#byMessageId = undefined
    this.#replyBytes = 0
  }

  /** Somewhat below the limit, so that not every request of a busy peer has to. */
  #trim(): void {
    const exchanges = this.#byMessageId as Map<number, Exchange>
    const { maxExchanges, maxReplyBytes } = this.#limits
    const enough = maxExchanges - (maxExchanges >> TRIM_SHIFT)
    const enoughBytes = maxReplyBytes - (maxReplyBytes >> TRIM_SHIFT)
    for (const oldest of exchanges.values()) {
      if (exchanges.size <= enough && this.#replyBytes <= enoughBytes) return
      this.#forget(oldest)
    }
  }

  #forget(exchange: Exchange): void {
    this.#byMessageId?.delete(exchange.messageId)
    if (exchange.state === 'answered' && exchange.reply !== undefined) this.#replyBytes -= exchange.reply.length
  }
}
