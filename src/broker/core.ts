/**
 * The broker core: clients, topics, messages. It knows no protocol, socket, clock or promise. Gateways attach clients
 * through one port each; the runtime tells the time (`expire`) and grants turns for long replays (`settle`).
 */
import type {
  CloseReason,
  ConnectOutcome,
  ConnectRequest,
  Message,
  PublishOutcome,
  SubscribeOptions,
  SubscribeOutcome,
} from '../sdk.ts'
import { isTopicName } from '../sdk.ts'
import { Client } from './client.ts'
import { Deadlines } from './deadlines.ts'
import { DeliveryRecord } from './delivery.ts'
import { Outbox } from './outbox.ts'
import type { CoreLimits, Port, Surroundings } from './port.ts'
import type { Provider } from './presence.ts'
import { Presence, statusMessage, statusTopic } from './presence.ts'
import { RetainedStore } from './retained.ts'
import type { SharedGroup } from './shared.ts'
import { BrokerStats } from './stats.ts'
import type { Subscription } from './subscription.ts'
import { withoutNoLocal } from './subscription.ts'
import type { Match } from './subscription-table.ts'
import { SubscriptionTable } from './subscription-table.ts'
import { Subscriptions } from './subscriptions.ts'

const REFUSED_TOPIC_ROOT = '$SYS/'
const NO_ONE: ConnectOutcome = { ok: false, reason: 'quota', message: 'the broker holds its maximum of clients' }

/** Session state means something only to the gateway that made it; the instance may have been restarted since. */
function sameGateway(client: Client, port: Port, request: ConnectRequest): boolean {
  return client.port.gateway === port.gateway && client.protocol === request.protocol
}

/** True when the client takes the message now, or its session keeps it. */
function reaches({ subscriptions }: Match, id: string, message: Message): boolean {
  return subscriptions.some(
    ({ client, liveOnly, qos }) => client.id === id && (client.connected || (!liveOnly && qos > 0 && message.qos > 0)),
  )
}

export class BrokerCore {
  readonly stats = new BrokerStats()
  readonly retainedStore = new RetainedStore()
  readonly #clients = new Map<string, Client>()
  readonly #table = new SubscriptionTable()
  readonly #deadlines = new Deadlines()
  readonly #replaying = new Set<Client>()
  readonly #surroundings: Surroundings
  readonly #limits: CoreLimits
  readonly #outbox: Outbox
  readonly #subscriptions: Subscriptions
  readonly #random: () => number

  constructor(surroundings: Surroundings, limits: CoreLimits) {
    this.#surroundings = surroundings
    this.#limits = limits
    this.#outbox = new Outbox(surroundings, this.stats, limits.maxQueuedBytes)
    this.#subscriptions = new Subscriptions(this.#table, this.retainedStore, surroundings)
    this.provide(new Presence(this.#clients))
    this.#random = () => {
      const bytes = surroundings.random(4)
      return (((bytes[0] as number) << 16) | ((bytes[1] as number) << 8) | (bytes[2] as number)) / 0x1000000
    }
  }

  // ---- clients -------------------------------------------------------------------------------------------------

  get size(): number {
    return this.#clients.size
  }

  get subscriptionCount(): number {
    return this.#table.size
  }

  clients(): IterableIterator<Client> {
    return this.#clients.values()
  }

  client(id: string): Client | undefined {
    return this.#clients.get(id)
  }

  /**
   * Brings a client online. An earlier connection of the same id is evicted, whatever gateway it is on; its session
   * is resumed only within the same gateway. Call `resume` once the connect was answered to the device.
   */
  attach(port: Port, ref: object, request: ConnectRequest): { outcome: ConnectOutcome; client?: Client } {
    const assigned = request.clientId === ''
    const id = assigned ? this.#newId() : request.clientId
    const old = this.#clients.get(id)
    if (old === undefined && this.#clients.size >= this.#limits.maxClients) return { outcome: NO_ONE }
    const tookOver =
      old?.connected === true ? { protocol: old.protocol, gateway: old.port.gateway, peer: old.port.peer(old) } : undefined
    if (tookOver !== undefined && old !== undefined) {
      this.stats.takeovers++
      old.port.evict(old, 'taken-over')
      if (old.connected) this.detach(old, 'taken-over', true)
    }
    // The eviction may have ended the session (expiry 0), so look again.
    let client = this.#clients.get(id)
    const resumed = client !== undefined && !request.cleanStart && sameGateway(client, port, request)
    const now = this.#surroundings.now()
    if (client !== undefined && !resumed) this.#end(client)
    if (client === undefined || !resumed) {
      client = new Client(id, port, ref, request, now)
      this.#clients.set(id, client)
    } else {
      client.rebind(port, ref, request, now)
    }
    client.connected = true
    client.offlineReason = undefined
    this.stats.connects++
    this.stats.connected++
    if (this.stats.connected > this.stats.maxConnected) this.stats.maxConnected = this.stats.connected
    this.#announce(client)
    const outcome: ConnectOutcome = { ok: true, clientId: id, sessionPresent: resumed, assigned, ...(tookOver && { tookOver }) }
    return { outcome, client }
  }

  /** A restarted gateway takes over the absent clients of its former self. */
  inherit(from: Port, to: Port): void {
    for (const client of this.#clients.values()) if (client.port === from) client.port = to
  }

  /** Starts deliveries to a client whose connect was answered. */
  resume(client: Client): void {
    this.#outbox.resume(client)
  }

  /** Takes a client offline. `expiryMs` replaces the expiry of its connect. */
  detach(client: Client, reason: CloseReason, sendWill: boolean, expiryMs?: number): void {
    if (!client.connected) return
    client.connected = false
    client.ref = undefined
    client.offlineReason = reason
    client.since = this.#surroundings.now()
    if (expiryMs !== undefined) client.expiryMs = expiryMs
    this.stats.connected--
    this.#replaying.delete(client)
    if (!sendWill) client.will = undefined
    if (client.will !== undefined) {
      client.willAt = client.since + client.will.delayMs
      if (client.will.delayMs === 0) this.#publishWill(client)
    }
    this.#outbox.park(client)
    this.#announce(client)
    if (client.connected || this.#clients.get(client.id) !== client) return
    if (client.expiryMs <= 0) {
      this.#end(client)
      return
    }
    client.endsAt = client.since + client.expiryMs
    this.#schedule(client)
  }

  /** Ends a client's connection and session. False when there is no such client. */
  kick(id: string, reason: CloseReason = 'kicked'): boolean {
    const client = this.#clients.get(id)
    if (client === undefined) return false
    if (client.connected) {
      client.port.evict(client, reason)
      if (client.connected) this.detach(client, reason, true)
    }
    if (this.#clients.get(id) === client && !client.connected) this.#end(client)
    return true
  }

  // ---- messages ------------------------------------------------------------------------------------------------

  publish(message: Message, from?: Client): PublishOutcome {
    const { topic } = message
    const cached = this.#table.cached(topic)
    if (cached === undefined && !isTopicName(topic)) return this.#reject('invalid-topic')
    if (from !== undefined && !this.#mayPublish(from, topic)) return this.#reject('not-authorized')
    message.publisher = from
    this.stats.received++
    if (message.retain && !this.#keep(message)) return this.#reject('quota')
    const match = cached ?? this.#table.match(topic)
    const reached = this.#route(match, message, from)
    if (match.addressee !== undefined && !reaches(match, match.addressee, message)) {
      this.#surroundings.unaddressed?.(message, match.addressee)
    }
    return reached > 0 ? 'delivered' : 'no-subscribers'
  }

  /** False when a publish to this topic would reach nobody and be refused to nobody. */
  wanted(topic: string, from?: Client): boolean {
    const { subscriptions, groups } = this.#table.match(topic)
    return subscriptions.length > 0 || groups !== undefined || (from !== undefined && !this.#mayPublish(from, topic))
  }

  /** The retained (or computed) message of an exact topic. */
  retained(topic: string, reader?: Client): Message | undefined | 'not-authorized' {
    if (reader !== undefined && !(this.#surroundings.authorize?.(reader, 'subscribe', topic) ?? true)) return 'not-authorized'
    return this.#subscriptions.retained(topic)
  }

  /** Adds topics that are computed on demand instead of stored. */
  provide(provider: Provider): void {
    this.#subscriptions.providers.push(provider)
  }

  subscribe(client: Client, filter: string, options: SubscribeOptions): SubscribeOutcome {
    const outcome = this.#subscriptions.add(client, filter, options)
    if (client.replays !== undefined) this.#replaying.add(client)
    return outcome
  }

  unsubscribe(client: Client, filter: string): boolean {
    return this.#subscriptions.remove(client, filter) !== undefined
  }

  ack(client: Client, id: number): boolean {
    return this.#outbox.ack(client, id)
  }

  received(client: Client, id: number): boolean {
    return this.#outbox.received(client, id)
  }

  nack(client: Client, id: number): boolean {
    return this.#outbox.nack(client, id)
  }

  hold(client: Client): void {
    this.#outbox.hold(client)
  }

  release(client: Client, count?: number): void {
    this.#outbox.release(client, count)
  }

  // ---- time ----------------------------------------------------------------------------------------------------

  /** Sends replays that subscriptions started; the runtime calls it at the end of an event, and when asked for more. */
  settle(budget = 1000): void {
    if (this.#replaying.size === 0) return
    for (const client of [...this.#replaying]) {
      this.#outbox.pump(client, budget)
      if (client.replays === undefined || client.held) this.#replaying.delete(client)
    }
    for (const client of this.#replaying) {
      // A full window continues by itself when an acknowledgement arrives.
      if (client.unacknowledged >= client.window) this.#replaying.delete(client)
    }
    if (this.#replaying.size > 0) this.#surroundings.more()
  }

  /** Ends sessions and publishes wills that are due. */
  expire(): void {
    const now = this.#surroundings.now()
    for (;;) {
      const client = this.#deadlines.takeDue(now)
      if (client === undefined) break
      client.scheduledAt = 0
      if (client.connected || this.#clients.get(client.id) !== client) continue
      if (client.endsAt <= now) {
        this.stats.expiredSessions++
        this.#end(client)
        continue
      }
      if (client.will !== undefined && client.willAt <= now) this.#publishWill(client)
      this.#schedule(client)
    }
    const { next } = this.#deadlines
    if (next !== undefined) this.#surroundings.wake(next)
  }

  #schedule(client: Client): void {
    const at = client.will === undefined ? client.endsAt : Math.min(client.willAt, client.endsAt)
    if (at === Number.POSITIVE_INFINITY || (client.scheduledAt !== 0 && client.scheduledAt <= at)) return
    client.scheduledAt = at
    this.#deadlines.add(at, client)
    if (this.#deadlines.next === at) this.#surroundings.wake(at)
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  #route(match: Match, message: Message, from: Client | undefined): number {
    let reached = 0
    let plain: DeliveryRecord | undefined
    const { subscriptions } = match
    for (let i = 0; i < subscriptions.length; i++) {
      let subscription: Subscription | undefined = subscriptions[i] as Subscription
      if (subscription.client === from) subscription = withoutNoLocal(subscription)
      if (subscription === undefined) continue
      if (
        (message.qos === 0 || subscription.qos === 0) &&
        subscription.ids === undefined &&
        !(message.retain && subscription.retainAsPublished) &&
        !subscription.liveOnly &&
        !subscription.client.trackQos0
      ) {
        // One immutable record serves all plain receivers of a fan-out.
        plain ??= new DeliveryRecord(message, 0, false, undefined)
        if (this.#outbox.offer(subscription.client, plain)) reached++
      } else if (this.#outbox.offer(subscription.client, Outbox.record(message, subscription))) reached++
    }
    if (match.groups !== undefined) {
      for (const group of match.groups) if (this.#share(group, message)) reached++
    }
    return reached
  }

  #share(group: SharedGroup, message: Message): boolean {
    const member = group.pick(this.#limits.sharedPolicy, this.#random)
    if (member === undefined) {
      this.#outbox.drop('no-shared-member', message, undefined)
      return false
    }
    return this.#outbox.offer(member.client, Outbox.record(message, member))
  }

  #mayPublish(from: Client, topic: string): boolean {
    if (topic.charCodeAt(0) === 0x24 && topic.startsWith(REFUSED_TOPIC_ROOT)) return false
    const { authorize } = this.#surroundings
    return authorize === undefined || authorize(from, 'publish', topic)
  }

  #keep(message: Message): boolean {
    const { topic, size } = message
    if (size === 0) {
      this.retainedStore.delete(topic) // [OASIS 3.3.1-6]
      return true
    }
    const { maxRetained, maxRetainedBytes } = this.#limits
    const { retainedStore } = this
    if (retainedStore.bytes + size > maxRetainedBytes || (retainedStore.size >= maxRetained && !retainedStore.get(topic, 0))) {
      this.#outbox.drop('retained-limit', message, undefined)
      return false
    }
    retainedStore.set(message.kept())
    return true
  }

  #reject(outcome: PublishOutcome): PublishOutcome {
    this.stats.rejected++
    return outcome
  }

  #publishWill(client: Client): void {
    const { will } = client
    client.will = undefined
    if (will === undefined) return
    if (will.expiryMs !== undefined) will.message.expiresAt = this.#surroundings.now() + will.expiryMs
    this.publish(will.message, client)
  }

  /** Ends the session for good: its will, subscriptions and queue go; shared work passes to other members. */
  #end(client: Client): void {
    this.#clients.delete(client.id)
    this.#publishWill(client)
    for (const subscription of client.allSubscriptions()) this.#subscriptions.remove(client, subscription.filter)
    const orphans: DeliveryRecord[] = []
    this.#outbox.clear(client, (record) => orphans.push(record))
    for (const record of orphans) {
      const group = record.shared?.group
      // A QoS 2 message that was on its way stays with its receiver [OASIS 4.8.2-5].
      const inherited = group !== undefined && !(record.qos === 2 && record.id !== 0) && group.members.length > 0
      if (inherited && this.#share(group, record.message)) continue
      this.#outbox.drop('session-ended', record.message, client)
    }
  }

  /** A status topic is asked for once a connection: it must not push hot topics out of the match cache. */
  #announce(client: Client): void {
    if (this.#table.size === 0) return
    const match = this.#table.find(statusTopic(client))
    if (match.subscriptions.length > 0 || match.groups !== undefined) this.#route(match, statusMessage(client, false), undefined)
  }

  #newId(): string {
    for (;;) {
      const id = `auto-${Buffer.from(this.#surroundings.random(12)).toString('hex')}`
      if (!this.#clients.has(id)) return id
    }
  }
}
