/**
 * Cryptography for gateways whose protocol has some of its own: they may not reach for it themselves, since they are
 * pure. Everything answers at once, and nothing throws for what a peer sent.
 */

export type AeadCipher =
  | 'aes-128-ccm'
  | 'aes-192-ccm'
  | 'aes-256-ccm'
  | 'aes-128-gcm'
  | 'aes-192-gcm'
  | 'aes-256-gcm'
  | 'chacha20-poly1305'

/** Key and nonce must have the lengths that the cipher asks for: a wrong one is a mistake of the caller, and throws. */
export interface Aead {
  readonly cipher: AeadCipher
  readonly key: Uint8Array
  readonly nonce: Uint8Array
  /** Octets of the tag. */
  readonly tagBytes: number
  /** What is authenticated and not encrypted. */
  readonly associated: Uint8Array
}

export interface Crypto {
  sha256(bytes: Uint8Array): Uint8Array
  hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array
  /** In a time that does not tell where they differ. */
  isEqual(a: Uint8Array, b: Uint8Array): boolean
  /** Ciphertext, and the tag behind it. */
  seal(aead: Aead, plain: Uint8Array): Uint8Array
  /** Undefined: this is not what was sealed. */
  open(aead: Aead, sealed: Uint8Array): Uint8Array | undefined
}
