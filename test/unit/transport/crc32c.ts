/** CRC-32C by long division over bits, most significant first: slow, and written unlike what it checks. */

/** Polynomial 0x1EDC6F41, input and output reflected, initial value and final xor all ones (RFC 3720 12.1). */
export function crc32c(bytes: Uint8Array): number {
  let remainder = 0xffffffffn
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const input = BigInt((byte >> bit) & 1)
      const top = (remainder >> 31n) & 1n
      remainder = (remainder << 1n) & 0xffffffffn
      if (top !== input) remainder ^= 0x1edc6f41n
    }
  }
  let reflected = 0n
  for (let bit = 0n; bit < 32n; bit++) reflected |= ((remainder >> bit) & 1n) << (31n - bit)
  return Number(reflected ^ 0xffffffffn)
}
