/** The option sets that a peer has used lately: a device sends the same options again and again. */
import { NO_OPTIONS, type OptionSet } from './option-set.ts'

export class OptionCache {
  readonly #limit: number
  /** Most peers need no more than this one. */
  #last = NO_OPTIONS
  #others: Map<string, OptionSet> | undefined = undefined

  /** At `limit` sets the cache starts over. */
  constructor(limit = 128) {
    this.#limit = limit
  }

  /** The set whose encoding is `bytes[start, end)`. */
  find(bytes: Uint8Array, start: number, end: number): OptionSet | undefined {
    if (this.#last.isEncodedAs(bytes, start, end)) return this.#last
    const set = this.#others?.get(keyOf(bytes, start, end))
    if (set !== undefined) this.#last = set
    return set
  }

  keep(set: OptionSet): void {
    if (this.#last !== NO_OPTIONS) {
      this.#others ??= new Map()
      if (this.#others.size >= this.#limit) this.#others.clear()
      this.#others.set(keyOf(this.#last.bytes), this.#last)
      this.#others.set(keyOf(set.bytes), set)
    }
    this.#last = set
  }
}

function keyOf(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}
