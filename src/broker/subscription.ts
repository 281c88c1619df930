/** One client's interest in one filter, with the subscription options of OASIS v5.0 section 3.8.3.1. */
import type { QoS, SubscribeOptions } from '../sdk.ts'
import type { Client } from './client.ts'
import type { SharedGroup } from './shared.ts'

export class Subscription {
  readonly client: Client
  /** As subscribed, with its `$share/group/` prefix if any. */
  readonly filter: string
  readonly qos: QoS
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly liveOnly: boolean
  readonly ids: readonly number[] | undefined
  readonly group: SharedGroup | undefined
  /** Index in the list that holds it, so that removal is constant time. */
  position = 0
  /** The overlapping subscriptions of one client that this merged entry stands for. */
  readonly parts: readonly Subscription[] | undefined

  constructor(client: Client, filter: string, options: SubscribeOptions, group?: SharedGroup, parts?: readonly Subscription[]) {
    this.client = client
    this.filter = filter
    this.qos = options.qos
    this.noLocal = options.noLocal ?? false
    this.retainAsPublished = options.retainAsPublished ?? false
    this.liveOnly = options.liveOnly ?? false
    this.ids = options.id === undefined ? mergedIds(parts) : [options.id]
    this.group = group
    this.parts = parts
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
