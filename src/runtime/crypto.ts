/** The cryptography of Node.js, as gateways see it. */
import {
  type CipherCCM,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  type DecipherCCM,
  timingSafeEqual,
} from 'node:crypto'
import type { Aead, Crypto } from '../sdk.ts'

export const systemCrypto: Crypto = {
  sha256: (bytes) => createHash('sha256').update(bytes).digest(),
  hmacSha256: (key, bytes) => createHmac('sha256', key).update(bytes).digest(),
  isEqual: (a, b) => a.length === b.length && timingSafeEqual(a, b),
  seal(aead, plain) {
    const { key, nonce, associated } = aead
    // The types of Node.js know each mode alone; all of them have what is used here.
    const cipher = createCipheriv(aead.cipher as 'aes-128-ccm', key, nonce, { authTagLength: aead.tagBytes }) as CipherCCM
    cipher.setAAD(associated, { plaintextLength: plain.length })
    const bytes = Buffer.concat([cipher.update(plain), cipher.final()])
    return Buffer.concat([bytes, cipher.getAuthTag()])
  },
  open(aead, sealed) {
    const length = sealed.length - aead.tagBytes
    if (length < 0) return undefined
    const decipher = decipherOf(aead)
    decipher.setAuthTag(sealed.subarray(length))
    decipher.setAAD(aead.associated, { plaintextLength: length })
    try {
      // In CCM the check comes with `update`, else with `final`; a failed one is thrown either way.
      return Buffer.concat([decipher.update(sealed.subarray(0, length)), decipher.final()])
    } catch {
      return undefined
    }
  },
}

function decipherOf({ cipher, key, nonce, tagBytes }: Aead): DecipherCCM {
  return createDecipheriv(cipher as 'aes-128-ccm', key, nonce, { authTagLength: tagBytes }) as DecipherCCM
}
