/**
 * Bytes of one wire that the kernel would not take yet. Small ranges are copied together, so that what waits costs
 * what it counts: a kept view of some bytes would keep the whole buffer around them.
 */

import { copyRange, mayView, view } from './byte-ranges.ts'

const FIRST_BLOCK_BYTES = 4096
const LARGEST_BLOCK_BYTES = 65_536

export class Backlog {
  readonly #blocks: Buffer[] = []
  /** Bytes used of the last block, when it is one that was allocated here and has room. */
  #filled = 0
  #open = false
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  append(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes += end - start
    if (end - start >= LARGEST_BLOCK_BYTES / 4 && mayView(bytes, end - start)) {
      this.#seal()
      this.#blocks.push(view(bytes, start, end))
      return
    }
    for (let from = start; from < end; ) {
      const block = this.#room()
      const count = Math.min(end - from, block.length - this.#filled)
      copyRange(block, this.#filled, bytes, from, from + count)
      this.#filled += count
      from += count
    }
  }

  /** Takes whole blocks from the front: at least one, and no more than fit `limit`. */
  take(limit: number): Buffer[] {
    this.#seal()
    let count = 0
    let bytes = 0
    for (const block of this.#blocks) {
      if (count > 0 && bytes + block.length > limit) break
      bytes += block.length
      count++
    }
    this.#bytes -= bytes
    return this.#blocks.splice(0, count)
  }

  #room(): Buffer {
    const last = this.#blocks.at(-1)
    if (this.#open && last !== undefined && this.#filled < last.length) return last
    this.#seal()
    const size = Math.min(LARGEST_BLOCK_BYTES, Math.max(FIRST_BLOCK_BYTES, this.#bytes))
    const block = Buffer.allocUnsafeSlow(size)
    this.#blocks.push(block)
    this.#open = true
    return block
  }

  /** Cuts the last block to what it holds. */
  #seal(): void {
    if (this.#open) {
      const last = this.#blocks.length - 1
      this.#blocks[last] = (this.#blocks[last] as Buffer).subarray(0, this.#filled)
    }
    this.#open = false
    this.#filled = 0
  }
}
