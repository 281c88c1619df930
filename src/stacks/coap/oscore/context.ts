/** A security context that both sides were given beforehand: RFC 8613 section 3, nonces 5.2, sequence numbers 7.2. */
import type { Crypto } from '#sdk'
import { equalBytes } from '../block.ts'
import { encodeCbor } from '../cbor.ts'
import type { EchoGuard } from '../echo.ts'
import { encodeUint } from '../options.ts'
import { AEAD_ALGORITHMS, type AeadAlgorithm, type AeadName, DEFAULT_AEAD, maxIdBytes } from './algorithms.ts'
import { deriveKey } from './key-derivation.ts'
import { ReplayWindow, type SeenNumbers } from './replay-window.ts'

export interface ContextInput {
  readonly masterSecret: Uint8Array
  readonly masterSalt?: Uint8Array | undefined
  /** Not equal, and not too long for the algorithm. RFC 8613 3.3 */
  readonly senderId: Uint8Array
  readonly recipientId: Uint8Array
  readonly idContext?: Uint8Array | undefined
  readonly algorithm?: AeadName | undefined
  /** The first sequence number that was never used with these keys: one used twice gives the key away. RFC 8613 7.2.1, B.1.1 */
  readonly nextSequence?: number | undefined
  /** What is known of the peer's numbers. */
  readonly seen?: SeenNumbers | 'lost' | undefined
  /** Called before the first number is used that was not reserved: whoever restores the context begins at `end`. */
  readonly reserve?: ((end: number) => void) | undefined
}

/** Sequence numbers that are reserved at a time: K of RFC 8613 B.1.1. */
const RESERVED_AT_ONCE = 1024

const NO_BYTES = new Uint8Array(0)
const PARTIAL_IV_BYTES = 5
const MAX_SEQUENCE = 2 ** 40 - 1 // RFC 8613 7.2.1

export class SecurityContext {
  readonly senderId: Uint8Array
  readonly recipientId: Uint8Array
  readonly idContext: Uint8Array | undefined
  readonly algorithm: AeadAlgorithm
  readonly senderKey: Uint8Array
  readonly recipientKey: Uint8Array
  readonly commonIv: Uint8Array
  readonly replays: ReplayWindow
  /** Whoever must prove to be fresh, since `replays` is lost, is asked by this. RFC 8613 B.1.2 */
  freshness: EchoGuard | undefined = undefined
  readonly #crypto: Crypto
  readonly #reserve: ((end: number) => void) | undefined
  #nextSequence: number
  #reservedEnd: number

  /** Throws when the ids are too long or equal: such a context must not be. */
  constructor(input: ContextInput, crypto: Crypto) {
    const { masterSecret, masterSalt = NO_BYTES, senderId, recipientId, idContext, nextSequence = 0 } = input
    const algorithm = AEAD_ALGORITHMS[input.algorithm ?? DEFAULT_AEAD]
    const most = maxIdBytes(algorithm)
    if (senderId.length > most || recipientId.length > most || equalBytes(senderId, recipientId)) {
      throw new RangeError(`sender and recipient id differ, and have at most ${most} octets`)
    }
    // RFC 8613 3.2.1
    const derive = (id: Uint8Array, type: string, bytes: number): Uint8Array => {
      const info = encodeCbor([id, idContext ?? null, algorithm.id, type, bytes])
      return deriveKey(crypto, masterSecret, masterSalt, info, bytes)
    }
    this.senderId = senderId
    this.recipientId = recipientId
    this.idContext = idContext
    this.algorithm = algorithm
    this.senderKey = derive(senderId, 'Key', algorithm.keyBytes)
    this.recipientKey = derive(recipientId, 'Key', algorithm.keyBytes)
    this.commonIv = derive(NO_BYTES, 'IV', algorithm.nonceBytes)
    this.replays = new ReplayWindow(input.seen)
    this.#crypto = crypto
    this.#reserve = input.reserve
    this.#nextSequence = nextSequence
    this.#reservedEnd = nextSequence
  }

  get nextSequence(): number {
    return this.#nextSequence
  }

  /** A Partial IV that was never used; undefined when there is none left. */
  nextPartialIv(): Uint8Array | undefined {
    if (this.#nextSequence > MAX_SEQUENCE) return undefined
    if (this.#nextSequence >= this.#reservedEnd) {
      this.#reservedEnd = Math.min(MAX_SEQUENCE + 1, this.#nextSequence + RESERVED_AT_ONCE)
      this.#reserve?.(this.#reservedEnd)
    }
    return encodeSequence(this.#nextSequence++)
  }

  /** RFC 8613 5.2 */
  nonce(id: Uint8Array, partialIv: Uint8Array): Uint8Array {
    const { nonceBytes } = this.algorithm
    const nonce = new Uint8Array(nonceBytes)
    nonce[0] = id.length
    nonce.set(id, nonceBytes - PARTIAL_IV_BYTES - id.length)
    nonce.set(partialIv, nonceBytes - partialIv.length)
    for (let i = 0; i < nonceBytes; i++) nonce[i] = (nonce[i] as number) ^ (this.commonIv[i] as number)
    return nonce
  }

  /** RFC 8613 5.4: the same for a request and its responses, which are so bound to it. */
  additional(requestKid: Uint8Array, requestPartialIv: Uint8Array): Uint8Array {
    const external = encodeCbor([1, [this.algorithm.id], requestKid, requestPartialIv, NO_BYTES])
    return encodeCbor(['Encrypt0', NO_BYTES, external])
  }

  seal(nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const { cipher, tagBytes } = this.algorithm
    return this.#crypto.seal({ cipher, key: this.senderKey, nonce, tagBytes, associated }, plaintext)
  }

  /** Undefined: it is not what the peer sealed. */
  open(nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const { cipher, tagBytes } = this.algorithm
    return this.#crypto.open({ cipher, key: this.recipientKey, nonce, tagBytes, associated }, sealed)
  }
}

/** RFC 8613 6.1: without leading zeros, but one octet at least. */
export function encodeSequence(sequence: number): Uint8Array {
  if (sequence === 0) return Uint8Array.of(0)
  if (sequence <= 0xffffffff) return encodeUint(sequence)
  return Uint8Array.of(Math.floor(sequence / 2 ** 32), sequence >>> 24, sequence >>> 16, sequence >>> 8, sequence)
}
