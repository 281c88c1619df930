/** One message to everybody whose subscriptions match: plain subscribers, and one member of each shared group. */
import type { Message } from '../sdk.ts'
import type { Client } from './client.ts'
import { DeliveryRecord } from './delivery.ts'
import type { Outbox } from './outbox.ts'
import type { SharedPolicy } from './port.ts'
import type { SharedGroup } from './shared.ts'
import type { Subscription } from './subscription.ts'
import { withoutNoLocal } from './subscription.ts'
import type { Match } from './subscription-table.ts'

export class Router {
  readonly #outbox: Outbox
  readonly #policy: SharedPolicy
  readonly #random: () => number

  /** `random` draws bytes. */
  constructor(outbox: Outbox, policy: SharedPolicy, random: (bytes: number) => Uint8Array) {
    this.#outbox = outbox
    this.#policy = policy
    this.#random = () => {
      const bytes = random(4)
      return (((bytes[0] as number) << 16) | ((bytes[1] as number) << 8) | (bytes[2] as number)) / 0x1000000
    }
  }

  /** How many took it, or keep it for later. */
  route(match: Match, message: Message, from: Client | undefined): number {
    let reached = 0
    let plain: DeliveryRecord | undefined
    const { subscriptions } = match
    for (let i = 0; i < subscriptions.length; i++) {
      let subscription: Subscription | undefined = subscriptions[i] as Subscription
      if (subscription.client === from) subscription = withoutNoLocal(subscription)
      if (subscription === undefined) continue
      if (
        (message.qos === 0 || subscription.qos === 0) &&
        !subscription.hasIds &&
        !(message.retain && subscription.retainAsPublished) &&
        !subscription.liveOnly &&
        !subscription.client.trackQos0
      ) {
        // One immutable record serves all plain receivers of a fan-out.
        plain ??= new DeliveryRecord(message, 0, false, undefined)
        if (this.#outbox.offer(subscription.client, plain)) reached++
      } else if (this.#outbox.offer(subscription.client, this.#outbox.record(message, subscription))) reached++
    }
    if (match.groups !== undefined) {
      for (const group of match.groups) if (this.share(group, message)) reached++
    }
    return reached
  }

  /** To one member; false when there was none to take it. */
  share(group: SharedGroup, message: Message): boolean {
    const member = group.pick(this.#policy, this.#random)
    if (member === undefined) {
      this.#outbox.drop('no-shared-member', message, undefined)
      return false
    }
    return this.#outbox.offer(member.client, this.#outbox.record(message, member))
  }

  /** The client's session is over: shared work that waits for it passes to other members, the rest is dropped. */
  bequeath(client: Client): void {
    const orphans: DeliveryRecord[] = []
    this.#outbox.clear(client, (record) => orphans.push(record))
    for (const record of orphans) {
      const group = record.shared?.group
      // A QoS 2 message that was on its way stays with its receiver [OASIS 4.8.2-5].
      const inherited = group !== undefined && !(record.qos === 2 && record.id !== 0) && group.members.length > 0
      if (inherited && this.share(group, record.message)) continue
      this.#outbox.drop('session-ended', record.message, client)
    }
  }
}
