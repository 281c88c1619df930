/** A topic that somebody has configured: draft-ietf-core-coap-pubsub sections 2 and 3. */
import type { Observer } from '../observer.ts'
import { EpochSeconds } from './cbor.ts'
import {
  CONTENT_FORMAT,
  EXPIRATION_DATE,
  INITIALIZE,
  MAX_SUBSCRIBERS,
  OBSERVER_CHECK,
  type Properties,
  TOPIC_DATA,
  TOPIC_NAME,
} from './properties.ts'

/** First segment of the topic collection's path. */
export const COLLECTION = 'pubsub'
/** Last segment of a topic-data path. */
export const DATA = 'data'

export class Topic {
  readonly id: string
  /** On the broker. */
  readonly name: string
  /** Who observes its data. */
  readonly observers = new Set<Observer>()
  #properties: Properties

  constructor(id: string, properties: Properties) {
    this.id = id
    this.name = properties.get(TOPIC_NAME) as string
    this.#properties = new Map([...properties, [TOPIC_DATA, `/${COLLECTION}/${id}/${DATA}`]])
  }

  get properties(): Properties {
    return this.#properties
  }

  /** Replaces what may change. */
  set properties(next: Properties) {
    this.#properties = new Map([...next].filter(([key]) => key !== INITIALIZE))
  }

  get contentFormat(): number | undefined {
    return this.#properties.get(CONTENT_FORMAT) as number | undefined
  }

  get maxSubscribers(): number {
    return (this.#properties.get(MAX_SUBSCRIBERS) as number | undefined) ?? Number.POSITIVE_INFINITY
  }

  /** So long a notification may go without being confirmable. */
  get checkAfterMs(): number {
    const seconds = this.#properties.get(OBSERVER_CHECK) as number | undefined
    return seconds === undefined ? Number.POSITIVE_INFINITY : seconds * 1000
  }

  /** Milliseconds since the epoch. */
  get expiresAt(): number | undefined {
    const date = this.#properties.get(EXPIRATION_DATE)
    return date instanceof EpochSeconds ? date.value * 1000 : undefined
  }

  isExpired(now: number): boolean {
    return (this.expiresAt ?? Number.POSITIVE_INFINITY) <= now
  }
}
