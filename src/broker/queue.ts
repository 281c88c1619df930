/** A client's bounded queue: first in first out, counted in messages and in payload bytes. */
import type { DeliveryRecord } from './delivery.ts'
import type { BrokerStats } from './stats.ts'

const FIRST_CAPACITY = 8
/** What a queued message costs besides its payload; bounds queues of empty messages too. */
export const RECORD_BYTES = 128

export class DeliveryQueue {
  #ring: (DeliveryRecord | undefined)[] = new Array(FIRST_CAPACITY)
  #head = 0
  readonly #stats: BrokerStats
  size = 0
  bytes = 0

  constructor(stats: BrokerStats) {
    this.#stats = stats
  }

  push(record: DeliveryRecord): void {
    if (this.size === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.size) & (this.#ring.length - 1)] = record
    this.#count(record, 1)
  }

  /** Back to the front: the receiver was busy after all. */
  unshift(record: DeliveryRecord): void {
    if (this.size === this.#ring.length) this.#grow()
    this.#head = (this.#head - 1) & (this.#ring.length - 1)
    this.#ring[this.#head] = record
    this.#count(record, 1)
  }

  shift(): DeliveryRecord | undefined {
    const record = this.#ring[this.#head]
    if (record === undefined) return undefined
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#count(record, -1)
    if (this.size === 0 && this.#ring.length > 256) this.#reset()
    return record
  }

  /** In order. */
  each(visit: (record: DeliveryRecord) => void): void {
    const mask = this.#ring.length - 1
    for (let i = 0; i < this.size; i++) visit(this.#ring[(this.#head + i) & mask] as DeliveryRecord)
  }

  /** Removes what `unwanted` names and hands it over, keeping the order of the rest. */
  purge(unwanted: (record: DeliveryRecord) => boolean, removed: (record: DeliveryRecord) => void): void {
    for (let left = this.size; left > 0; left--) {
      const record = this.shift() as DeliveryRecord
      if (unwanted(record)) removed(record)
      else this.push(record)
    }
  }

  #count(record: DeliveryRecord, sign: 1 | -1): void {
    const bytes = sign * (record.message.size + RECORD_BYTES)
    this.size += sign
    this.bytes += bytes
    this.#stats.queued += sign
    this.#stats.queuedBytes += bytes
  }

  #grow(): void {
    const capacity = this.#ring.length
    const larger: (DeliveryRecord | undefined)[] = new Array(capacity * 2)
    for (let i = 0; i < this.size; i++) larger[i] = this.#ring[(this.#head + i) & (capacity - 1)]
    this.#ring = larger
    this.#head = 0
  }

  #reset(): void {
    this.#ring = new Array(FIRST_CAPACITY)
    this.#head = 0
  }
}
