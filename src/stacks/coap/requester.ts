/** The client's half: requests of ours and the responses to them. RFC 7252 5.2, 5.3. */
import { ACK, CON, NON } from './codes.ts'
import type { Timed } from './deadlines.ts'
import type { CoapMessage } from './message.ts'
import { serialize } from './message.ts'
import type { MessageLayer } from './message-layer.ts'
import { BLOCK1, BLOCK2, type Option, OSCORE } from './options.ts'
import { deriveTimes } from './parameters.ts'
import { Probing } from './probing.ts'
import type { Transmission, TransmissionOutcome } from './transmission.ts'

export interface Request {
  readonly confirmable: boolean
  readonly code: number
  readonly options?: readonly Option[] | undefined
  readonly payload?: Uint8Array | undefined
  /** One that `newToken` gave, for a request that belongs to another one; a new one by default. */
  readonly token?: string | undefined
}

/**
 * `reset`: the peer rejected it. `timeout`: no answer. `congested`: too much waits for this peer, or went to it in vain.
 * `cancelled`: by us.
 * `bad-option`: the answer has a critical option that we do not understand. RFC 7252 5.4.1
 * `not-genuine`: it should be protected, and is not. `exhausted`: the security context has no sequence numbers left.
 */
export type RequestFailure = 'reset' | 'timeout' | 'congested' | 'cancelled' | 'bad-option' | 'not-genuine' | 'exhausted'

/** A request under way. */
export interface RequestHandle {
  /** Gives the request up; does nothing when it is over. */
  cancel(): void
}

/** Sends requests, as they are or protected. */
export interface RequestSender {
  /** `done` is called once, with the response or why there is none. */
  send(request: Request, done: (result: CoapMessage | RequestFailure) => void): RequestHandle
}

/** Takes a response that no request waits for: false rejects it. */
export type ResponseListener = (response: CoapMessage) => boolean

/** Critical options that may stand in a response. */
const SUPPORTED: ReadonlySet<number> = new Set([BLOCK1, BLOCK2])
const SUPPORTED_PROTECTED: ReadonlySet<number> = new Set([OSCORE, ...SUPPORTED])

/** RFC 7252 5.3.1: an attacker who cannot see the traffic must not guess it. */
const TOKEN_BYTES = 4

export class Requester implements RequestSender {
  readonly #endpoint: MessageLayer
  readonly #random: (bytes: number) => Uint8Array
  readonly #pending = new Map<string, PendingRequest>()
  readonly #listeners = new Map<string, ResponseListener>()
  readonly #waitMs: number
  readonly #probing: Probing

  constructor(endpoint: MessageLayer, random: (bytes: number) => Uint8Array) {
    this.#endpoint = endpoint
    this.#random = random
    this.#probing = new Probing(endpoint.settings.parameters)
    this.#waitMs = deriveTimes(endpoint.settings.parameters).maxTransmitWaitMs
  }

  get pending(): number {
    return this.#pending.size
  }

  get endpoint(): MessageLayer {
    return this.#endpoint
  }

  /** Sends a request; `done` is called once, with the response or why there is none. */
  send(request: Request, done: (result: CoapMessage | RequestFailure) => void): RequestHandle {
    const { token = this.newToken() } = request
    const earlier = this.#pending.get(token)
    if (earlier !== undefined) this.#fail(earlier, 'cancelled')
    const pending = new PendingRequest(token, request, done, (it) => this.#fail(it, 'timeout'))
    const handle = { cancel: () => this.#fail(pending, 'cancelled') }
    this.#pending.set(pending.token, pending)
    this.#endpoint.deadlines.set(pending, this.#endpoint.now() + this.#waitMs)
    if (!request.confirmable) {
      this.#sendNonConfirmable(pending)
      return handle
    }
    pending.transmission = this.#endpoint.sendConfirmable({
      encode: (messageId) => {
        // What waited for its turn has its whole time from now on.
        this.#endpoint.deadlines.set(pending, this.#endpoint.now() + this.#waitMs)
        return pending.serialize(CON, messageId)
      },
      settled: (outcome) => this.#onSettled(pending, outcome),
    })
    if (pending.transmission === undefined) this.#fail(pending, 'congested')
    return handle
  }

  /** From now on `listener` takes the responses with this token that no request waits for. RFC 7641 4.2 */
  listen(token: string, listener: ResponseListener): void {
    this.#listeners.set(token, listener)
  }

  unlisten(token: string): void {
    this.#listeners.delete(token)
  }

  /** A token that is not in use. */
  newToken(): string {
    let token: string
    do token = String.fromCharCode(...this.#random(TOKEN_BYTES))
    while (this.#pending.has(token) || this.#listeners.has(token))
    return token
  }

  /** Give every response here: true when somebody waited for it. */
  onResponse(response: CoapMessage): boolean {
    const pending = this.#pending.get(response.token)
    const supported = pending?.isProtected === true ? SUPPORTED_PROTECTED : SUPPORTED
    const isAcceptable = response.options.unacceptable(supported) === undefined
    if (pending === undefined) return isAcceptable && (this.#listeners.get(response.token)?.(response) ?? false)
    // RFC 7252 5.3.2: a piggybacked response answers the message whose id it bears, or nothing.
    if (response.type === ACK && response.messageId !== pending.transmission?.messageId) return false
    if (!isAcceptable) {
      this.#fail(pending, 'bad-option')
      return false
    }
    this.#probing.heard()
    this.#forget(pending)
    if (pending.transmission !== undefined) this.#endpoint.confirm(pending.transmission)
    pending.done(response)
    return true
  }

  /** Ends every request. */
  close(): void {
    this.#listeners.clear()
    for (const pending of [...this.#pending.values()]) this.#fail(pending, 'cancelled')
  }

  #sendNonConfirmable(pending: PendingRequest): void {
    const now = this.#endpoint.now()
    if (!this.#probing.permits(now)) {
      this.#fail(pending, 'congested')
      return
    }
    const encode = (messageId: number): Uint8Array => {
      const bytes = pending.serialize(NON, messageId)
      this.#probing.sent(bytes.length, now)
      return bytes
    }
    this.#endpoint.sendNonConfirmable(encode, { rejected: () => this.#fail(pending, 'reset') })
  }

  #onSettled(pending: PendingRequest, outcome: TransmissionOutcome): void {
    // Acknowledged without a response: it will come separately, or the deadline will.
    if (outcome !== 'acknowledged') this.#fail(pending, outcome)
  }

  #fail(pending: PendingRequest, failure: RequestFailure): void {
    if (!this.#forget(pending)) return
    if (pending.transmission !== undefined) this.#endpoint.cancel(pending.transmission)
    pending.done(failure)
  }

  #forget(pending: PendingRequest): boolean {
    if (this.#pending.get(pending.token) !== pending) return false
    this.#endpoint.deadlines.clear(pending)
    return this.#pending.delete(pending.token)
  }
}

class PendingRequest implements Timed {
  dueAt = 0
  heapIndex = -1
  transmission: Transmission | undefined = undefined

  readonly token: string
  readonly done: (result: CoapMessage | RequestFailure) => void
  readonly #request: Request
  readonly #expired: (pending: PendingRequest) => void

  constructor(
    token: string,
    request: Request,
    done: (result: CoapMessage | RequestFailure) => void,
    expired: (pending: PendingRequest) => void,
  ) {
    this.token = token
    this.done = done
    this.#request = request
    this.#expired = expired
  }

  get isProtected(): boolean {
    return this.#request.options?.some(({ number }) => number === OSCORE) ?? false
  }

  serialize(type: typeof CON | typeof NON, messageId: number): Uint8Array {
    const { code, options, payload } = this.#request
    return serialize(type, code, messageId, this.token, options, payload)
  }

  onDeadline(): void {
    this.#expired(this)
  }
}
