/** HKDF with SHA-256, RFC 5869, which derives the keys of a context. RFC 8613 3.2 */
import type { Crypto } from '#sdk'

const HASH_BYTES = 32

/** Up to 32 octets: none of OSCORE's keys is longer, so that one block is enough. RFC 5869 2.3 */
export function deriveKey(primitives: Crypto, secret: Uint8Array, salt: Uint8Array, info: Uint8Array, bytes: number): Uint8Array {
  if (bytes > HASH_BYTES) throw new RangeError(`at most ${HASH_BYTES} octets are derived`)
  const pseudoRandomKey = primitives.hmacSha256(salt, secret)
  return Uint8Array.from(primitives.hmacSha256(pseudoRandomKey, Uint8Array.of(...info, 1)).subarray(0, bytes))
}
