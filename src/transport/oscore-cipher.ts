/** OSCORE's cryptography by Node.js: AES-CCM-16-64-128 and HKDF with SHA-256. RFC 8613 3.2 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { type OscoreCipher, TAG_BYTES } from '../stacks/coap/oscore/cipher.ts'

const ALGORITHM = 'aes-128-ccm'
const OPTIONS = { authTagLength: TAG_BYTES } as const

export const oscoreCipher: OscoreCipher = {
  derive: (secret, salt, info, bytes) => new Uint8Array(hkdfSync('sha256', secret, salt, info, bytes)),

  seal(key, nonce, additional, plaintext) {
    const cipher = createCipheriv(ALGORITHM, key, nonce, OPTIONS)
    cipher.setAAD(additional, { plaintextLength: plaintext.length })
    const sealed = cipher.update(plaintext)
    cipher.final()
    return Buffer.concat([sealed, cipher.getAuthTag()])
  },

  open(key, nonce, additional, sealed) {
    if (sealed.length < TAG_BYTES) return undefined
    const length = sealed.length - TAG_BYTES
    const decipher = createDecipheriv(ALGORITHM, key, nonce, OPTIONS)
    decipher.setAuthTag(sealed.subarray(length))
    decipher.setAAD(additional, { plaintextLength: length })
    try {
      const plaintext = decipher.update(sealed.subarray(0, length))
      decipher.final()
      return plaintext
    } catch {
      // Node.js tells a forgery by an exception.
      return undefined
    }
  },
}
