/**
 * A big-endian cursor over bytes that somebody else wrote. It fails sticky: the first read that does not fit sets `ok`
 * to false, that read and all later ones give zeros or empties, and `offset` stays where the fault was. It never throws
 * and never clamps, so a codec reads straight through and looks at `ok` once, at the end.
 */

const NOTHING = new Uint8Array(0)

export class Reader {
  readonly bytes: Uint8Array
  /** Index into `bytes` of the next octet; after a failure, of the field that did not fit. */
  offset: number
  ok = true
  #end: number

  /** Reads `bytes[start, end)`. */
  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.offset = start
    this.#end = end
    if (start < 0 || end > bytes.length || start > end) this.fail()
  }

  /** Octets left; 0 after a failure. */
  get remaining(): number {
    return this.#end - this.offset
  }

  /** Declares the input unreadable from here on (a value that makes no sense, say). */
  fail(): void {
    this.ok = false
    this.#end = this.offset
  }

  u8(): number {
    const at = this.offset
    if (at + 1 > this.#end) {
      this.fail()
      return 0
    }
    this.offset = at + 1
    return this.bytes[at] as number
  }

  u16(): number {
    const at = this.offset
    if (at + 2 > this.#end) {
      this.fail()
      return 0
    }
    this.offset = at + 2
    const bytes = this.bytes
    return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
  }

  u32(): number {
    const at = this.offset
    if (at + 4 > this.#end) {
      this.fail()
      return 0
    }
    this.offset = at + 4
    const bytes = this.bytes
    return (
      (((bytes[at] as number) << 24) |
        ((bytes[at + 1] as number) << 16) |
        ((bytes[at + 2] as number) << 8) |
        (bytes[at + 3] as number)) >>>
      0
    )
  }

  /** Two's complement. */
  i16(): number {
    return (this.u16() << 16) >> 16
  }

  /** A view of the next `count` octets; empty when they are not all there. */
  take(count: number): Uint8Array {
    const at = this.offset
    if (count < 0 || at + count > this.#end) {
      this.fail()
      return NOTHING
    }
    this.offset = at + count
    return this.bytes.subarray(at, at + count)
  }

  /** A view of all that is left, possibly empty. */
  rest(): Uint8Array {
    return this.take(this.#end - this.offset)
  }

  /** Steps over `count` octets. */
  skip(count: number): void {
    if (count < 0 || this.offset + count > this.#end) this.fail()
    else this.offset += count
  }
}
