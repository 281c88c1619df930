/**
 * CRC-32 of ISO 3309, as zlib counts it. Records of the store are short, and a native call costs more than eight table
 * look-ups at a time until about this length.
 */
import { crc32 as nativeCrc32 } from 'node:zlib'
import { crc32 as tableCrc32 } from '../bytes/checksum.ts'

const NATIVE_FROM_BYTES = 256

/** Signed CRC-32 of `bytes[start, end)`; `before` is the code of what stands in front of them. */
export function crc32(bytes: Uint8Array, start: number, end: number, before = 0): number {
  if (end - start >= NATIVE_FROM_BYTES) return nativeCrc32(bytes.subarray(start, end), before >>> 0) | 0
  return tableCrc32(bytes, start, end, before)
}
