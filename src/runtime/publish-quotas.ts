/**
 * How much each client of a gateway may publish: messages and payload bytes a second, with a burst. A client keeps its
 * quota over its connections, so that connecting again gains nothing.
 */
import type { Client } from '../broker/client.ts'
import type { SessionLimits } from '../sdk.ts'
import { TokenBucket } from '../transport/token-bucket.ts'

type Rates = Pick<SessionLimits, 'maxPublishRate' | 'maxPublishBurst' | 'maxPublishByteRate' | 'maxPublishByteBurst'>

export class PublishQuotas {
  readonly #rates: Rates
  readonly #quotas = new WeakMap<Client, PublishQuota>()

  private constructor(rates: Rates) {
    this.#rates = rates
  }

  /** Undefined when nothing is limited. */
  static of(rates: Rates): PublishQuotas | undefined {
    return rates.maxPublishRate > 0 || rates.maxPublishByteRate > 0 ? new PublishQuotas(rates) : undefined
  }

  /** `nowMs` on any clock that does not go back, the same in all calls. */
  of(client: Client, nowMs: number): PublishQuota {
    let quota = this.#quotas.get(client)
    if (quota === undefined) {
      quota = new PublishQuota(this.#rates, nowMs)
      this.#quotas.set(client, quota)
    }
    return quota
  }
}

export class PublishQuota {
  readonly #messages: TokenBucket | undefined
  readonly #bytes: TokenBucket | undefined

  constructor(rates: Rates, nowMs: number) {
    this.#messages = bucket(rates.maxPublishRate, rates.maxPublishBurst, nowMs)
    this.#bytes = bucket(rates.maxPublishByteRate, rates.maxPublishByteBurst, nowMs)
  }

  /** For who can be made to wait: takes what is needed in any case; milliseconds until it is paid. */
  spend(messages: number, bytes: number, nowMs: number): number {
    return Math.max(this.#messages?.spend(messages, nowMs) ?? 0, this.#bytes?.spend(bytes, nowMs) ?? 0)
  }

  /** For who cannot: false is "refuse it". A message larger than the burst passes when nothing is owed. */
  take(bytes: number, nowMs: number): boolean {
    if (this.#bytes !== undefined && this.#bytes.spend(0, nowMs) > 0) return false
    if (this.#messages !== undefined && !this.#messages.take(1, nowMs)) return false
    this.#bytes?.spend(bytes, nowMs)
    return true
  }
}

function bucket(rate: number, burst: number, nowMs: number): TokenBucket | undefined {
  if (rate === 0) return undefined
  return burst === 0 ? new TokenBucket(rate, nowMs) : new TokenBucket(rate, nowMs, burst)
}
