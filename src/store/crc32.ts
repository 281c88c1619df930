/**
 * CRC-32 of ISO 3309, as zlib counts it. Records of the store are short, and a native call costs more than eight table
 * look-ups at a time until about this length.
 */
import { crc32 as nativeCrc32 } from 'node:zlib'

const NATIVE_FROM_BYTES = 256
const POLYNOMIAL = 0xedb88320 // reversed bits

/** Table n is the code of an octet that n zero octets follow. */
const TABLES = new Int32Array(8 * 256)
for (let octet = 0; octet < 256; octet++) {
  let code = octet
  for (let bit = 0; bit < 8; bit++) code = (code & 1) === 1 ? POLYNOMIAL ^ (code >>> 1) : code >>> 1
  TABLES[octet] = code
}
for (let at = 256; at < TABLES.length; at++) {
  const code = TABLES[at - 256] as number
  TABLES[at] = (TABLES[code & 255] as number) ^ (code >>> 8)
}

/** Signed CRC-32 of `bytes[start, end)`; `before` is the code of what stands in front of them. */
export function crc32(bytes: Uint8Array, start: number, end: number, before = 0): number {
  if (end - start >= NATIVE_FROM_BYTES) return nativeCrc32(bytes.subarray(start, end), before >>> 0) | 0
  const table = TABLES
  let code = ~before
  let at = start
  for (; at + 8 <= end; at += 8) {
    const first =
      code ^
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24))
    code =
      (table[1792 + (first & 255)] as number) ^
      (table[1536 + ((first >>> 8) & 255)] as number) ^
      (table[1280 + ((first >>> 16) & 255)] as number) ^
      (table[1024 + (first >>> 24)] as number) ^
      (table[768 + (bytes[at + 4] as number)] as number) ^
      (table[512 + (bytes[at + 5] as number)] as number) ^
      (table[256 + (bytes[at + 6] as number)] as number) ^
      (table[bytes[at + 7] as number] as number)
  }
  for (; at < end; at++) code = (table[(code ^ (bytes[at] as number)) & 255] as number) ^ (code >>> 8)
  return ~code
}
