/**
 * What waits to be flushed, for all wires of the process: byte ranges in linked lists over parallel arrays. A wire
 * keeps two indices. Nothing is allocated per message, and a range that touches the last one of its list extends it,
 * so that a burst forwarded from one chunk stays one range.
 */

/** No range: an empty list, or its end. */
export const NONE = -1

/** Arrays that grew beyond this in one turn are let go when they are empty again. */
const KEPT_RANGES = 16_384

const RELEASED = new Uint8Array(0)

export class RangePool {
  readonly bytes: Uint8Array[] = []
  readonly start: number[] = []
  readonly end: number[] = []
  readonly next: number[] = []
  #free = NONE
  #live = 0

  /** Appends to the list that ends at `tail`; returns its new end, which is `tail` when the ranges merged. */
  append(tail: number, bytes: Uint8Array, start: number, end: number): number {
    if (tail !== NONE && this.end[tail] === start && this.bytes[tail] === bytes) {
      this.end[tail] = end
      return tail
    }
    let index = this.#free
    if (index === NONE) {
      index = this.bytes.length
      this.bytes.push(bytes)
      this.start.push(start)
      this.end.push(end)
      this.next.push(NONE)
    } else {
      this.#free = this.next[index] as number
      this.bytes[index] = bytes
      this.start[index] = start
      this.end[index] = end
      this.next[index] = NONE
    }
    if (tail !== NONE) this.next[tail] = index
    this.#live++
    return index
  }

  /** Gives a whole list back and drops its bytes. */
  release(head: number): void {
    let index = head
    let last = NONE
    while (index !== NONE) {
      this.bytes[index] = RELEASED
      this.#live--
      last = index
      index = this.next[index] as number
    }
    if (last === NONE) return
    if (this.#live === 0 && this.bytes.length > KEPT_RANGES) {
      this.bytes.length = this.start.length = this.end.length = this.next.length = 0
      this.#free = NONE
      return
    }
    this.next[last] = this.#free
    this.#free = head
  }

  /** Ranges in lists now. */
  get live(): number {
    return this.#live
  }
}
