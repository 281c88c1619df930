/** The client's half: requests of ours and the responses to them. RFC 7252 5.2, 5.3. */
import { CON, NON } from './codes.ts'
import type { Timed } from './deadlines.ts'
import type { Endpoint } from './endpoint.ts'
import type { CoapMessage } from './message.ts'
import { serialize } from './message.ts'
import type { Option } from './options.ts'
import { deriveTimes } from './parameters.ts'
import type { Transmission, TransmissionOutcome } from './transmission.ts'

export interface Request {
  readonly confirmable: boolean
  readonly code: number
  readonly options?: readonly Option[] | undefined
  readonly payload?: Uint8Array | undefined
}

/** `reset`: the peer rejected it. `timeout`: no answer. `congested`: too much waits for this peer. `cancelled`: closed. */
export type RequestFailure = 'reset' | 'timeout' | 'congested' | 'cancelled'

/** RFC 7252 5.3.1: an attacker who cannot see the traffic must not guess it. */
const TOKEN_BYTES = 4

export class Requester {
  readonly #endpoint: Endpoint
  readonly #random: (bytes: number) => Uint8Array
  readonly #pending = new Map<string, PendingRequest>()
  readonly #waitMs: number

  constructor(endpoint: Endpoint, random: (bytes: number) => Uint8Array) {
    this.#endpoint = endpoint
    this.#random = random
    this.#waitMs = deriveTimes(endpoint.settings.parameters).maxTransmitWaitMs
  }

  get pending(): number {
    return this.#pending.size
  }

  /** Sends a request; `done` is called once, with the response or why there is none. */
  send(request: Request, done: (result: CoapMessage | RequestFailure) => void): void {
    const pending = new PendingRequest(this.#newToken(), request, done, (it) => this.#fail(it, 'timeout'))
    this.#pending.set(pending.token, pending)
    this.#endpoint.deadlines.set(pending, this.#endpoint.now() + this.#waitMs)
    if (!request.confirmable) {
      this.#endpoint.sendNonConfirmable((messageId) => pending.serialize(NON, messageId), {
        rejected: () => this.#fail(pending, 'reset'),
      })
      return
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
  }

  /** Give every response here: true when a request waited for it. */
  onResponse(response: CoapMessage): boolean {
    const pending = this.#pending.get(response.token)
    if (pending === undefined) return false
    this.#forget(pending)
    if (pending.transmission !== undefined) this.#endpoint.confirm(pending.transmission)
    pending.done(response)
    return true
  }

  /** Ends every request. */
  close(): void {
    for (const pending of [...this.#pending.values()]) this.#fail(pending, 'cancelled')
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
    this.#endpoint.deadlines.clear(pending)
    return this.#pending.delete(pending.token)
  }

  #newToken(): string {
    let token: string
    do token = String.fromCharCode(...this.#random(TOKEN_BYTES))
    while (this.#pending.has(token))
    return token
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

  serialize(type: typeof CON | typeof NON, messageId: number): Uint8Array {
    const { code, options, payload } = this.#request
    return serialize(type, code, messageId, this.token, options, payload)
  }

  onDeadline(): void {
    this.#expired(this)
  }
}
