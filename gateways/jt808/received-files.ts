/** Files of one attachment connection, put together from their packets in any order. What all connections keep is bounded. */
import type { Budget } from './assemblies.ts'

/** What a packet takes besides its octets; an empty one is not free. */
const PIECE_COST = 128

/** Octets that a terminal is asked to send again. */
export interface Range {
  readonly offset: number
  readonly length: number
}

export class ReceivedFile {
  readonly name: string
  readonly type: number
  readonly size: number
  readonly #budget: Budget
  /** By offset. */
  readonly #pieces = new Map<number, Uint8Array>()
  #cost = 0

  constructor(name: string, type: number, size: number, budget: Budget) {
    this.name = name
    this.type = type
    this.size = size
    this.#budget = budget
  }

  /** Keeps a copy of a packet's data. */
  add(offset: number, data: Uint8Array): 'kept' | 'outside' | 'no-memory' {
    if (offset + data.length > this.size) return 'outside'
    const known = this.#pieces.get(offset)
    if (known !== undefined && known.length >= data.length) return 'kept'
    const cost = PIECE_COST + data.length
    if (this.#budget.used + cost > this.#budget.limit) return 'no-memory'
    this.#pieces.set(offset, new Uint8Array(data))
    this.#cost += cost
    this.#budget.used += cost
    return 'kept'
  }

  /** What has not come; at most `limit` ranges. */
  missing(limit: number): Range[] {
    const ranges: Range[] = []
    let end = 0
    for (const [offset, data] of this.#inOrder()) {
      if (offset > end) ranges.push({ offset: end, length: offset - end })
      end = Math.max(end, offset + data.length)
    }
    if (end < this.size) ranges.push({ offset: end, length: this.size - end })
    return ranges.slice(0, limit)
  }

  /** All of it; call when nothing is missing. */
  bytes(): Uint8Array {
    const whole = new Uint8Array(this.size)
    for (const [offset, data] of this.#inOrder()) whole.set(data, offset)
    return whole
  }

  drop(): void {
    this.#budget.used -= this.#cost
    this.#cost = 0
    this.#pieces.clear()
  }

  #inOrder(): [number, Uint8Array][] {
    return [...this.#pieces].sort(([a], [b]) => a - b)
  }
}
