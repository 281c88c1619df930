/** What stands on the other side of the core: one port object per gateway instance, never one per client. */
import type { CloseReason, ConnectRequest, Delivery, Message, SessionLimits, SubscribeOptions } from '../sdk.ts'
import type { Client } from './client.ts'
import type { Journal } from './journal.ts'
import type { SlowSubscribers } from './slow-subscribers.ts'

export interface Port {
  /** Name of the gateway instance. */
  readonly gateway: string
  readonly limits: SessionLimits
  /** False is "busy": the core keeps the delivery and holds the client until `release`. */
  deliver(client: Client, delivery: Delivery): boolean
  /** The client lost its place (taken over, kicked): close the session and call `detach` before returning. */
  evict(client: Client, reason: CloseReason): void
  /** Where the client is, for status messages: `127.0.0.1:50233`. */
  peer(client: Client): string
}

export type Action = 'publish' | 'subscribe'

/** Hears of what clients do, whatever their protocol. Called while the client is attached. */
export interface ClientObserver {
  connected(client: Client, request: ConnectRequest): void
  disconnected(client: Client, reason: CloseReason): void
  /** Also when an earlier subscription is replaced. */
  subscribed(client: Client, filter: string, options: SubscribeOptions): void
  unsubscribed(client: Client, filter: string): void
}

/** What the core asks of its surroundings; it has no clock, randomness or scheduler of its own. */
export interface Surroundings {
  /** Milliseconds since the epoch. */
  now(): number
  random(bytes: number): Uint8Array
  /** Absent: everything is allowed. Must answer at once; slow sources keep their verdicts ready. */
  authorize?: ((client: Client, action: Action, topic: string) => boolean) | undefined
  /** A message did not reach a client, and why: each drop is visible. `client` is undefined where none was chosen. */
  dropped?: ((reason: DropReason, message: Message, client: Client | undefined) => void) | undefined
  /** A command was published, and the client that it is for is not there to take it, whoever else listens. */
  unaddressed?: ((message: Message, device: string) => void) | undefined
  observer?: ClientObserver | undefined
  /** Absent: the latency of deliveries is not measured. */
  slow?: SlowSubscribers | undefined
  /** Absent: everything is gone when the process ends. */
  journal?: Journal | undefined
  /** Call `core.expire()` at this time (ms since the epoch) or soon after. */
  wake(atMs: number): void
  /** Call `core.proceed()` soon: replay work is left. */
  more(): void
}

export type DropReason = 'queue-full' | 'expired' | 'offline' | 'session-ended' | 'no-shared-member' | 'retained-limit'

export interface CoreLimits {
  readonly maxClients: number
  readonly maxRetained: number
  readonly maxRetainedBytes: number
  /** Of one retained message. */
  readonly maxRetainedPayload: number
  readonly maxTopicLevels: number
  /** Octets of UTF-8; of filters too. */
  readonly maxTopicLength: number
  /** Octets of UTF-8. */
  readonly maxClientIdLength: number
  /** Payload bytes (plus a fixed cost per message) queued over all clients. */
  readonly maxQueuedBytes: number
  /** Messages that wait to be published later; further ones are refused. */
  readonly maxDelayed: number
  /** Their payload bytes (plus a fixed cost per message). */
  readonly maxDelayedBytes: number
  readonly sharedPolicy: SharedPolicy
}

export type SharedPolicy = 'round-robin' | 'random' | 'sticky'
