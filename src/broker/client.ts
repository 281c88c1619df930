/**
 * A virtual client: the session of one terminal, whatever it speaks. It outlives its connection for `expiryMs`.
 * Optional parts are allocated when first used: a million idle clients must fit in one process.
 */
import type { CloseReason, ConnectRequest, Message, Will } from '../sdk.ts'
import type { DeliveryRecord } from './delivery.ts'
import { Inflight } from './inflight.ts'
import type { Memory } from './memory.ts'
import type { Port } from './port.ts'
import { DeliveryQueue } from './queue.ts'
import type { BrokerStats } from './stats.ts'
import type { Subscription } from './subscription.ts'
import { Terms } from './terms.ts'

/** Messages still to be sent to a new subscription; pulled as the client can take them. */
export interface Replay {
  /** `undefined`: nothing yet. */
  readonly source: Iterator<Message | undefined>
  readonly subscription: Subscription
  /** The journal knows that it is not over. */
  stored: boolean
}

export class Client {
  readonly id: string
  port: Port
  /** The session host's object for this connection; opaque to the core, undefined while offline. */
  ref: object | undefined
  #terms: Terms
  username: string | undefined
  /** Milliseconds since the epoch of the last change between online and offline. */
  since: number
  connected = false
  offlineReason: CloseReason | undefined = undefined
  expiryMs: number
  /** While offline: when the session ends (ms since the epoch), Infinity never. */
  endsAt = 0
  will: Will | undefined
  /** While offline: when the pending will is due. */
  willAt = 0
  /** The earliest time at which the core looks at this client again; 0 is not scheduled. */
  scheduledAt = 0

  /** None, one, or several by filter: most terminals have exactly one. */
  subscriptions: Subscription | Map<string, Subscription> | undefined = undefined
  inflight: Inflight | undefined = undefined
  queue: DeliveryQueue | undefined = undefined
  /** Sent before, to be sent again on this connection, in order. */
  redeliver: DeliveryRecord[] | undefined = undefined
  replays: Replay[] | undefined = undefined
  held = false
  /** Deliveries still allowed while held (`release(n)`). */
  credit = 0
  /** True while the outbox is sending: an acknowledgement from inside a delivery must not start a second round. */
  pumping = false
  /** What the gateway keeps with the session across connections. */
  state: object | undefined = undefined
  /** What the gateway remembers over a restart. */
  memory: Memory | undefined = undefined
  /** What the journal knows the session by; 0 is not stored. */
  number = 0
  /** Scratch of the match under construction: finds overlapping subscriptions without a set. */
  mark = 0
  markedAt = 0

  constructor(id: string, port: Port, ref: object | undefined, request: ConnectRequest, now: number) {
    this.id = id
    this.port = port
    this.ref = ref
    this.#terms = Terms.of(request, port)
    this.username = request.username
    this.since = now
    this.expiryMs = request.expiryMs
    this.will = request.will
  }

  /** Takes on the connection data of a resuming connect. */
  rebind(port: Port, ref: object, request: ConnectRequest, now: number): void {
    this.port = port
    this.ref = ref
    this.#terms = Terms.of(request, port)
    this.username = request.username
    this.since = now
    this.expiryMs = request.expiryMs
    this.will = request.will
    this.willAt = 0
    this.endsAt = 0
  }

  /** Session state means something only to the gateway that made it; the instance may have been restarted since. */
  isOf(port: Port, { protocol }: ConnectRequest): boolean {
    return this.port.gateway === port.gateway && this.protocol === protocol
  }

  get protocol(): string {
    return this.#terms.protocol
  }

  get version(): string | undefined {
    return this.#terms.version
  }

  get keepAliveMs(): number {
    return this.#terms.keepAliveMs
  }

  /** Deliveries that may wait for their acknowledgement at the same time. */
  get window(): number {
    return this.#terms.window
  }

  get trackQos0(): boolean {
    return this.#terms.trackQos0
  }

  get queued(): number {
    return this.queue?.size ?? 0
  }

  get unacknowledged(): number {
    return this.inflight?.size ?? 0
  }

  /** True when another delivery would be dropped rather than queued or sent. */
  get full(): boolean {
    return this.queue !== undefined && this.queue.size >= this.port.limits.maxQueued
  }

  subscription(filter: string): Subscription | undefined {
    const held = this.subscriptions
    if (held === undefined) return undefined
    if (held instanceof Map) return held.get(filter)
    return held.filter === filter ? held : undefined
  }

  keepSubscription(subscription: Subscription): void {
    const held = this.subscriptions
    if (held instanceof Map) held.set(subscription.filter, subscription)
    else if (held === undefined || held.filter === subscription.filter) this.subscriptions = subscription
    else {
      this.subscriptions = new Map([
        [held.filter, held],
        [subscription.filter, subscription],
      ])
    }
  }

  forgetSubscription(filter: string): void {
    const held = this.subscriptions
    if (held instanceof Map) held.delete(filter)
    else if (held?.filter === filter) this.subscriptions = undefined
  }

  allSubscriptions(): Subscription[] {
    const held = this.subscriptions
    if (held === undefined) return []
    return held instanceof Map ? [...held.values()] : [held]
  }

  get subscriptionCount(): number {
    const held = this.subscriptions
    if (held === undefined) return 0
    return held instanceof Map ? held.size : 1
  }

  openWindow(): Inflight {
    this.inflight ??= new Inflight()
    return this.inflight
  }

  openQueue(stats: BrokerStats): DeliveryQueue {
    this.queue ??= new DeliveryQueue(stats)
    return this.queue
  }
}
