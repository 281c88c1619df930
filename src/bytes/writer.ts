/**
 * A growable big-endian buffer. One writer serves many messages: `reset()`, write, then `finish()` copies the result out
 * at its exact size, so that the buffer itself is allocated once and never escapes.
 */

export class Writer {
  /** The buffer; only `[0, length)` holds what was written, and it is replaced when it grows. */
  bytes: Uint8Array
  length = 0

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity)
  }

  reset(): this {
    this.length = 0
    return this
  }

  u8(value: number): this {
    const at = this.#reserve(1)
    this.bytes[at] = value
    return this
  }

  u16(value: number): this {
    const at = this.#reserve(2)
    const bytes = this.bytes
    bytes[at] = value >>> 8
    bytes[at + 1] = value
    return this
  }

  u32(value: number): this {
    const at = this.#reserve(4)
    const bytes = this.bytes
    bytes[at] = value >>> 24
    bytes[at + 1] = value >>> 16
    bytes[at + 2] = value >>> 8
    bytes[at + 3] = value
    return this
  }

  put(source: Uint8Array): this {
    const at = this.#reserve(source.length)
    this.bytes.set(source, at)
    return this
  }

  /** `count` octets of `value`. */
  fill(value: number, count: number): this {
    const at = this.#reserve(count)
    this.bytes.fill(value, at, at + count)
    return this
  }

  /** What was written, as a view that dies with the next write or reset. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }

  /** What was written, as a copy of its exact size. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length)
  }

  /** Makes room for `count` octets, counts them as written, and says where they begin. */
  #reserve(count: number): number {
    const at = this.length
    const length = at + count
    if (length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.bytes.length * 2))
      grown.set(this.bytes.subarray(0, at))
      this.bytes = grown
    }
    this.length = length
    return at
  }
}
