/**
 * Compressed octets as they were: DEFLATE (RFC 1951) in a gzip (RFC 1952) or zlib (RFC 1950) envelope. A few octets may stand for
 * a thousand times as many, so the caller says how many there may be.
 */
import { crc32 } from './checksum.ts'

/** `malformed`: broken, cut off, or with a wrong check code. */
export type InflateFault = 'malformed' | 'too-long'

/** What `bytes` hold, at most `maxBytes` octets. Of several gzip members, one after the other; what follows them is ignored. */
export function inflate(bytes: Uint8Array, maxBytes: number): Uint8Array | InflateFault {
  const input = new Bits(bytes)
  const output = new Output(maxBytes)
  const first = isGzip(bytes, 0)
  if (first) while (!input.failed && !output.full && isGzip(bytes, input.at)) member(input, output)
  else if (isZlib(bytes)) wrapped(input, output)
  else return 'malformed'
  if (output.full) return 'too-long'
  return input.failed ? 'malformed' : output.bytes()
}

/** Bits of octets, the lowest first; 0 once they are used up, and `failed`. */
class Bits {
  readonly #bytes: Uint8Array
  /** The next octet. */
  at = 0
  failed = false
  #held = 0
  #count = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** At most 16. */
  take(count: number): number {
    while (this.#count < count) {
      this.#held |= this.octet() << this.#count
      this.#count += 8
    }
    const value = this.#held & (2 ** count - 1)
    this.#held >>>= count
    this.#count -= count
    return value
  }

  octet(): number {
    const octet = this.#bytes[this.at]
    if (octet === undefined) this.fail()
    else this.at += 1
    return octet ?? 0
  }

  /** What is left of an octet does not count. */
  align(): void {
    this.#held = 0
    this.#count = 0
  }

  slice(count: number): Uint8Array {
    const part = this.#bytes.subarray(this.at, this.at + count)
    if (part.length < count) this.fail()
    this.at += part.length
    return part
  }

  fail(): void {
    this.failed = true
  }
}

const FIRST_OCTETS = 1024

/** Grows as it is filled. `full` when there would have been more than its limit. */
class Output {
  readonly #limit: number
  #bytes = new Uint8Array(FIRST_OCTETS)
  length = 0
  full = false

  constructor(limit: number) {
    this.#limit = limit
  }

  bytes(start = 0): Uint8Array {
    return this.#bytes.subarray(start, this.length)
  }

  put(octet: number): void {
    if (this.#reserve(1)) this.#bytes[this.length++] = octet
  }

  append(part: Uint8Array): void {
    if (!this.#reserve(part.length)) return
    this.#bytes.set(part, this.length)
    this.length += part.length
  }

  /** What stands `distance` back, which may reach into what is being written. */
  repeat(count: number, distance: number): void {
    if (!this.#reserve(count)) return
    const bytes = this.#bytes
    for (let left = count; left > 0; left--) {
      bytes[this.length] = bytes[this.length - distance] as number
      this.length += 1
    }
  }

  #reserve(count: number): boolean {
    const length = this.length + count
    this.full ||= length > this.#limit
    if (this.full) return false
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(Math.max(length, 2 * this.#bytes.length), Math.max(this.#limit, length)))
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    return true
  }
}

// ---- envelopes -----------------------------------------------------------------------------------------------------

function isGzip(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x1f && bytes[at + 1] === 0x8b
}

/** RFC 1950 2.2: method 8, and a head that 31 divides. */
function isZlib(bytes: Uint8Array): boolean {
  const [head = 0, flags = 0] = bytes
  return (head & 0xf) === 8 && (head * 256 + flags) % 31 === 0
}

const Flag = { crc: 0x02, extra: 0x04, name: 0x08, comment: 0x10, reserved: 0xe0 } as const
const DEFLATE = 8

/** RFC 1952 2.3 */
function member(input: Bits, output: Output): void {
  input.slice(2)
  const method = input.octet()
  const flags = input.octet()
  if (method !== DEFLATE || (flags & Flag.reserved) !== 0) input.fail()
  input.slice(6)
  if ((flags & Flag.extra) !== 0) input.slice(input.take(16))
  for (const text of [Flag.name, Flag.comment]) if ((flags & text) !== 0) while (input.octet() !== 0);
  if ((flags & Flag.crc) !== 0) input.slice(2)
  const start = output.length
  blocks(input, output)
  if (input.failed || output.full) return
  const code = input.take(16) | (input.take(16) << 16)
  const length = (input.take(16) | (input.take(16) << 16)) >>> 0
  const content = output.bytes(start)
  if (crc32(content) !== code || content.length !== length) input.fail()
}

const PRESET_DICTIONARY = 0x20

/** RFC 1950 2.2 */
function wrapped(input: Bits, output: Output): void {
  input.octet()
  if ((input.octet() & PRESET_DICTIONARY) !== 0) input.fail()
  blocks(input, output)
  if (input.failed || output.full) return
  const code = [input.octet(), input.octet(), input.octet(), input.octet()].reduce((sum, octet) => sum * 256 + octet, 0)
  if (adler32(output.bytes()) !== code) input.fail()
}

/** RFC 1950 8.2 */
function adler32(bytes: Uint8Array): number {
  let low = 1
  let high = 0
  for (const octet of bytes) {
    low = (low + octet) % 65_521
    high = (high + low) % 65_521
  }
  return high * 65_536 + low
}

// ---- DEFLATE -------------------------------------------------------------------------------------------------------

/** RFC 1951 3.2.3 */
function blocks(input: Bits, output: Output): void {
  let isLast = false
  while (!isLast && !input.failed && !output.full) {
    isLast = input.take(1) === 1
    const kind = input.take(2)
    if (kind === 0) stored(input, output)
    else if (kind === 1) compressed(input, output, FIXED)
    else if (kind === 2) dynamic(input, output)
    else input.fail()
  }
  input.align()
}

/** RFC 1951 3.2.4 */
function stored(input: Bits, output: Output): void {
  input.align()
  const length = input.take(16)
  if ((length ^ input.take(16)) !== 0xffff) input.fail()
  else output.append(input.slice(length))
}

/** A canonical Huffman code (RFC 1951 3.2.2): how many codes there are of each length, and their symbols in order. */
interface Code {
  readonly counts: Uint16Array
  readonly symbols: Uint16Array
}

interface Codes {
  readonly literals: Code
  readonly distances: Code
}

const MAX_BITS = 15

/** Undefined when there are more codes than fit. */
function codeOf(lengths: Uint8Array): Code | undefined {
  const counts = new Uint16Array(MAX_BITS + 1)
  for (const length of lengths) counts[length] = (counts[length] as number) + 1
  counts[0] = 0
  const starts = new Uint16Array(MAX_BITS + 2)
  let left = 1
  for (let length = 1; length <= MAX_BITS; length++) {
    const count = counts[length] as number
    left = 2 * left - count
    if (left < 0) return undefined
    starts[length + 1] = (starts[length] as number) + count
  }
  const symbols = new Uint16Array(starts[MAX_BITS + 1] as number)
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue
    const at = starts[length] as number
    symbols[at] = symbol
    starts[length] = at + 1
  }
  return { counts, symbols }
}

/** The next symbol; bits that are no code fail. */
function symbolOf(input: Bits, { counts, symbols }: Code): number {
  let code = 0
  let first = 0
  let index = 0
  for (let length = 1; length <= MAX_BITS; length++) {
    code |= input.take(1)
    const count = counts[length] as number
    if (code - first < count) return symbols[index + code - first] as number
    index += count
    first = (first + count) << 1
    code <<= 1
  }
  input.fail()
  return END
}

const END = 256
/** RFC 1951 3.2.5: from symbol 257 on. */
const LENGTHS = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
]
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]
const DISTANCES = Array.from({ length: 30 }, (_, at) => (at < 4 ? at + 1 : 1 + (2 + (at & 1)) * 2 ** ((at >> 1) - 1)))
const DISTANCE_BITS = Array.from({ length: 30 }, (_, at) => (at < 4 ? 0 : (at >> 1) - 1))

function compressed(input: Bits, output: Output, { literals, distances }: Codes): void {
  while (!input.failed && !output.full) {
    const symbol = symbolOf(input, literals)
    if (symbol === END) return
    if (symbol < END) {
      output.put(symbol)
      continue
    }
    const length = LENGTHS[symbol - END - 1]
    const count = (length ?? 0) + input.take(LENGTH_BITS[symbol - END - 1] ?? 0)
    const far = symbolOf(input, distances)
    const distance = (DISTANCES[far] ?? 0) + input.take(DISTANCE_BITS[far] ?? 0)
    if (length === undefined || distance === 0 || distance > output.length) input.fail()
    else if (!input.failed) output.repeat(count, distance)
  }
}

/** RFC 1951 3.2.6 */
const FIXED: Codes = {
  literals: codeOf(Uint8Array.from({ length: 288 }, (_, at) => (at < 144 ? 8 : at < 256 ? 9 : at < 280 ? 7 : 8))) as Code,
  distances: codeOf(new Uint8Array(30).fill(5)) as Code,
}

/** RFC 1951 3.2.7: in this order stand the lengths of the code that the other lengths are written in. */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
const MAX_LITERALS = 286
const MAX_DISTANCES = 30

function dynamic(input: Bits, output: Output): void {
  const literals = 257 + input.take(5)
  const distances = 1 + input.take(5)
  const written = new Uint8Array(ORDER.length)
  for (let left = 4 + input.take(4), at = 0; at < left; at++) written[ORDER[at] as number] = input.take(3)
  const code = codeOf(written)
  const lengths = code && readLengths(input, code, literals + distances)
  // Without a code for the end a block would have none.
  const codes = lengths !== undefined &&
    lengths[END] !== 0 && {
      literals: codeOf(lengths.subarray(0, literals)),
      distances: codeOf(lengths.subarray(literals)),
    }
  if (literals > MAX_LITERALS || distances > MAX_DISTANCES || !codes || !codes.literals || !codes.distances) input.fail()
  else compressed(input, output, { literals: codes.literals, distances: codes.distances })
}

/** Undefined when a repetition goes beyond the end, or there is nothing to repeat. */
function readLengths(input: Bits, code: Code, total: number): Uint8Array | undefined {
  const lengths = new Uint8Array(total)
  let at = 0
  while (at < total && !input.failed) {
    const symbol = symbolOf(input, code)
    if (symbol < 16) {
      lengths[at++] = symbol
      continue
    }
    const [value, count] =
      symbol === 16 ? [lengths[at - 1], 3 + input.take(2)] : symbol === 17 ? [0, 3 + input.take(3)] : [0, 11 + input.take(7)]
    if (value === undefined || at + count > total) return undefined
    lengths.fill(value, at, at + count)
    at += count
  }
  return input.failed ? undefined : lengths
}
