/** Check codes over octet ranges. */

/** XOR of `bytes[start, end)`. */
export function xor(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let sum = 0
  for (let i = start; i < end; i++) sum ^= bytes[i] as number
  return sum
}

/** 32-bit FNV-1a of `bytes[start, end)`: a fingerprint to tell a repeated frame from a new one. Not for security. */
export function fnv1a(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193)
  return hash >>> 0
}
