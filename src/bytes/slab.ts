/**
 * Small packets written one behind the other into a large buffer. Neighbours handed to one wire leave as one range,
 * so an acknowledgement costs four stored bytes and no object. A full slab is replaced, never reused: receivers keep
 * what they were given.
 */

const SLAB_BYTES = 64 * 1024
/** Larger reservations get a buffer of their own and leave the current slab alone. */
const LARGEST_SHARED = SLAB_BYTES / 4

export class Slab {
  #shared = Buffer.allocUnsafeSlow(SLAB_BYTES)
  #used = 0
  /** The buffer of the last reservation. */
  bytes: Buffer = this.#shared

  /** Offset in `bytes` of `length` writable octets. */
  reserve(length: number): number {
    if (length > LARGEST_SHARED) {
      this.bytes = Buffer.allocUnsafeSlow(length)
      return 0
    }
    if (this.#used + length > SLAB_BYTES) {
      this.#shared = Buffer.allocUnsafeSlow(SLAB_BYTES)
      this.#used = 0
    }
    const at = this.#used
    this.#used += length
    this.bytes = this.#shared
    return at
  }
}
