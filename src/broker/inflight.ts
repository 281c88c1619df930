/**
 * The delivery window of one client: deliveries that wait for their acknowledgement, by packet identifier. A ring
 * indexed by the identifier's low bits: identifiers are handed out in sequence, so add and take touch one slot and
 * hash nothing, also when acknowledgements come out of order.
 */
import type { DeliveryRecord } from './delivery.ts'

const FIRST_CAPACITY = 4
const MAX_ID = 65535 // [OASIS 2.2.1-3]: two octets, never 0

export class Inflight {
  #ring: (DeliveryRecord | undefined)[] = new Array(FIRST_CAPACITY)
  #mask = FIRST_CAPACITY - 1
  #next = 0
  size = 0

  /** Gives `record` an identifier and keeps it. At most 65535 may be open: the caller's window is smaller. */
  add(record: DeliveryRecord): void {
    if (this.size > this.#mask >> 1 && this.#mask < MAX_ID) this.#grow()
    let id = this.#next
    do {
      id = id >= MAX_ID ? 1 : id + 1
    } while (this.#ring[id & this.#mask] !== undefined)
    this.#next = id
    record.id = id
    this.#ring[id & this.#mask] = record
    this.size++
  }

  /** Keeps `record` under the identifier that it has. False when that is taken. */
  restore(record: DeliveryRecord): boolean {
    if (this.get(record.id) !== undefined) return false
    while (this.#ring[record.id & this.#mask] !== undefined) this.#grow()
    this.#ring[record.id & this.#mask] = record
    this.#next = record.id
    this.size++
    return true
  }

  get(id: number): DeliveryRecord | undefined {
    const record = this.#ring[id & this.#mask]
    return record !== undefined && record.id === id ? record : undefined
  }

  /** Frees the identifier. */
  take(id: number): DeliveryRecord | undefined {
    const slot = id & this.#mask
    const record = this.#ring[slot]
    if (record === undefined || record.id !== id) return undefined
    this.#ring[slot] = undefined
    this.size--
    return record
  }

  /** In the order in which they were first sent. */
  inOrder(): DeliveryRecord[] {
    const records: DeliveryRecord[] = []
    for (const record of this.#ring) if (record !== undefined) records.push(record)
    return records.sort((a, b) => a.order - b.order)
  }

  #grow(): void {
    const old = this.#ring
    const capacity = (this.#mask + 1) * 2
    this.#mask = capacity - 1
    this.#ring = new Array(capacity)
    // Identifiers that differed in their low bits still do, so no two collide in the larger ring.
    for (const record of old) if (record !== undefined) this.#ring[record.id & this.#mask] = record
  }
}
