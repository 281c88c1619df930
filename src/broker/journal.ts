/**
 * What the core tells a store, before anything that depends on it can leave the process: output is held back until
 * what was told is stored. Only sessions that outlive their connection are told of, each by its `number`, and of
 * messages only those with QoS above 0 that such a session has not acknowledged.
 */
import type { Message } from '../sdk.ts'
import type { Client } from './client.ts'
import type { Delayed } from './delayed.ts'
import type { DeliveryRecord } from './delivery.ts'
import type { Subscription } from './subscription.ts'

export interface Journal {
  /** False while the store does not write: what needs it must be refused. */
  readonly ready: boolean
  /** The session's own facts are new or changed: expiry, will, connected or not. */
  session(client: Client): void
  /** The session is over, and all that belongs to it. */
  ended(client: Client): void
  /** A new subscription, or one whose `stored` replays begin or are over. */
  subscribed(client: Client, subscription: Subscription): void
  unsubscribed(client: Client, filter: string): void
  /** `undefined` forgets. */
  remembered(client: Client, key: string, value: string | undefined): void
  retained(message: Message): void
  unretained(topic: string): void
  /** A message waits for its time. Gives it its `stored` number. */
  delayed(delayed: Delayed): void
  /** Its time has come. */
  fired(delayed: Delayed): void
  /** A delivery is queued, or about to be sent under its `id`. Gives it its `stored` number. */
  queued(client: Client, record: DeliveryRecord): void
  /** A queued delivery is about to be sent under its `id`. */
  sent(client: Client, record: DeliveryRecord): void
  /** The receiver confirmed receipt of a QoS 2 delivery. */
  received(client: Client, record: DeliveryRecord): void
  /** The delivery is over: acknowledged, refused, dropped. Takes away its `stored` number. */
  done(client: Client, record: DeliveryRecord): void
}
