/** A delivery as the core keeps it: immutable to receivers, with the few fields that the window and queue need. */
import type { Delivery, Message, QoS } from '../sdk.ts'
import type { Subscription } from './subscription.ts'

export class DeliveryRecord implements Delivery {
  message: Message
  id = 0
  readonly qos: QoS
  readonly retain: boolean
  dup = false
  released = false
  readonly subscriptionIds: readonly number[] | undefined
  /** Sequence of first sending, for redelivery in order [OASIS 4.6.0-1]. */
  order = 0
  /** When it was first offered: the lower 32 bits of the time in ms; 0 is not measured. */
  offeredAt = 0
  /** What the journal knows its message by; 0 is not stored. */
  stored = 0
  /** Only while connected: stale once the client is gone. */
  readonly liveOnly: boolean
  /** The shared subscription that chose this client, so that another member can inherit. */
  readonly shared: Subscription | undefined

  constructor(
    message: Message,
    qos: QoS,
    retain: boolean,
    subscription: Subscription | undefined,
    subscriptionIds = subscription?.ids,
  ) {
    this.message = message
    this.qos = qos
    this.retain = retain
    this.subscriptionIds = subscriptionIds
    this.liveOnly = subscription?.liveOnly ?? false
    this.shared = subscription?.group === undefined ? undefined : subscription
  }
}
