/** One client's interest in one filter, with the subscription options of OASIS v5.0 section 3.8.3.1. */
import type { QoS, SubscribeOptions } from '../sdk.ts'
import type { Client } from './client.ts'
import type { SharedGroup } from './shared.ts'

const QOS = 0x03
const NO_LOCAL = 0x04
const RETAIN_AS_PUBLISHED = 0x08
const LIVE_ONLY = 0x10

export class Subscription {
  readonly client: Client
  /** As subscribed, with its `$share/group/` prefix if any. */
  readonly filter: string
  /** QoS and flags in one number: there are as many of these as clients. */
  readonly #options: number
  /** One stands for itself: a list would cost more than it says. */
  readonly #ids: number | readonly number[] | undefined
  readonly group: SharedGroup | undefined
  /** Index in the list that holds it, so that removal is constant time. */
  position = 0
  /** The overlapping subscriptions of one client that this merged entry stands for. */
  readonly parts: readonly Subscription[] | undefined

  constructor(client: Client, filter: string, options: SubscribeOptions, group?: SharedGroup, parts?: readonly Subscription[]) {
    this.client = client
    this.filter = filter
    const { qos, noLocal, retainAsPublished, liveOnly } = options
    this.#options = qos | (noLocal ? NO_LOCAL : 0) | (retainAsPublished ? RETAIN_AS_PUBLISHED : 0) | (liveOnly ? LIVE_ONLY : 0)
    this.#ids = options.id ?? mergedIds(parts)
    this.group = group
    this.parts = parts
  }

  get hasIds(): boolean {
    return this.#ids !== undefined
  }

  get ids(): readonly number[] | undefined {
    return typeof this.#ids === 'number' ? [this.#ids] : this.#ids
  }

  get qos(): QoS {
    return (this.#options & QOS) as QoS
  }

  get noLocal(): boolean {
    return (this.#options & NO_LOCAL) !== 0
  }

  get retainAsPublished(): boolean {
    return (this.#options & RETAIN_AS_PUBLISHED) !== 0
  }

  get liveOnly(): boolean {
    return (this.#options & LIVE_ONLY) !== 0
  }
}

function mergedIds(parts: readonly Subscription[] | undefined): readonly number[] | undefined {
  if (parts === undefined) return undefined
  const ids = parts.flatMap((part) => part.ids ?? [])
  return ids.length === 0 ? undefined : ids
}

/**
 * Overlapping subscriptions of one client become one delivery, with the highest QoS [OASIS 3.3.4-2] and all
 * subscription identifiers [OASIS 3.3.4-4]. No local holds only if every part asked for it.
 */
export function merge(parts: readonly Subscription[]): Subscription {
  const first = parts[0] as Subscription
  let qos: QoS = 0
  for (const part of parts) if (part.qos > qos) qos = part.qos
  const options: SubscribeOptions = {
    qos,
    noLocal: parts.every((part) => part.noLocal),
    retainAsPublished: parts.some((part) => part.retainAsPublished),
    liveOnly: parts.every((part) => part.liveOnly),
  }
  return new Subscription(first.client, first.filter, options, undefined, parts)
}

/** What is left of a merged entry for the client's own messages [OASIS 3.8.3-3]. */
export function withoutNoLocal(subscription: Subscription): Subscription | undefined {
  if (subscription.noLocal) return undefined
  const { parts } = subscription
  if (parts === undefined || !parts.some((part) => part.noLocal)) return subscription
  return merge(parts.filter((part) => !part.noLocal))
}
