/** What belongs to a client's session and not to its connection: topic ids, QoS 2 receipts, will (MQTT-SN 1.2, 6.3). */
import type { Link, Message } from '#sdk'
import { TopicIds } from './topic-ids.ts'

/** A client may have one publish open (6.8); some more are kept for those that do not wait. */
const MAX_RECEIVED = 16

export class Kept {
  topics = new TopicIds()
  /** Outlives the connection: CleanSession 0 without a will goes on with it (6.3). */
  will: Message | undefined = undefined
  /** Whose key protects the session (MQTT-SN 2.0); undefined without protection. */
  sender: string | undefined = undefined
  /** Message ids of QoS 2 publishes that were accepted and not released yet. */
  #received: Set<number> | undefined = undefined

  /** That of the client's session. Only while it is connected. */
  static of(link: Link): Kept {
    if (!(link.kept instanceof Kept)) link.kept = new Kept()
    return link.kept as Kept
  }

  forgetTopics(): void {
    this.topics = new TopicIds()
  }

  hasReceived(messageId: number): boolean {
    return this.#received?.has(messageId) === true
  }

  /** False: the oldest receipt gave way, whose sender has forgotten it. */
  receive(messageId: number): boolean {
    this.#received ??= new Set()
    this.#received.add(messageId)
    if (this.#received.size <= MAX_RECEIVED) return true
    for (const oldest of this.#received) {
      this.#received.delete(oldest)
      break
    }
    return false
  }

  release(messageId: number): void {
    if (this.#received?.delete(messageId) === true && this.#received.size === 0) this.#received = undefined
  }
}
