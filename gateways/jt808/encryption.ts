/**
 * Encrypted bodies (JT/T 808 4.4.3 bits 10 to 12, 8.64, 8.65): RSA with 1024 bits, block after block. The text names no padding; this is
 * PKCS #1 v1.5, which RSA libraries of its time do by themselves. Nor does it say whether a long message is encrypted before it is cut
 * into parts or part by part: blocks are independent of each other, so that what its parts make together reads the same both ways.
 */
import type { Keys, RsaKey } from '#sdk'
import { type Message, type Of, readMessage } from './codec/index.ts'

/** 8.64: the modulus has 128 octets. */
export const KEY_BITS = 1024
const BLOCK_OCTETS = KEY_BITS / 8
/** RFC 8017 7.2.1: the padding takes 11. */
const PLAIN_OCTETS = BLOCK_OCTETS - 11

/** Octets of a body that fit a frame when they are encrypted: 7 blocks of 128 in 1023. */
export const MAX_PLAIN_BYTES = 7 * PLAIN_OCTETS

/** Attribute bits 10 to 12. */
export const RSA = 1

/** The message in an encrypted body; broken when it is not for this key. Its header still says that it was encrypted. */
export function decrypted(message: Of<'opaque'>, key: RsaKey): Message {
  const { header, body } = message
  if (header.encryption !== RSA) return message
  const plain = decryptBody(key, body)
  if (plain === undefined) return { ...message, why: 'malformed' }
  return { ...readMessage({ ...header, encryption: 0 }, plain, 0, plain.length), header }
}

function decryptBody(key: RsaKey, body: Uint8Array): Uint8Array | undefined {
  if (body.length % BLOCK_OCTETS !== 0) return undefined
  const blocks: Uint8Array[] = []
  for (let at = 0; at < body.length; at += BLOCK_OCTETS) {
    const plain = key.decrypt(body.subarray(at, at + BLOCK_OCTETS))
    if (plain === undefined) return undefined
    blocks.push(plain)
  }
  return Buffer.concat(blocks)
}

/** Turns the body of one frame into one that only the holder of a key can read. */
export type Cipher = (plain: Uint8Array) => Uint8Array

/** Undefined when what the terminal sent is no key. */
export function cipherFor(keys: Keys, e: number, n: Uint8Array): Cipher | undefined {
  const encrypt = (plain: Uint8Array) => keys.encrypt(e, n, plain)
  if (encrypt(new Uint8Array(PLAIN_OCTETS))?.length !== BLOCK_OCTETS) return undefined
  return (plain) => {
    const blocks: Uint8Array[] = []
    for (let at = 0; at < plain.length; at += PLAIN_OCTETS) {
      blocks.push(encrypt(plain.subarray(at, at + PLAIN_OCTETS)) as Uint8Array)
    }
    return Buffer.concat(blocks)
  }
}
