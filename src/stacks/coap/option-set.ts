/** The options of one received message, RFC 7252 3.1 and 5.4. Immutable, and shared by messages with equal option bytes. */
import type { Option } from './options.ts'
import { decodeUint, isCritical, optionDefinition } from './options.ts'
import { decodeText } from './text.ts'

export class OptionSet {
  /** What a receiver computes from these options alone may be kept here, once, for every message that shares them. */
  memo: unknown = undefined

  /** The options' encoding. */
  readonly bytes: Uint8Array
  readonly #numbers: readonly number[]
  readonly #starts: readonly number[]
  readonly #ends: readonly number[]

  /** `numbers` ascend; value i is `bytes[starts[i], ends[i])`. The set owns `bytes`. */
  constructor(bytes: Uint8Array, numbers: readonly number[], starts: readonly number[], ends: readonly number[]) {
    this.bytes = bytes
    this.#numbers = numbers
    this.#starts = starts
    this.#ends = ends
  }

  get size(): number {
    return this.#numbers.length
  }

  /** The options as they stand in the message, valid or not. */
  list(): Option[] {
    return this.#numbers.map((number, i) => ({ number, value: this.#value(i) }))
  }

  /** True when `bytes[start, end)` is the encoding of this very set. */
  isEncodedAs(bytes: Uint8Array, start: number, end: number): boolean {
    const own = this.bytes
    if (own.length !== end - start) return false
    for (let i = 0; i < own.length; i++) if (own[i] !== bytes[start + i]) return false
    return true
  }

  has(number: number): boolean {
    return this.#first(number) >= 0
  }

  /** The first value with a valid length. */
  opaque(number: number): Uint8Array | undefined {
    const i = this.#first(number)
    return i < 0 ? undefined : this.#value(i)
  }

  uint(number: number): number | undefined {
    const i = this.#first(number)
    return i < 0 ? undefined : decodeUint(this.bytes, this.#starts[i] as number, this.#ends[i] as number)
  }

  text(number: number): string | undefined {
    const i = this.#first(number)
    return i < 0 ? undefined : this.#text(i)
  }

  /** Every value of a repeatable option that is well formed. */
  opaques(number: number): Uint8Array[] {
    const values: Uint8Array[] = []
    for (let i = 0; i < this.#numbers.length; i++) if (this.#numbers[i] === number && this.#fits(i)) values.push(this.#value(i))
    return values
  }

  texts(number: number): string[] {
    const values: string[] = []
    for (let i = 0; i < this.#numbers.length; i++) {
      if (this.#numbers[i] !== number || !this.#fits(i)) continue
      const text = this.#text(i)
      if (text !== undefined) values.push(text)
    }
    return values
  }

  /**
   * The first critical option that must be answered with 4.02: one that the receiver does not support, that is malformed,
   * or that is repeated although it may not be. RFC 7252 5.4.1, 5.4.3, 5.4.5
   */
  unacceptable(supported: ReadonlySet<number>): number | undefined {
    let previous = -1
    for (let i = 0; i < this.#numbers.length; i++) {
      const number = this.#numbers[i] as number
      const repeated = number === previous
      previous = number
      if (!isCritical(number)) continue
      const definition = optionDefinition(number)
      if (definition === undefined || !supported.has(number) || !this.#fits(i)) return number
      if (repeated && definition.repeatable === 'no') return number
      if (definition.format === 'string' && this.#text(i) === undefined) return number
    }
    return undefined
  }

  #first(number: number): number {
    const numbers = this.#numbers
    if (numbers.length === 0 || (numbers[numbers.length - 1] as number) < number) return -1
    const i = numbers.indexOf(number)
    return i >= 0 && this.#fits(i) ? i : -1
  }

  /** RFC 7252 5.4.3: an option whose length is out of range is treated like one that is not recognised. */
  #fits(i: number): boolean {
    const definition = optionDefinition(this.#numbers[i] as number)
    if (definition === undefined) return true
    const length = (this.#ends[i] as number) - (this.#starts[i] as number)
    return length >= definition.minLength && length <= definition.maxLength
  }

  #value(i: number): Uint8Array {
    return this.bytes.subarray(this.#starts[i], this.#ends[i])
  }

  #text(i: number): string | undefined {
    return decodeText(this.#value(i))
  }
}

export const NO_OPTIONS = new OptionSet(new Uint8Array(0), [], [], [])
