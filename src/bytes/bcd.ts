/**
 * 8421 BCD: two decimal digits per octet, high nibble first. Devices also send nibbles above 9; those are kept as the
 * letters a-f, so that nothing is lost and re-encoding gives the same octets, and `isDecimal` tells them apart.
 */

import { toHex } from './hex.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** `2 * octets` digits; empty when the reader runs short. */
export function readBcd(reader: Reader, octets: number): string {
  const at = reader.offset
  reader.skip(octets)
  return reader.ok ? toHex(reader.bytes, at, at + octets) : ''
}

/** Writes exactly `octets` octets; shorter numbers are padded with zeros on the left. */
export function writeBcd(writer: Writer, digits: string, octets: number): void {
  const padding = 2 * octets - digits.length
  if (padding < 0) throw new RangeError(`'${digits}' does not fit BCD[${octets}]`)
  for (let i = -padding; i < digits.length; i += 2) writer.u8((nibble(digits, i) << 4) | nibble(digits, i + 1))
}

function nibble(digits: string, at: number): number {
  if (at < 0) return 0
  const code = digits.charCodeAt(at)
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  if (code >= 0x61 && code <= 0x66) return code - 0x57
  throw new RangeError(`'${digits}' is not BCD`)
}

/** False when one of the nibbles was above 9. */
export function isDecimal(digits: string): boolean {
  return /^[0-9]*$/.test(digits)
}
