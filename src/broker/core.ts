/**
 * The broker core: clients, topics, messages. It knows no protocol, socket, clock or promise. Gateways attach clients
 * through one port each; the runtime tells the time (`expire`) and grants turns for long replays (`settle`).
 */
import type {
  CloseReason,
  ConnectOutcome,
  ConnectRequest,
  DelayedTopic,
  Message,
  PublishOutcome,
  SubscribeOptions,
  SubscribeOutcome,
  Will,
} from '../sdk.ts'
import { NEVER, parseDelayed } from '../sdk.ts'
import { Admission } from './admission.ts'
import { Agenda } from './agenda.ts'
import { assignedId } from './assigned-id.ts'
import { Client } from './client.ts'
import { type DelayedMessages, postponed } from './delayed.ts'
import type { Journal } from './journal.ts'
import { Outbox } from './outbox.ts'
import type { CoreLimits, Port, Surroundings } from './port.ts'
import type { Provider } from './presence.ts'
import { Presence, statusMessage, statusTopic } from './presence.ts'
import { needsStore, reaches } from './reach.ts'
import { Replays } from './replays.ts'
import type { Restored } from './restored.ts'
import { restoreSession } from './restored.ts'
import { RetainedStore } from './retained.ts'
import { Retention } from './retention.ts'
import { Router } from './router.ts'
import { BrokerStats } from './stats.ts'
import { StoredSessions } from './stored-sessions.ts'
import type { Match } from './subscription-table.ts'
import { SubscriptionTable } from './subscription-table.ts'
import { Subscriptions } from './subscriptions.ts'
import { TopicPolicy } from './topic-policy.ts'

export class BrokerCore {
  readonly stats = new BrokerStats()
  readonly retainedStore = new RetainedStore()
  readonly #clients = new Map<string, Client>()
  readonly #table = new SubscriptionTable()
  readonly #admission: Admission
  readonly #agenda: Agenda
  readonly policy: TopicPolicy
  readonly #replays: Replays
  readonly #surroundings: Surroundings
  readonly #outbox: Outbox
  readonly #subscriptions: Subscriptions
  readonly #router: Router
  readonly #retention: Retention
  readonly #journal: Journal | undefined
  readonly #stored: StoredSessions

  constructor(surroundings: Surroundings, limits: CoreLimits) {
    this.#surroundings = surroundings
    this.#agenda = new Agenda(surroundings, limits)
    this.policy = new TopicPolicy(surroundings, limits)
    this.#outbox = new Outbox(surroundings, this.stats, limits.maxQueuedBytes, (client) => this.#replays.add(client))
    this.#replays = new Replays(this.#outbox, () => surroundings.more())
    this.#subscriptions = new Subscriptions(this.#table, this.retainedStore, this.policy, surroundings)
    this.provide(new Presence(this.#clients))
    this.#router = new Router(this.#outbox, limits.sharedPolicy, (bytes) => surroundings.random(bytes))
    this.#journal = surroundings.journal
    this.#stored = new StoredSessions(this.#journal, this.#outbox)
    this.#admission = new Admission(this.policy, limits, this.#clients, this.#journal)
    this.#retention = new Retention(this.retainedStore, limits, this.#journal)
  }

  // ---- clients -------------------------------------------------------------------------------------------------

  get size(): number {
    return this.#clients.size
  }

  /** Messages that wait to be published later. */
  get delayed(): DelayedMessages {
    return this.#agenda.delayed
  }

  get subscriptionCount(): number {
    return this.#table.size
  }

  /** What is subscribed to, in numbers. */
  get subscribed(): Pick<SubscriptionTable, 'shared' | 'hasReserved'> {
    return this.#table
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
    const id = assigned ? assignedId(this.#surroundings.random, (taken) => this.#clients.has(taken)) : request.clientId
    const refusal = this.#admission.refusal(id, request, port)
    if (refusal !== undefined) return { outcome: refusal }
    const old = this.#clients.get(id)
    const tookOver =
      old?.connected === true ? { protocol: old.protocol, gateway: old.port.gateway, peer: old.port.peer(old) } : undefined
    if (tookOver !== undefined && old !== undefined) {
      this.stats.takeovers++
      old.port.evict(old, 'taken-over')
      if (old.connected) this.detach(old, 'taken-over', true)
    }
    // The eviction may have ended the session (expiry 0), so look again.
    let client = this.#clients.get(id)
    const resumed = client !== undefined && !request.cleanStart && client.isOf(port, request)
    const now = this.#surroundings.now()
    if (client !== undefined && !resumed) this.#end(client)
    if (client === undefined || !resumed) {
      client = new Client(id, port, ref, request, now)
      this.#clients.set(id, client)
    } else {
      client.rebind(port, ref, request, now)
      this.#outbox.wait(client)
    }
    client.connected = true
    client.offlineReason = undefined
    this.#stored.begin(client)
    this.stats.connects++
    this.stats.connected++
    if (this.stats.connected > this.stats.maxConnected) this.stats.maxConnected = this.stats.connected
    this.#announce(client)
    this.#surroundings.observer?.connected(client, request)
    const outcome: ConnectOutcome = { ok: true, clientId: id, sessionPresent: resumed, assigned, ...(tookOver && { tookOver }) }
    return { outcome, client }
  }

  /** A started gateway takes over the absent clients of its former self. */
  inherit(to: Port): void {
    for (const client of this.#clients.values()) if (!client.connected && client.port.gateway === to.gateway) client.port = to
  }

  /** Puts back what a store kept, before any gateway runs. `portOf` stands in for a gateway that is not there yet. */
  restore({ sessions, retained, delayed, lastNumber }: Restored, portOf: (gateway: string) => Port): void {
    const now = this.#surroundings.now()
    this.#stored.lastNumber = lastNumber
    for (const { message, dueAt, stored } of delayed) this.delayed.add(message, dueAt, stored)
    for (const message of retained) if (message.expiresAt === 0 || message.expiresAt > now) this.retainedStore.set(message)
    for (const session of sessions) {
      const client = restoreSession(session, portOf(session.gateway), now, this.#subscriptions, this.#outbox)
      this.#clients.set(client.id, client)
      if (session.connected) this.#stored.changed(client)
      this.#agenda.schedule(client)
    }
  }

  /** Starts deliveries to a client whose connect was answered. */
  resume(client: Client): void {
    this.#outbox.resume(client)
  }

  /** Takes a client offline. `expiryMs` replaces the expiry of its connect. */
  detach(client: Client, reason: CloseReason, sendWill: boolean, expiryMs?: number): void {
    if (!client.connected) return
    this.#surroundings.observer?.disconnected(client, reason)
    client.connected = false
    client.ref = undefined
    client.offlineReason = reason
    client.since = this.#surroundings.now()
    if (expiryMs !== undefined) client.expiryMs = expiryMs
    this.stats.connected--
    this.#replays.delete(client)
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
    this.#stored.changed(client)
    this.#agenda.schedule(client)
  }

  /** Before everybody is disconnected: publishes the wills that this would cause, while all who want them are there. */
  publishWills(): void {
    for (const client of this.#clients.values()) {
      const { will } = client
      if (client.connected && will !== undefined && (will.delayMs === 0 || client.expiryMs <= 0)) this.#publishWill(client)
    }
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
    if (cached === undefined) {
      const delayed = parseDelayed(topic)
      if (delayed === 'invalid' || (delayed === undefined && !this.policy.isName(topic))) return this.#reject('invalid-topic')
      if (delayed !== undefined) return this.#delay(message, delayed, from)
    }
    if (from !== undefined && !this.policy.mayPublish(from, topic)) return this.#reject('not-authorized')
    const match = cached ?? this.#table.match(topic)
    if (this.#journal?.ready === false && needsStore(match, message)) return this.#reject('unavailable')
    message.publisher = from
    return this.#accept(message, from, match)
  }

  #accept(message: Message, from: Client | undefined, match: Match): PublishOutcome {
    this.stats.received++
    if (message.retain && !this.#retention.keep(message)) {
      this.#outbox.drop('retained-limit', message, undefined)
      return this.#reject('quota')
    }
    const reached = this.#router.route(match, message, from)
    if (match.addressee !== undefined && !reaches(match, match.addressee, message)) {
      this.#surroundings.unaddressed?.(message, match.addressee)
    }
    if (reached > 0) return 'delivered'
    this.stats.unrouted++
    return 'no-subscribers'
  }

  /**
   * Sends a message of the broker itself to those who listen, if anybody does. Its topic is asked for rarely: it must not
   * push hot topics out of the match cache.
   */
  announce(topic: string, build: () => Message): void {
    if (this.#table.size === 0) return
    const match = this.#table.find(topic)
    if (match.subscriptions.length > 0 || match.groups !== undefined) this.#router.route(match, build(), undefined)
  }

  /** False when a publish to this topic would reach nobody and be refused to nobody. */
  wanted(topic: string, from?: Client): boolean {
    if (parseDelayed(topic) !== undefined) return true
    const { subscriptions, groups } = this.#table.match(topic)
    return subscriptions.length > 0 || groups !== undefined || (from !== undefined && !this.policy.mayPublish(from, topic))
  }

  /** The retained (or computed) message of an exact topic. */
  retained(topic: string, reader?: Client): Message | undefined | 'not-authorized' {
    return this.#subscriptions.retained(topic, reader)
  }

  retainedUnder(filter: string, limit: number, reader: Client): Message[] {
    return this.#subscriptions.retainedUnder(filter, limit, reader)
  }

  /** Adds topics that are computed on demand instead of stored. */
  provide(provider: Provider): void {
    this.#subscriptions.providers.push(provider)
  }

  /** What is published when the client is lost, from now on. */
  setWill(client: Client, will: Will | undefined): void {
    client.will = will
    this.#stored.changed(client)
  }

  /** Keeps a value with a stored session; `undefined` forgets it. */
  remember(client: Client, key: string, value: string | undefined): void {
    this.#stored.remember(client, key, value)
  }

  subscribe(client: Client, filter: string, options: SubscribeOptions): SubscribeOutcome {
    if (client.number !== 0 && this.#journal?.ready === false) return 'unavailable'
    const outcome = this.#subscriptions.add(client, filter, options)
    this.#replays.begin(client)
    if (typeof outcome === 'number') this.#surroundings.observer?.subscribed(client, filter, options)
    return outcome
  }

  unsubscribe(client: Client, filter: string): boolean {
    if (this.#subscriptions.remove(client, filter) === undefined) return false
    this.#surroundings.observer?.unsubscribed(client, filter)
    return true
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

  /** Begins the replays that subscriptions started; the runtime calls it at the end of an event. */
  settle(): void {
    this.#replays.settle()
  }

  /** Goes on with replays; the runtime calls it in a turn of its own, when asked for more. */
  proceed(): void {
    this.#replays.proceed()
  }

  /** Ends sessions, and publishes wills and delayed messages that are due. */
  expire(): void {
    const now = this.#surroundings.now()
    for (;;) {
      const client = this.#agenda.takeDue(now)
      if (client === undefined) break
      if (client.connected || this.#clients.get(client.id) !== client) continue
      if (client.endsAt <= now) {
        this.stats.expiredSessions++
        this.#end(client)
        continue
      }
      if (client.will !== undefined && client.willAt <= now) this.#publishWill(client)
      this.#agenda.schedule(client)
    }
    for (;;) {
      const delayed = this.delayed.takeDue(now)
      if (delayed === undefined) break
      if (delayed.stored !== 0) this.#journal?.fired(delayed)
      const { message } = delayed
      if (message.expiresAt !== NEVER && message.expiresAt <= now) this.#outbox.drop('expired', message, undefined)
      else this.#accept(message, message.publisher as Client | undefined, this.#table.match(message.topic))
    }
    this.#agenda.wake()
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  #delay(message: Message, { topic, delayMs }: DelayedTopic, from: Client | undefined): PublishOutcome {
    if (!this.policy.isName(topic)) return this.#reject('invalid-topic')
    if (from !== undefined && !this.policy.mayPublish(from, topic)) return this.#reject('not-authorized')
    message.publisher = from
    const later = postponed(message, topic, delayMs)
    if (this.#journal?.ready === false) return this.#reject('unavailable')
    const delayed = this.delayed.add(later, this.#surroundings.now() + delayMs)
    if (delayed === undefined) return this.#reject('quota')
    this.#journal?.delayed(delayed)
    return 'delivered'
  }

  #reject(outcome: PublishOutcome): PublishOutcome {
    this.stats.rejected++
    return outcome
  }

  #publishWill(client: Client): void {
    const { will } = client
    client.will = undefined
    if (will === undefined) return
    if (!client.connected) this.#stored.changed(client)
    if (will.expiryMs !== undefined) will.message.expiresAt = this.#surroundings.now() + will.expiryMs
    this.publish(will.message, client)
  }

  /** Ends the session for good: its will, subscriptions and queue go; shared work passes to other members. */
  #end(client: Client): void {
    this.#clients.delete(client.id)
    this.#stored.end(client)
    this.#publishWill(client)
    for (const subscription of client.allSubscriptions()) this.#subscriptions.remove(client, subscription.filter)
    this.#router.bequeath(client)
  }

  #announce(client: Client): void {
    this.announce(statusTopic(client), () => statusMessage(client, false))
  }
}
