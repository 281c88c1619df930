/** The cryptography that OSCORE needs, RFC 8613 3.2: given from outside, since a stack reaches for nothing. */
export interface OscoreCipher {
  /** HKDF with SHA-256, RFC 5869: so many bytes. */
  derive(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, bytes: number): Uint8Array
  /** AES-CCM-16-64-128, RFC 9053 4.2: the ciphertext with its tag of 8 bytes. */
  seal(key: Uint8Array, nonce: Uint8Array, additional: Uint8Array, plaintext: Uint8Array): Uint8Array
  /** The plaintext, or undefined when it is not what was sealed. */
  open(key: Uint8Array, nonce: Uint8Array, additional: Uint8Array, sealed: Uint8Array): Uint8Array | undefined
}

/** COSE: AES-CCM-16-64-128, the algorithm that everybody has. RFC 8613 3.2 */
export const AES_CCM_16_64_128 = 10
export const KEY_BYTES = 16
export const NONCE_BYTES = 13
export const TAG_BYTES = 8
