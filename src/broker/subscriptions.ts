/** Subscribing and unsubscribing: checks, replacement, shared groups, and the replay of what is retained. */
import type { Message, SharedFilter, SubscribeOptions, SubscribeOutcome } from '../sdk.ts'
import { hasWildcard, parseShared } from '../sdk.ts'
import type { Client } from './client.ts'
import type { Surroundings } from './port.ts'
import type { Provider } from './presence.ts'
import type { RestoredSubscription } from './restored.ts'
import type { RetainedStore } from './retained.ts'
import { SharedGroup } from './shared.ts'
import { Subscription } from './subscription.ts'
import type { SubscriptionTable } from './subscription-table.ts'
import type { TopicPolicy } from './topic-policy.ts'

export class Subscriptions {
  readonly providers: Provider[] = []
  readonly #table: SubscriptionTable
  readonly #retained: RetainedStore
  readonly #policy: TopicPolicy
  readonly #surroundings: Surroundings

  constructor(table: SubscriptionTable, retained: RetainedStore, policy: TopicPolicy, surroundings: Surroundings) {
    this.#policy = policy
    this.#table = table
    this.#retained = retained
    this.#surroundings = surroundings
  }

  add(client: Client, filter: string, options: SubscribeOptions): SubscribeOutcome {
    const shared = parseShared(filter)
    if (shared === 'invalid' || (shared === undefined && !this.#policy.isFilter(filter))) return 'invalid-filter'
    const plain = shared?.filter ?? filter
    if (shared !== undefined && !this.#policy.isFilter(plain)) return 'invalid-filter'
    if (!this.#policy.maySubscribe(client, plain)) return 'not-authorized'
    const old = client.subscription(filter)
    if (old === undefined && client.subscriptionCount >= client.port.limits.maxSubscriptions) return 'quota'
    if (old !== undefined) this.remove(client, filter) // [OASIS 3.8.4-3]
    if (shared === undefined) this.#addPlain(client, filter, options)
    else this.#addShared(client, filter, shared, options)
    const handling = options.retainHandling ?? 0
    // Shared subscriptions are never sent retained messages (OASIS v5.0 section 4.8.2).
    if (shared === undefined && (handling === 0 || (handling === 1 && old === undefined))) this.#replay(client, filter)
    return options.qos
  }

  /** Puts back a subscription that was granted before. */
  restore(client: Client, filter: string, options: RestoredSubscription): void {
    const shared = parseShared(filter)
    if (shared === 'invalid') return
    if (shared !== undefined) return this.#addShared(client, filter, shared, options)
    this.#addPlain(client, filter, options)
    if (options.replaying === true) this.#replay(client, filter)
  }

  remove(client: Client, filter: string): Subscription | undefined {
    const subscription = client.subscription(filter)
    if (subscription === undefined) return undefined
    client.forgetSubscription(filter)
    if (client.number !== 0) this.#surroundings.journal?.unsubscribed(client, filter)
    const { group } = subscription
    if (group === undefined) {
      this.#table.remove(subscription, filter, hasWildcard(filter))
    } else {
      group.remove(subscription)
      this.#table.size--
      this.#table.shared--
      if (group.members.length === 0) this.#table.removeGroup(group)
    }
    client.replays = client.replays?.filter((replay) => replay.subscription !== subscription)
    if (client.replays?.length === 0) client.replays = undefined
    return subscription
  }

  /** What the reader may read of the first `limit` stored messages that match. */
  retainedUnder(filter: string, limit: number, reader: Client): Message[] {
    const messages = this.#retained.match(filter, () => this.#surroundings.now())
    const readable: Message[] = []
    let seen = 0
    for (const message of messages) {
      if (message === undefined) continue
      if (++seen > limit) break
      if (this.#policy.maySubscribe(reader, message.topic)) readable.push(message)
    }
    return readable
  }

  retained(topic: string, reader: Client | undefined): Message | undefined | 'not-authorized' {
    return reader === undefined || this.#policy.maySubscribe(reader, topic) ? this.#state(topic) : 'not-authorized'
  }

  #state(topic: string): Message | undefined {
    const stored = this.#retained.get(topic, this.#surroundings.now())
    if (stored !== undefined) return stored
    for (const provider of this.providers) {
      const message = provider.get(topic)
      if (message !== undefined) return message
    }
    return undefined
  }

  #addPlain(client: Client, filter: string, options: SubscribeOptions): void {
    const subscription = new Subscription(client, filter, options)
    this.#keep(client, subscription)
    this.#table.add(subscription, filter, hasWildcard(filter))
  }

  #addShared(client: Client, filter: string, shared: SharedFilter, options: SubscribeOptions): void {
    const group = this.#table.group(shared.group, shared.filter, (name, plain) => new SharedGroup(name, plain))
    const subscription = new Subscription(client, filter, options, group)
    group.add(subscription)
    this.#table.size++
    this.#table.shared++
    this.#keep(client, subscription)
  }

  #keep(client: Client, subscription: Subscription): void {
    client.keepSubscription(subscription)
    if (client.number !== 0) this.#surroundings.journal?.subscribed(client, subscription)
  }

  #replay(client: Client, filter: string): void {
    const subscription = client.subscription(filter) as Subscription
    if (!hasWildcard(filter)) {
      const message = this.#state(filter)
      if (message === undefined) return
      client.replays ??= []
      client.replays.push({ source: [message].values(), subscription, stored: false })
      return
    }
    const { now } = this.#surroundings
    client.replays ??= []
    client.replays.push({ source: this.#retained.match(filter, () => now()), subscription, stored: false })
    for (const provider of this.providers) client.replays.push({ source: provider.match(filter), subscription, stored: false })
  }
}
