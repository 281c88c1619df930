/**
 * Which subscribers take long: from the publication of a message with QoS above 0 to the end of its delivery. A bounded
 * list of the slowest, by client and topic, that forgets who has not been slow for a while.
 */
import type { Client } from './client.ts'
import type { DeliveryRecord } from './delivery.ts'

export interface SlowSubscription {
  readonly clientId: string
  readonly topic: string
  /** The latest slow delivery. */
  readonly latencyMs: number
  /** When it ended, ms since the epoch. */
  readonly at: number
}

export interface SlowSubscriberLimits {
  readonly thresholdMs: number
  /** Length of the list. */
  readonly top: number
  readonly expiryMs: number
}

export class SlowSubscribers {
  /** Deliveries that took longer than the threshold. */
  slow = 0
  readonly #limits: SlowSubscriberLimits
  readonly #list = new Map<string, SlowSubscription>()

  constructor(limits: SlowSubscriberLimits) {
    this.#limits = limits
  }

  /** A message is offered to a client now. The lower 32 bits of the time are enough, and cost a record no allocation. */
  offered(record: DeliveryRecord, now: number): void {
    if (record.qos > 0) record.offeredAt = now | 0 || 1
  }

  /** The delivery is over. What was offered before the client connected says nothing about it. */
  done(client: Client, record: DeliveryRecord, now: number): void {
    if (record.offeredAt === 0) return
    const latencyMs = ((now | 0) - record.offeredAt) | 0
    if (latencyMs < this.#limits.thresholdMs || now - latencyMs < client.since) return
    this.slow++
    this.#note({ clientId: client.id, topic: record.message.topic, latencyMs, at: now })
  }

  /** The slowest first. */
  list(now: number): SlowSubscription[] {
    this.#forget(now)
    return [...this.#list.values()].sort((a, b) => b.latencyMs - a.latencyMs)
  }

  #note(slow: SlowSubscription): void {
    this.#list.set(`${slow.topic}\0${slow.clientId}`, slow) // no topic holds a NUL
    if (this.#list.size <= this.#limits.top) return
    this.#forget(slow.at)
    if (this.#list.size <= this.#limits.top) return
    let mildest: readonly [key: string, latencyMs: number] = ['', Number.POSITIVE_INFINITY]
    for (const [key, { latencyMs }] of this.#list) if (latencyMs < mildest[1]) mildest = [key, latencyMs]
    this.#list.delete(mildest[0])
  }

  #forget(now: number): void {
    for (const [key, { at }] of this.#list) if (now - at > this.#limits.expiryMs) this.#list.delete(key)
  }
}
