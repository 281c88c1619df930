/** The client's half of an observation: RFC 7641 sections 3.2 to 3.6, with large states fetched in blocks, RFC 7959 3.4. */
import { blockOf } from './block.ts'
import type { ClientSettings } from './client.ts'
import { ClientTransfer, type TransferFailure, type TransferResult, type WholeResponse } from './client-transfer.ts'
import { isSuccess } from './codes.ts'
import type { Timed } from './deadlines.ts'
import type { CoapMessage } from './message.ts'
import { DEREGISTER, isNewer, REGISTER } from './observe.ts'
import { BLOCK2, DEFAULT_MAX_AGE_S, MAX_AGE, OBSERVE, type Option, uintOption } from './options.ts'
import type { Request, Requester, RequestFailure } from './requester.ts'

export interface ObservationEvents {
  /** The newest state, whole. */
  notified(state: WholeResponse): void
  /** It is over: with the server's last word, which has no Observe, or with what failed. Once, and not after `cancel`. */
  ended(why: WholeResponse | TransferFailure): void
}

// RFC 7641 3.3.1: after Max-Age, a client waits so long until it registers again.
const PATIENCE_MS = 5000
const RANDOM_PATIENCE_MS = 10_000

/** However long Max-Age is: a server confirms so often. RFC 7641 4.5 */
const MAX_SILENCE_MS = 24 * 3_600_000

export class ClientObservation implements Timed {
  dueAt = 0
  heapIndex = -1

  readonly token: string
  readonly #requester: Requester
  readonly #settings: ClientSettings
  readonly #request: Request
  readonly #random: (bytes: number) => Uint8Array
  readonly #events: ObservationEvents
  #sequence: { readonly number: number; readonly at: number } | undefined = undefined
  #fetching: ClientTransfer | undefined = undefined
  #over = false

  constructor(
    requester: Requester,
    settings: ClientSettings,
    request: Request,
    random: (bytes: number) => Uint8Array,
    events: ObservationEvents,
  ) {
    this.token = requester.newToken()
    this.#requester = requester
    this.#settings = settings
    this.#request = request
    this.#random = random
    this.#events = events
  }

  get active(): boolean {
    return !this.#over
  }

  /** Sends the registration, for the first time or again. */
  register(): void {
    if (this.#over) return
    this.#requester.listen(this.token, (response) => this.#onResponse(response))
    this.#ask(REGISTER, (result) => {
      if (this.#over) return
      if (typeof result === 'string') this.#end(result)
      else this.#onResponse(result)
    })
  }

  /** Ends the observation: `told` deregisters (RFC 7641 3.6), else the next notification is rejected. */
  cancel(told: boolean): void {
    this.#stopFetching()
    if (this.#over) return
    this.#close()
    if (told) this.#ask(DEREGISTER, () => {})
  }

  /** Nothing was heard beyond Max-Age: register again. RFC 7641 3.3.1 */
  onDeadline(): void {
    this.register()
  }

  #ask(observe: number, done: (result: CoapMessage | RequestFailure) => void): void {
    const { code, confirmable, payload, options = [] } = this.#request
    const more: Option[] = [uintOption(OBSERVE, observe)]
    this.#requester.send({ code, confirmable, payload, token: this.token, options: [...options, ...more] }, done)
  }

  /** The answer to the registration, or a notification. */
  #onResponse(response: CoapMessage): boolean {
    if (this.#over) return false
    const now = this.#requester.endpoint.now()
    const number = response.options.uint(OBSERVE)
    if (number !== undefined && isSuccess(response.code)) {
      const known = this.#sequence
      if (known !== undefined && !isNewer(known.number, known.at, number, now)) return true
      this.#sequence = { number, at: now }
      const maxAgeMs = Math.min((response.options.uint(MAX_AGE) ?? DEFAULT_MAX_AGE_S) * 1000, MAX_SILENCE_MS)
      this.#requester.endpoint.deadlines.set(this, now + maxAgeMs + PATIENCE_MS + this.#randomPatience())
    } else {
      this.#close()
    }
    this.#whole(response)
    return true
  }

  /** Fetches what the first block leaves out; a newer state takes the place of one that is being fetched. */
  #whole(first: CoapMessage): void {
    this.#stopFetching()
    if (blockOf(first.options, BLOCK2)?.more !== true) {
      this.#told({ code: first.code, options: first.options, body: Uint8Array.from(first.payload) })
      return
    }
    const transfer = new ClientTransfer(this.#requester, this.#settings, this.#request, this.#random, (result) => {
      if (this.#fetching === transfer) this.#fetched(result)
    })
    this.#fetching = transfer
    transfer.continueFrom(first)
  }

  #fetched(result: TransferResult): void {
    this.#fetching = undefined
    if (typeof result !== 'string' && isSuccess(result.code)) this.#told(result)
    else if (this.#over) this.#events.ended(result)
    // Else the next notification brings the state, or the registration that Max-Age causes.
  }

  #told(state: WholeResponse): void {
    if (this.#over) this.#events.ended(state)
    else this.#events.notified(state)
  }

  #end(why: TransferFailure): void {
    this.#close()
    this.#stopFetching()
    this.#events.ended(why)
  }

  #stopFetching(): void {
    const transfer = this.#fetching
    this.#fetching = undefined
    transfer?.cancel()
  }

  #close(): void {
    this.#over = true
    this.#requester.unlisten(this.token)
    this.#requester.endpoint.deadlines.clear(this)
  }

  #randomPatience(): number {
    const [byte = 0] = this.#random(1)
    return (RANDOM_PATIENCE_MS * byte) / 0xff
  }
}
