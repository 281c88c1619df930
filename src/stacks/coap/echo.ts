/**
 * Echo, RFC 9175 2: makes a peer show that it receives what is sent to its address, before it is sent much or before
 * its request is served. The values are random and kept (appendix A, item 2), so that no key is needed.
 */
import { equalBytes } from './block.ts'
import { UNAUTHORIZED } from './codes.ts'
import { type Exchange, type Response, refusal } from './exchange.ts'
import type { CoapMessage } from './message.ts'
import { ECHO, encodedLength, opaqueOption } from './options.ts'

/** `amplification`: before a large answer. `always`: before any request is served. */
export type EchoPolicy = 'off' | 'amplification' | 'always'

const AMPLIFICATION_FACTOR = 3 // RFC 9175 2.4
const HARMLESS_BYTES = 136 // RFC 9175 2.4: what an attacker gains by so much is not worth it
const VALUE_BYTES = 8
const LIFETIME_MS = 60_000

const HEADER_BYTES = 4

/** Bytes of the message that would carry this answer, near enough; `maxPayloadBytes`: more goes in blocks. */
export function answerBytes({ token }: Exchange, { options = [], payload }: Response, maxPayloadBytes: number): number {
  return HEADER_BYTES + token.length + encodedLength(options) + Math.min(payload?.length ?? 0, maxPayloadBytes)
}

/** What is known of one peer's address. */
export class EchoGuard {
  readonly #policy: EchoPolicy
  readonly #random: (bytes: number) => Uint8Array
  #value: Uint8Array | undefined = undefined
  #issuedAt = 0
  #verified: boolean

  /** `verified`: the transport has shown already that the peer receives what is sent to it. */
  constructor(policy: EchoPolicy, random: (bytes: number) => Uint8Array, verified = false) {
    this.#policy = policy
    this.#random = random
    this.#verified = verified || policy === 'off'
  }

  get verified(): boolean {
    return this.#verified
  }

  /** Give every request here: its Echo may be the one that was asked for. */
  read(request: CoapMessage, now: number): void {
    if (this.#verified || this.#value === undefined) return
    const echo = request.options.opaque(ECHO)
    this.#verified = echo !== undefined && now - this.#issuedAt < LIFETIME_MS && equalBytes(echo, this.#value)
  }

  /** True when a request may be served before anything is known of the peer. */
  get servesStrangers(): boolean {
    return this.#verified || this.#policy !== 'always'
  }

  /** True when a message of so many bytes may answer a request of so many. */
  permits(requestBytes: number, responseBytes: number): boolean {
    return this.#verified || responseBytes <= Math.max(HARMLESS_BYTES, AMPLIFICATION_FACTOR * requestBytes)
  }

  /** The answer that asks for proof: the client repeats its request with this Echo. */
  challenge(now: number): Response {
    if (this.#value === undefined || now - this.#issuedAt >= LIFETIME_MS / 2) {
      this.#value = this.#random(VALUE_BYTES)
      this.#issuedAt = now
    }
    return refusal(UNAUTHORIZED, 'repeat this request with its Echo', [opaqueOption(ECHO, this.#value)])
  }
}
