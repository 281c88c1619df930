/**
 * A gateway's mountpoint: the prefix under which the topics that devices name live on the broker. A device's own
 * `devices/{clientid}/...` topics and `$` topics are the same for everybody and stay as they are.
 */
import type { Delivery, Message } from '../sdk.ts'
import { encodeClientId, parseDelayed, parseShared } from '../sdk.ts'
import { fillPlaceholders, type TopicIdentity } from './placeholders.ts'

export class Mount {
  readonly #prefix: string
  readonly #own: string

  constructor(template: string, identity: TopicIdentity) {
    this.#prefix = fillPlaceholders(template, identity)
    this.#own = `devices/${encodeClientId(identity.clientId)}/`
  }

  /** Device's topic to broker's topic; of a delayed one, that which it will be published to. */
  topic(topic: string): string {
    const delayed = parseDelayed(topic)
    if (delayed === 'invalid') return topic
    if (delayed !== undefined) return topic.slice(0, -delayed.topic.length) + this.topic(delayed.topic)
    return this.#exempt(topic) ? topic : this.#prefix + topic
  }

  filter(filter: string): string {
    const shared = parseShared(filter)
    if (shared === 'invalid') return filter
    if (shared !== undefined) return `$share/${shared.group}/${this.topic(shared.filter)}`
    return this.topic(filter)
  }

  message(message: Message): Message {
    const topic = this.topic(message.topic)
    return topic === message.topic ? message : message.withTopic(topic)
  }

  /** Broker's topic to device's topic. */
  delivery(delivery: Delivery): Delivery {
    const message = this.unmounted(delivery.message)
    if (message === delivery.message) return delivery
    const { id, qos, retain, dup, released, subscriptionIds } = delivery
    return { id, qos, retain, dup, released, subscriptionIds, message }
  }

  unmounted(message: Message): Message {
    const { topic } = message
    return this.#exempt(topic) || !topic.startsWith(this.#prefix) ? message : message.withTopic(topic.slice(this.#prefix.length))
  }

  #exempt(topic: string): boolean {
    return topic.charCodeAt(0) === 0x24 || topic.startsWith(this.#own)
  }
}
