/** Protection schemes of MQTT-SN 2.0 (protection encapsulation), one table: their numbers may move. */
import type { AeadCipher } from '#sdk'

export interface Scheme {
  readonly id: number
  /** Undefined authenticates only, with HMAC-SHA256. */
  readonly cipher: AeadCipher | undefined
  /** Undefined takes a key of any length. */
  readonly keyBytes: number | undefined
  /** What the tag length 1 stands for. */
  readonly tagBytes: number
  readonly nonceBytes: number
}

/** Leftmost 104 bits for CCM, 96 for GCM and ChaCha20. */
const CCM_NONCE = 13
const NONCE = 12

export const SCHEMES: Readonly<Record<string, Scheme>> = {
  'hmac-sha256': { id: 0x00, cipher: undefined, keyBytes: undefined, tagBytes: 32, nonceBytes: 0 },
  'aes-ccm-64-128': { id: 0x40, cipher: 'aes-128-ccm', keyBytes: 16, tagBytes: 8, nonceBytes: CCM_NONCE },
  'aes-ccm-64-192': { id: 0x41, cipher: 'aes-192-ccm', keyBytes: 24, tagBytes: 8, nonceBytes: CCM_NONCE },
  'aes-ccm-64-256': { id: 0x42, cipher: 'aes-256-ccm', keyBytes: 32, tagBytes: 8, nonceBytes: CCM_NONCE },
  'aes-ccm-128-128': { id: 0x43, cipher: 'aes-128-ccm', keyBytes: 16, tagBytes: 16, nonceBytes: CCM_NONCE },
  'aes-ccm-128-192': { id: 0x44, cipher: 'aes-192-ccm', keyBytes: 24, tagBytes: 16, nonceBytes: CCM_NONCE },
  'aes-ccm-128-256': { id: 0x45, cipher: 'aes-256-ccm', keyBytes: 32, tagBytes: 16, nonceBytes: CCM_NONCE },
  'aes-gcm-128-128': { id: 0x46, cipher: 'aes-128-gcm', keyBytes: 16, tagBytes: 16, nonceBytes: NONCE },
  'aes-gcm-128-192': { id: 0x47, cipher: 'aes-192-gcm', keyBytes: 24, tagBytes: 16, nonceBytes: NONCE },
  'aes-gcm-128-256': { id: 0x48, cipher: 'aes-256-gcm', keyBytes: 32, tagBytes: 16, nonceBytes: NONCE },
  'chacha20-poly1305': { id: 0x49, cipher: 'chacha20-poly1305', keyBytes: 32, tagBytes: 16, nonceBytes: NONCE },
}

export type SchemeName = keyof typeof SCHEMES & string

export const SCHEME_NAMES = Object.keys(SCHEMES) as [string, ...string[]]

/** 1 is nominal; 4 to 15, in units of 16 bits, only where nothing but a tag protects. Undefined: not allowed here. */
export function tagBytesOf(scheme: Scheme, tagLength: number): number | undefined {
  if (tagLength === 1) return scheme.tagBytes
  return tagLength >= 4 && scheme.cipher === undefined ? tagLength * 2 : undefined
}
