/** A security context that both sides were given beforehand: RFC 8613 section 3, nonces 5.2, replay 7.4. */
import { equalBytes } from '../block.ts'
import { encodeCbor } from '../cbor.ts'
import { encodeUint } from '../options.ts'
import { AES_CCM_16_64_128, KEY_BYTES, NONCE_BYTES, type OscoreCipher } from './cipher.ts'

export interface ContextInput {
  readonly masterSecret: Uint8Array
  readonly masterSalt?: Uint8Array | undefined
  /** At most 7 bytes each, and not equal. RFC 8613 3.3 */
  readonly senderId: Uint8Array
  readonly recipientId: Uint8Array
  readonly idContext?: Uint8Array | undefined
  /**
   * The first sequence number that was never used with these keys; whoever keeps a context over a restart keeps this
   * too: a number used twice gives the key away. RFC 8613 7.2.1, appendix B.1
   */
  readonly nextSequence?: number | undefined
}

const NO_BYTES = new Uint8Array(0)
const MAX_ID_BYTES = NONCE_BYTES - 6 // RFC 8613 3.3
const PARTIAL_IV_BYTES = 5
const MAX_SEQUENCE = 2 ** 40 - 1 // RFC 8613 7.2.1
const WINDOW = 32 // RFC 8613 3.2.2

export class SecurityContext {
  readonly senderId: Uint8Array
  readonly recipientId: Uint8Array
  readonly idContext: Uint8Array | undefined
  readonly senderKey: Uint8Array
  readonly recipientKey: Uint8Array
  readonly commonIv: Uint8Array
  readonly cipher: OscoreCipher
  readonly replays = new ReplayWindow()
  #nextSequence: number

  /** Throws when the ids are too long or equal: such a context must not be. */
  constructor(input: ContextInput, cipher: OscoreCipher) {
    const { masterSecret, masterSalt = NO_BYTES, senderId, recipientId, idContext, nextSequence = 0 } = input
    if (senderId.length > MAX_ID_BYTES || recipientId.length > MAX_ID_BYTES || equalBytes(senderId, recipientId)) {
      throw new RangeError(`sender and recipient id differ, and have at most ${MAX_ID_BYTES} octets`)
    }
    // RFC 8613 3.2.1
    const derive = (id: Uint8Array, type: string, bytes: number): Uint8Array =>
      cipher.derive(masterSecret, masterSalt, encodeCbor([id, idContext ?? null, AES_CCM_16_64_128, type, bytes]), bytes)
    this.senderId = senderId
    this.recipientId = recipientId
    this.idContext = idContext
    this.senderKey = derive(senderId, 'Key', KEY_BYTES)
    this.recipientKey = derive(recipientId, 'Key', KEY_BYTES)
    this.commonIv = derive(NO_BYTES, 'IV', NONCE_BYTES)
    this.cipher = cipher
    this.#nextSequence = nextSequence
  }

  get nextSequence(): number {
    return this.#nextSequence
  }

  /** A Partial IV that was never used; undefined when there is none left. */
  nextPartialIv(): Uint8Array | undefined {
    if (this.#nextSequence > MAX_SEQUENCE) return undefined
    return encodeSequence(this.#nextSequence++)
  }

  /** RFC 8613 5.2 */
  nonce(id: Uint8Array, partialIv: Uint8Array): Uint8Array {
    const nonce = new Uint8Array(NONCE_BYTES)
    nonce[0] = id.length
    nonce.set(id, NONCE_BYTES - PARTIAL_IV_BYTES - id.length)
    nonce.set(partialIv, NONCE_BYTES - partialIv.length)
    for (let i = 0; i < NONCE_BYTES; i++) nonce[i] = (nonce[i] as number) ^ (this.commonIv[i] as number)
    return nonce
  }

  /** RFC 8613 5.4: the same for a request and its responses, which are so bound to it. */
  additional(requestKid: Uint8Array, requestPartialIv: Uint8Array): Uint8Array {
    const external = encodeCbor([1, [AES_CCM_16_64_128], requestKid, requestPartialIv, NO_BYTES])
    return encodeCbor(['Encrypt0', NO_BYTES, external])
  }
}

/** RFC 8613 6.1: without leading zeros, but one octet at least. */
export function encodeSequence(sequence: number): Uint8Array {
  if (sequence === 0) return Uint8Array.of(0)
  if (sequence <= 0xffffffff) return encodeUint(sequence)
  return Uint8Array.of(Math.floor(sequence / 2 ** 32), sequence >>> 24, sequence >>> 16, sequence >>> 8, sequence)
}

/** Which sequence numbers of the peer were seen. RFC 8613 7.4 */
export class ReplayWindow {
  /** The highest number that was seen. */
  #highest = -1
  /** Bit i: the highest less i was seen. */
  #seen = 0

  /** False when the number was seen, or is too old to tell. */
  permits(sequence: number): boolean {
    const age = this.#highest - sequence
    return age < 0 || (age < WINDOW && ((this.#seen >>> age) & 1) === 0)
  }

  /** Call when the message has proved to be genuine. */
  add(sequence: number): void {
    const ahead = sequence - this.#highest
    if (ahead > 0) {
      this.#seen = ahead >= WINDOW ? 1 : ((this.#seen << ahead) | 1) >>> 0
      this.#highest = sequence
    } else {
      this.#seen = (this.#seen | (1 << -ahead)) >>> 0
    }
  }
}
