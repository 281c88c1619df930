/**
 * The broker-facing half of a session host: what a session may ask of its virtual client, under the gateway's
 * mountpoint. It owns the client while there is one; the wire-facing half decides when that is.
 */
import type { Client } from '../broker/client.ts'
import type { CloseReason, Delivery, Malformed, Message, Peer, PublishOutcome, Session, SubscribeOptions, Will } from '../sdk.ts'
import type { GatewayRuntime } from './gateway-runtime.ts'
import { Mount } from './mount.ts'
import { fillPlaceholders, type TopicIdentity } from './placeholders.ts'

/** Methods here, and in the classes below, are `private` and not `#`: that would cost each of a million objects a word for each class. */
export abstract class ClientLink {
  readonly runtime: GatewayRuntime
  /** Why the session ended; undefined while it lives. */
  closedBy: CloseReason | undefined = undefined
  /** Not there yet while `open` makes it. */
  protected session!: Session
  protected client: Client | undefined = undefined
  protected mount: Mount | undefined = undefined
  /** The wire is full: the core holds this client's deliveries until it drained. */
  protected congested = false
  /** The session itself asked to hold. */
  protected holding = false

  constructor(runtime: GatewayRuntime) {
    this.runtime = runtime
  }

  abstract get peer(): Peer
  /** A message is about to be published: the place to slow down who sends too many. False refuses it. */
  protected abstract meter(client: Client, bytes: number): boolean
  /** Runs session code as an event of its own; nothing when the session has ended. */
  protected abstract event(work: () => void): void
  /** Enough was published in this turn: the rest of what the peer sent waits for a later one, where it can. */
  protected abstract yieldTurn(): void
  /** Parks what the peer sends until the returned function has run the work that it waits for. */
  protected abstract park(): (work: () => void) => void

  get gateway(): string {
    return this.runtime.name
  }

  get clientId(): string | undefined {
    return this.client?.id
  }

  sessionOf(clientId: string): Session | undefined {
    const host = this.runtime.shared.core.client(clientId)?.ref
    return host instanceof ClientLink && host.runtime === this.runtime ? host.session : undefined
  }

  get kept(): object | undefined {
    return this.client?.state
  }

  set kept(state: object | undefined) {
    if (this.client !== undefined) this.client.state = state
  }

  remember(key: string, value: string): void {
    if (this.client !== undefined) this.runtime.shared.core.remember(this.client, key, value)
  }

  forget(key: string): void {
    if (this.client !== undefined) this.runtime.shared.core.remember(this.client, key, undefined)
  }

  remembered(): Iterable<readonly [key: string, value: string]> {
    return this.client?.memory?.entries() ?? []
  }

  now(): number {
    return this.runtime.turn.time()
  }

  random(bytes: number): Uint8Array {
    return this.runtime.shared.random(bytes)
  }

  setWill(will: Will | undefined): void {
    const { client } = this
    if (client === undefined) return
    const named = will === undefined ? undefined : { ...will, message: this.named(will.message, client) }
    this.runtime.shared.core.setWill(client, named)
  }

  disconnect(sendWill: boolean, expiryMs?: number, reason: CloseReason = 'disconnected'): void {
    this.detach(reason, sendWill, expiryMs)
  }

  publish(message: Message, tag?: number): void {
    const { core, fanOut } = this.runtime.shared
    const before = core.stats.copies
    const outcome = this.publishNamed(message)
    if (tag !== undefined && this.closedBy === undefined) this.session.onPublished?.(tag, outcome)
    if (!fanOut.spend(core.stats.copies - before)) this.yieldTurn()
  }

  wanted(topic: string): boolean {
    if (this.client === undefined) return false
    const mounted = this.mount?.topic(topic) ?? topic
    const { core, rules } = this.runtime.shared
    return core.wanted(rules.rewrite?.topic(mounted, this.client) ?? mounted, this.client)
  }

  mayPublish(topic: string): boolean {
    if (this.client === undefined) return false
    return this.runtime.shared.core.policy.mayPublish(this.client, this.mount?.topic(topic) ?? topic)
  }

  retained(topic: string): Message | undefined | 'not-authorized' {
    if (this.client === undefined) return undefined
    return this.runtime.shared.core.retained(this.brokerFilter(topic, this.client), this.client)
  }

  retainedUnder(filter: string, limit: number): readonly Message[] {
    if (this.client === undefined) return []
    const { mount } = this
    const found = this.runtime.shared.core.retainedUnder(mount?.filter(filter) ?? filter, limit, this.client)
    return mount === undefined ? found : found.map((message) => mount.unmounted(message))
  }

  subscribe(filter: string, options: SubscribeOptions, tag?: number): void {
    const client = this.client
    const outcome =
      client === undefined
        ? 'not-authorized'
        : this.runtime.shared.core.subscribe(client, this.brokerFilter(filter, client), options)
    if (tag !== undefined) this.session.onSubscribed?.(tag, outcome)
  }

  unsubscribe(filter: string): boolean {
    if (this.client === undefined) return false
    return this.runtime.shared.core.unsubscribe(this.client, this.brokerFilter(filter, this.client))
  }

  awaited(id: number): Delivery | undefined {
    return this.client?.inflight?.get(id)
  }

  ack(id: number): boolean {
    return this.client !== undefined && this.runtime.shared.core.ack(this.client, id)
  }

  received(id: number): boolean {
    return this.client !== undefined && this.runtime.shared.core.received(this.client, id)
  }

  nack(id: number, reason: string): boolean {
    if (this.client === undefined) return false
    this.count(`nack-${reason}`)
    return this.runtime.shared.core.nack(this.client, id)
  }

  ask(service: string, question: unknown, tag: number): void {
    if (this.closedBy !== undefined) return
    const go = this.park()
    this.runtime.ask(service, question, (answer) => go(() => this.session.onAnswer?.(tag, answer)))
  }

  save(path: readonly string[], bytes: Uint8Array, tag: number): void {
    if (this.closedBy !== undefined) return
    this.runtime.save(path, bytes, (outcome) => this.event(() => this.session.onSaved?.(tag, outcome)))
  }

  hold(): void {
    this.holding = true
    if (this.client !== undefined) this.runtime.shared.core.hold(this.client)
  }

  release(count?: number): void {
    if (count === undefined) this.holding = false
    if (this.client !== undefined && !this.congested) this.runtime.shared.core.release(this.client, count)
  }

  malformed(error: Malformed): void {
    this.runtime.counters.add(this.runtime.counters.malformed, error.malformed)
  }

  count(name: string, by = 1): void {
    this.runtime.counters.add(this.runtime.counters.named, name, by)
  }

  /** From now on this session speaks for `client`. */
  protected adopt(client: Client): void {
    this.client = client
    const { mountpoint } = this.runtime
    if (mountpoint !== '') this.mount = new Mount(mountpoint, this.topicIdentity(client))
    if (client.will !== undefined) this.setWill(client.will)
  }

  /** Subscribes the client to what the operator's rules say; what its session is subscribed to already stays as it is. */
  protected subscribeByRule(client: Client): void {
    const { core, rules } = this.runtime.shared
    for (const { topic, ...options } of rules.automatic(this.gateway)) {
      const named = fillPlaceholders(topic, this.topicIdentity(client))
      const filter = this.mount?.filter(named) ?? named
      if (client.subscription(filter) !== undefined) continue
      if (typeof core.subscribe(client, filter, options) === 'string') this.count('auto-subscribe-refused')
    }
  }

  protected detach(reason: CloseReason, sendWill: boolean, expiryMs?: number): void {
    const client = this.client
    if (client === undefined) return
    this.client = undefined
    this.mount = undefined
    if (client.ref === this) this.runtime.shared.core.detach(client, reason, sendWill, expiryMs)
  }

  private publishNamed(message: Message): PublishOutcome {
    const { client, runtime } = this
    if (client === undefined) return 'not-connected'
    runtime.counters.messagesIn++
    runtime.counters.payloadIn += message.size
    if (!this.meter(client, message.size)) return 'quota'
    return runtime.shared.core.publish(this.named(message, client), client)
  }

  /** The message under the topic that it has on the broker. */
  private named(message: Message, client: Client): Message {
    const { rewrite } = this.runtime.shared.rules
    const mounted = this.mount === undefined ? message : this.mount.message(message)
    return rewrite === undefined ? mounted : rewrite.message(mounted, client)
  }

  /** Device's filter to broker's filter. */
  private brokerFilter(filter: string, client: Client): string {
    const mounted = this.mount?.filter(filter) ?? filter
    return this.runtime.shared.rules.rewrite?.filter(mounted, client) ?? mounted
  }

  private topicIdentity({ id, username }: Client): TopicIdentity {
    const { address, port } = this.peer
    return { clientId: id, username, peerHost: address, peerPort: port, gateway: this.gateway }
  }
}
