/** The server's half of an observation: RFC 7641 sections 3.4, 4.4 and 4.5. */
import { CON, NON } from './codes.ts'
import type { ResetListener } from './endpoint.ts'
import type { Protect, Response } from './exchange.ts'
import { serialize } from './message.ts'
import type { MessageLayer } from './message-layer.ts'
import type { Option } from './options.ts'
import { OBSERVE, uintOption } from './options.ts'
import type { Confirmable, Transmission, TransmissionOutcome } from './transmission.ts'

export const REGISTER = 0 // RFC 7641 2
export const DEREGISTER = 1

const SEQUENCE_MODULUS = 2 ** 24 // RFC 7641 4.4
const HALF = 2 ** 23
const FRESH_AFTER_MS = 128_000 // RFC 7641 3.4

/**
 * Numbers that always grow. They follow the clock in milliseconds, so that they also grow across restarts and
 * re-registrations, and count on from there when notifications come faster than that.
 */
export class ObserveSequence {
  #last = 0

  next(now: number): number {
    this.#last = Math.max(this.#last + 1, now)
    return this.#last % SEQUENCE_MODULUS
  }
}

/** RFC 7641 3.4, seen from the client: is the notification `b` newer than `a`? Times of arrival in ms. */
export function isNewer(a: number, aAt: number, b: number, bAt: number): boolean {
  return (a < b && b - a < HALF) || (a > b && a - b > HALF) || bAt > aAt + FRESH_AFTER_MS
}

/** `sent`: Non-confirmable, on its way. The others as for any Confirmable message. */
export type NotificationOutcome = 'sent' | TransmissionOutcome

export interface Notification {
  readonly confirmable: boolean
  /** The message without Observe; called when its turn comes. Later ones wait until `sent`, called at once or later. */
  render(sent: () => void): Response
  /** Called once. */
  settled(outcome: NotificationOutcome): void
}

/** Whoever made the observation. */
export interface ObservationOwner {
  /** Where the registration was protected. RFC 8613 8.3.1 */
  readonly protect?: Protect | undefined
  /** The client rejected a notification, or did not answer: what waited has been settled. RFC 7641 3.6, 4.5 */
  observationEnded(reason: 'reset' | 'timeout'): void
}

/** Where a client is. It may move, and have another message layer each time that something is to be sent. */
export interface Place {
  readonly endpoint: MessageLayer
}

/** One client's interest in one resource, named by the client's token. Ends when its client rejects or does not answer. */
export class Observation implements Confirmable, ResetListener {
  readonly token: string
  readonly #sequence = new ObserveSequence()
  /** When nothing was heard of the client for so long, the next notification is Confirmable. RFC 7641 4.5 */
  readonly #confirmAfterMs: number
  /** So many Non-confirmable ones go out unheard; the next is Confirmable, and others wait for it. RFC 7641 4.5.1 */
  readonly #confirmEvery: number
  readonly #owner: ObservationOwner
  readonly #place: Place
  #waiting: Notification[] | undefined = undefined
  #current: Notification | undefined = undefined
  #transmission: Transmission | undefined = undefined
  #heardAt: number
  #unheard = 0
  #pumping = false
  #state: 'registering' | 'active' | 'over' = 'registering'
  /** A notification whose later blocks are being fetched holds back those behind it. */
  #held: object | undefined = undefined

  constructor(
    place: Place,
    token: string,
    confirmAfterMs: number,
    owner: ObservationOwner,
    confirmEvery = Number.POSITIVE_INFINITY,
  ) {
    this.token = token
    this.#confirmEvery = confirmEvery
    this.#place = place
    this.#confirmAfterMs = confirmAfterMs
    this.#owner = owner
    this.#heardAt = place.endpoint.now()
  }

  /** Notifications that wait or are under way. */
  get unsettled(): number {
    return (this.#waiting?.length ?? 0) + (this.#current === undefined ? 0 : 1)
  }

  /** The Observe option of the next message of this observation. */
  nextOption(): Option {
    return uintOption(OBSERVE, this.#sequence.next(this.#place.endpoint.now()))
  }

  /** The registration has been answered: notifications may flow. */
  start(): void {
    if (this.#state === 'registering') this.#state = 'active'
    this.#pump()
  }

  /** The client has shown that it is there. */
  heard(): void {
    this.#heardAt = this.#place.endpoint.now()
    this.#unheard = 0
  }

  /** Sends the notification, or lets it wait behind the one that is not settled. The caller bounds how many wait. */
  offer(notification: Notification): void {
    if (this.#state === 'over') {
      notification.settled('cancelled')
      return
    }
    this.#waiting ??= []
    this.#waiting.push(notification)
    this.#pump()
  }

  /** The place is another one: what was not acknowledged is sent again, to there. */
  moved(): void {
    const unsettled = this.#abandon()
    this.#held = undefined
    this.heard()
    if (unsettled !== undefined) this.#waiting = [unsettled, ...(this.#waiting ?? [])]
    this.#pump()
  }

  /** Ends the observation without a word; what waits is settled as cancelled. */
  cancel(): void {
    if (this.#state === 'over') return
    this.#finish('cancelled', this.#abandon())
  }

  /** Ends the observation with a last message, which is no success and carries no Observe. RFC 7641 4.2 */
  conclude(last: Response, confirmable: boolean): void {
    if (this.#state === 'over') return
    this.cancel()
    const { protect } = this.#owner
    const { code, options, payload } = protect === undefined ? last : protect(last)
    const encode = (type: typeof CON | typeof NON) => (messageId: number) =>
      serialize(type, code, messageId, this.token, options, payload)
    if (confirmable) this.#place.endpoint.sendConfirmable({ encode: encode(CON), settled: () => {} })
    else this.#place.endpoint.sendNonConfirmable(encode(NON))
  }

  encode(messageId: number): Uint8Array {
    return this.#serialize(CON, messageId, this.#current as Notification)
  }

  settled(outcome: TransmissionOutcome): void {
    const notification = this.#current
    if (notification === undefined) return
    this.#current = undefined
    this.#transmission = undefined
    if (outcome === 'acknowledged') {
      this.heard()
      notification.settled(outcome)
      this.#pump()
      return
    }
    this.#finish(outcome, notification)
    if (outcome !== 'cancelled') this.#owner.observationEnded(outcome)
  }

  /** The client rejected a Non-confirmable notification. */
  rejected(): void {
    if (this.#state === 'over') return
    this.#finish('reset', this.#abandon())
    this.#owner.observationEnded('reset')
  }

  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    this.#sendWaiting()
    this.#pumping = false
  }

  #sendWaiting(): void {
    while (this.#state === 'active' && this.#current === undefined && this.#held === undefined) {
      const notification = this.#waiting?.shift()
      if (notification === undefined) return
      if (notification.confirmable || this.#mustAsk()) {
        this.#confirm(notification)
      } else {
        this.#unheard++
        this.#place.endpoint.sendNonConfirmable((messageId) => this.#serialize(NON, messageId, notification), this)
        notification.settled('sent')
      }
    }
  }

  /** Nobody knows whether the client is still there, or keeps up. RFC 7641 4.5, 4.5.1 */
  #mustAsk(): boolean {
    return this.#unheard >= this.#confirmEvery || this.#place.endpoint.now() - this.#heardAt >= this.#confirmAfterMs
  }

  /** RFC 7641 4.5.1: one Confirmable notification at a time. */
  #confirm(notification: Notification): void {
    this.#current = notification
    const transmission = this.#place.endpoint.sendConfirmable(this)
    if (transmission !== undefined) {
      if (this.#current === notification) this.#transmission = transmission
      return
    }
    this.#current = undefined
    this.#finish('timeout', notification)
    this.#owner.observationEnded('timeout')
  }

  #serialize(type: typeof CON | typeof NON, messageId: number, notification: Notification): Uint8Array {
    const hold = {}
    this.#held = hold
    const response = notification.render(() => this.#release(hold))
    const options = [this.nextOption(), ...(response.options ?? [])]
    const { protect } = this.#owner
    if (protect === undefined) return serialize(type, response.code, messageId, this.token, options, response.payload)
    const sealed = protect({ ...response, options })
    return serialize(type, sealed.code, messageId, this.token, sealed.options, sealed.payload)
  }

  #release(hold: object): void {
    if (this.#held !== hold) return
    this.#held = undefined
    this.#pump()
  }

  /** Stops the transmission under way; its notification, unsettled. */
  #abandon(): Notification | undefined {
    const notification = this.#current
    const transmission = this.#transmission
    this.#current = undefined
    this.#transmission = undefined
    transmission?.cancel()
    return notification
  }

  #finish(outcome: 'reset' | 'timeout' | 'cancelled', current: Notification | undefined): void {
    this.#state = 'over'
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    current?.settled(outcome)
    for (const notification of waiting) notification.settled(outcome)
  }
}
