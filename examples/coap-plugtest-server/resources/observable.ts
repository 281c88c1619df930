/**
 * Resources that change by themselves, and by PUT: TD_COAP_OBS_01 to 14. What they say follows from the clock, so that
 * only those who observe cost anything.
 */
import { CHANGED, CONTENT, DELETED, NOT_ACCEPTABLE, NOT_FOUND } from '#stacks/coap/codes'
import { TEXT } from '#stacks/coap/content-formats'
import type { Timed } from '#stacks/coap/deadlines'
import type { Endpoint } from '#stacks/coap/endpoint'
import { type Protect, type Response, refusal } from '#stacks/coap/exchange'
import {
  DEREGISTER,
  type Notification,
  type NotificationOutcome,
  Observation,
  type ObservationOwner,
  REGISTER,
} from '#stacks/coap/observe'
import { CONTENT_FORMAT, MAX_AGE, uintOption } from '#stacks/coap/options'
import type { Inquiry } from '#stacks/coap/responder'
import { encodeText } from '#stacks/coap/text'
import type { PeerObserver, PlugtestPeer } from '../peer.ts'
import type { Handler } from './resource.ts'

/** How often such a resource changes. */
export const PERIOD_MS = 5000
const PERIOD_S = PERIOD_MS / 1000

/** Beyond that a registration is answered like a plain GET. RFC 7641 4.1 */
const MAX_OBSERVERS = 1000

/** A notification is Confirmable when nothing was heard of the client for so long. RFC 7641 4.5 */
const CONFIRM_AFTER_MS = 3_600_000

interface State {
  readonly body: Uint8Array
  readonly format: number
}

export class Observable {
  readonly #confirmable: boolean
  readonly #says: (now: number) => string
  readonly #observers = new Set<Observer>()
  /** What was put, until the next change. */
  #put: (State & { readonly period: number }) | undefined = undefined

  constructor(confirmable: boolean, says: (now: number) => string) {
    this.#confirmable = confirmable
    this.#says = says
  }

  get confirmable(): boolean {
    return this.#confirmable
  }

  readonly get: Handler = (inquiry, peer) => {
    const now = peer.endpoint.now()
    const { token } = inquiry.exchange
    if (inquiry.observe === REGISTER || inquiry.observe === DEREGISTER) peer.observers.get(token)?.cancel()
    if (inquiry.observe !== REGISTER) {
      inquiry.respond(this.represent(now))
    } else if (this.#observers.size >= MAX_OBSERVERS || peer.observers.size >= peer.maxObservers) {
      peer.count('observation-refused')
      inquiry.respond(this.represent(now))
    } else {
      const observer = new Observer(this, inquiry, peer, this.stateAt(now).format)
      this.#observers.add(observer)
      inquiry.respond(this.represent(now), [observer.observation.nextOption()])
      observer.start(now)
    }
  }

  readonly put: Handler = (inquiry, peer) => {
    const now = peer.endpoint.now()
    const format = inquiry.contentFormat ?? TEXT
    this.#put = { body: Uint8Array.from(inquiry.body), format, period: periodOf(now) }
    inquiry.respond({ code: CHANGED })
    this.changed()
  }

  /** The resource is there again at once, for the next test. */
  readonly delete: Handler = (inquiry) => {
    this.#put = undefined
    inquiry.respond({ code: DELETED })
    this.conclude(refusal(NOT_FOUND, 'the resource was deleted'))
  }

  /** Like a server that was started anew: those who observe are not told. */
  forget(): void {
    for (const observer of [...this.#observers]) observer.cancel()
  }

  changed(): void {
    for (const observer of [...this.#observers]) observer.changed()
  }

  conclude(last: Response): void {
    for (const observer of [...this.#observers]) observer.conclude(last)
  }

  ended(observer: Observer): void {
    this.#observers.delete(observer)
  }

  stateAt(now: number): State {
    const put = this.#put
    if (put !== undefined && put.period === periodOf(now)) return put
    return { body: encodeText(this.#says(now)), format: TEXT }
  }

  represent(now: number): Response {
    const { body, format } = this.stateAt(now)
    return {
      code: CONTENT,
      options: [uintOption(CONTENT_FORMAT, format), uintOption(MAX_AGE, PERIOD_S)],
      payload: body,
    }
  }
}

export function periodOf(now: number): number {
  return Math.floor(now / PERIOD_MS)
}

/** One client's interest. A state that nobody was told yet is replaced by the next one. RFC 7641 1.2 */
export class Observer implements PeerObserver, Notification, ObservationOwner, Timed {
  dueAt = 0
  heapIndex = -1

  readonly token: string
  readonly protect: Protect | undefined
  readonly confirmable: boolean
  readonly confirmAfterMs = CONFIRM_AFTER_MS
  readonly confirmEvery = Number.POSITIVE_INFINITY
  readonly observation: Observation
  readonly #observable: Observable
  readonly #peer: PlugtestPeer
  readonly #inquiry: Inquiry
  readonly #format: number
  #waits = false

  constructor(observable: Observable, inquiry: Inquiry, peer: PlugtestPeer, format: number) {
    const { token, protect } = inquiry.exchange
    this.token = token
    this.protect = protect
    this.confirmable = observable.confirmable
    this.#observable = observable
    this.#peer = peer
    this.#inquiry = inquiry
    this.#format = format
    this.observation = new Observation(this)
    peer.observers.set(token, this)
  }

  get endpoint(): Endpoint {
    return this.#peer.endpoint
  }

  observationEnded(why: 'reset' | 'timeout'): void {
    this.#peer.count(`observation-ended-${why}`)
    this.#end()
  }

  start(now: number): void {
    this.observation.start()
    this.#wait(now)
  }

  onDeadline(now: number): void {
    this.#wait(now)
    this.changed()
  }

  changed(): void {
    const { format } = this.#observable.stateAt(this.#peer.endpoint.now())
    if (format !== this.#format) {
      this.conclude(refusal(NOT_ACCEPTABLE, 'the resource has another Content-Format now')) // RFC 7641 4.2
    } else if (!this.#waits) {
      this.#waits = true
      this.observation.offer(this)
    }
  }

  render(sent: () => void): Response {
    this.#waits = false
    // A newer state need not wait until the blocks of this one were fetched.
    sent()
    return this.#inquiry.notification(this.#observable.represent(this.#peer.endpoint.now()))
  }

  settled(_outcome: NotificationOutcome): void {}

  /** Ends the observation without a word. */
  cancel(): void {
    this.observation.cancel()
    this.#end()
  }

  conclude(last: Response): void {
    this.observation.conclude(last, this.confirmable)
    this.#end()
  }

  #wait(now: number): void {
    this.#peer.endpoint.deadlines.set(this, (periodOf(now) + 1) * PERIOD_MS)
  }

  #end(): void {
    this.#peer.endpoint.deadlines.clear(this)
    this.#observable.ended(this)
    if (this.#peer.observers.get(this.token) === this) this.#peer.observers.delete(this.token)
  }
}
