/** The AEAD algorithms of COSE that OSCORE may use, RFC 9053 4: nonces of 12 octets at least, for the ids to have room. RFC 8613 3.3 */
import type { AeadCipher } from '#sdk'

export interface AeadAlgorithm {
  /** COSE's number. */
  readonly id: number
  readonly cipher: AeadCipher
  readonly keyBytes: number
  readonly nonceBytes: number
  readonly tagBytes: number
}

export const AEAD_ALGORITHMS = {
  'AES-CCM-16-64-128': { id: 10, cipher: 'aes-128-ccm', keyBytes: 16, nonceBytes: 13, tagBytes: 8 },
  'AES-CCM-16-64-256': { id: 11, cipher: 'aes-256-ccm', keyBytes: 32, nonceBytes: 13, tagBytes: 8 },
  'AES-CCM-16-128-128': { id: 30, cipher: 'aes-128-ccm', keyBytes: 16, nonceBytes: 13, tagBytes: 16 },
  'AES-CCM-16-128-256': { id: 31, cipher: 'aes-256-ccm', keyBytes: 32, nonceBytes: 13, tagBytes: 16 },
  A128GCM: { id: 1, cipher: 'aes-128-gcm', keyBytes: 16, nonceBytes: 12, tagBytes: 16 },
  A256GCM: { id: 3, cipher: 'aes-256-gcm', keyBytes: 32, nonceBytes: 12, tagBytes: 16 },
  'ChaCha20-Poly1305': { id: 24, cipher: 'chacha20-poly1305', keyBytes: 32, nonceBytes: 12, tagBytes: 16 },
} as const satisfies Readonly<Record<string, AeadAlgorithm>>

export type AeadName = keyof typeof AEAD_ALGORITHMS

/** The algorithm that everybody has. RFC 8613 3.2 */
export const DEFAULT_AEAD: AeadName = 'AES-CCM-16-64-128'

/** Octets of a sender or recipient id at most. RFC 8613 3.3 */
export function maxIdBytes({ nonceBytes }: AeadAlgorithm): number {
  return nonceBytes - 6
}
