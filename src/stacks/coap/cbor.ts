/** As much of CBOR (RFC 8949) as the stack writes: small unsigned integers, strings, arrays, null. */
import { encodeText } from './text.ts'

export type CborItem = number | string | Uint8Array | null | readonly CborItem[]

const UNSIGNED = 0
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const NULL = 0xf6

/** Integers, and lengths, up to 2^32 - 1. */
export function encodeCbor(item: CborItem): Uint8Array {
  const octets: number[] = []
  write(octets, item)
  return Uint8Array.from(octets)
}

function write(octets: number[], item: CborItem): void {
  if (item === null) {
    octets.push(NULL)
  } else if (typeof item === 'number') {
    head(octets, UNSIGNED, item)
  } else if (typeof item === 'string') {
    const text = encodeText(item)
    head(octets, TEXT, text.length)
    octets.push(...text)
  } else if (item instanceof Uint8Array) {
    head(octets, BYTES, item.length)
    octets.push(...item)
  } else {
    head(octets, ARRAY, item.length)
    for (const member of item) write(octets, member)
  }
}

function head(octets: number[], major: number, value: number): void {
  const type = major << 5
  if (value < 24) octets.push(type | value)
  else if (value < 0x100) octets.push(type | 24, value)
  else if (value < 0x10000) octets.push(type | 25, value >> 8, value & 0xff)
  else octets.push(type | 26, value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
}
