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

/** Numbers that count ahead of the clock are not that far ahead of it. */
const FARTHEST_AHEAD = 2 ** 22

/**
 * The number after `last`. Numbers follow the clock in milliseconds, so that they also grow across restarts and
 * re-registrations, and count on from there when notifications come faster than that.
 */
export function nextSequence(last: number, now: number): number {
  const clock = now % SEQUENCE_MODULUS
  const ahead = (last - clock + SEQUENCE_MODULUS) % SEQUENCE_MODULUS
  return ahead < FARTHEST_AHEAD ? (last + 1) % SEQUENCE_MODULUS : clock
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

/** Whoever made the observation, and knows where the client is. */
export interface ObservationOwner {
  readonly token: string
  /** May be another one each time that something is to be sent. */
  readonly endpoint: MessageLayer
  /** When nothing was heard of the client for so long, the next notification is Confirmable. RFC 7641 4.5 */
  readonly confirmAfterMs: number
  /** So many Non-confirmable ones go out unheard; the next is Confirmable, and others wait for it. RFC 7641 4.5.1 */
  readonly confirmEvery: number
  /** Makes of each message what goes out, where the registration was protected. */
  readonly protect?: Protect | undefined
  /** The client rejected a notification, or did not answer: what waited has been settled. RFC 7641 3.6, 4.5 */
  observationEnded(reason: 'reset' | 'timeout'): void
}

/** There while something waits, or is not settled: most observations wait for one notification in a day. */
class Flow {
  waiting: Notification[] = []
  current: Notification | undefined = undefined
  transmission: Transmission | undefined = undefined
  /** A notification whose later blocks are being fetched holds back those behind it. */
  held: object | undefined = undefined
  pumping = false

  get isOver(): boolean {
    return this.waiting.length === 0 && this.current === undefined && this.held === undefined
  }

  /** Stops the transmission under way; its notification, unsettled. */
  abandon(): Notification | undefined {
    const { current, transmission } = this
    this.current = undefined
    this.transmission = undefined
    transmission?.cancel()
    return current
  }
}

/**
 * One client's interest in one resource, named by the client's token. Ends when its client rejects or does not answer. Its
 * methods are `private` and not `#`, which would cost each of a million objects a word.
 */
export class Observation implements Confirmable, ResetListener {
  readonly #owner: ObservationOwner
  #flow: Flow | undefined = undefined
  #state: 'registering' | 'active' | 'over' = 'registering'
  #lastSequence: number
  /** Whole seconds: a small number, where milliseconds would be an object. */
  #heardAtSeconds: number
  #unheard = 0

  constructor(owner: ObservationOwner) {
    this.#owner = owner
    const now = owner.endpoint.now()
    this.#lastSequence = (now + SEQUENCE_MODULUS - 1) % SEQUENCE_MODULUS
    this.#heardAtSeconds = Math.floor(now / 1000)
  }

  /** Notifications that wait or are under way. */
  get unsettled(): number {
    const flow = this.#flow
    return flow === undefined ? 0 : flow.waiting.length + (flow.current === undefined ? 0 : 1)
  }

  /** The Observe option of the next message of this observation. */
  nextOption(): Option {
    this.#lastSequence = nextSequence(this.#lastSequence, this.#owner.endpoint.now())
    return uintOption(OBSERVE, this.#lastSequence)
  }

  /** The registration has been answered: notifications may flow. */
  start(): void {
    if (this.#state === 'registering') this.#state = 'active'
    this.pump()
  }

  /** The client has shown that it is there. */
  heard(): void {
    this.#heardAtSeconds = Math.floor(this.#owner.endpoint.now() / 1000)
    this.#unheard = 0
  }

  /** Sends the notification, or lets it wait behind the one that is not settled. The caller bounds how many wait. */
  offer(notification: Notification): void {
    if (this.#state === 'over') {
      notification.settled('cancelled')
      return
    }
    this.#flow ??= new Flow()
    this.#flow.waiting.push(notification)
    this.pump()
  }

  /** The client is elsewhere: what was not acknowledged is sent again, to there. */
  moved(): void {
    this.heard()
    const flow = this.#flow
    if (flow === undefined) return
    const unsettled = flow.abandon()
    flow.held = undefined
    if (unsettled !== undefined) flow.waiting.unshift(unsettled)
    this.pump()
  }

  /** Ends the observation without a word; what waits is settled as cancelled. */
  cancel(): void {
    if (this.#state !== 'over') this.finish('cancelled')
  }

  /** Ends the observation with a last message, which is no success and carries no Observe. RFC 7641 4.2 */
  conclude(last: Response, confirmable: boolean): void {
    if (this.#state === 'over') return
    this.cancel()
    const { endpoint, protect, token } = this.#owner
    const { code, options, payload } = protect === undefined ? last : protect(last)
    const encode = (type: typeof CON | typeof NON) => (messageId: number) =>
      serialize(type, code, messageId, token, options, payload)
    if (confirmable) endpoint.sendConfirmable({ encode: encode(CON), settled: () => {} })
    else endpoint.sendNonConfirmable(encode(NON))
  }

  encode(messageId: number): Uint8Array {
    const flow = this.#flow as Flow
    return this.serialize(CON, messageId, flow, flow.current as Notification)
  }

  settled(outcome: TransmissionOutcome): void {
    const flow = this.#flow
    const notification = flow?.current
    if (flow === undefined || notification === undefined) return
    if (outcome === 'acknowledged') {
      flow.current = undefined
      flow.transmission = undefined
      this.heard()
      notification.settled(outcome)
      this.pump()
      return
    }
    this.finish(outcome)
    if (outcome !== 'cancelled') this.#owner.observationEnded(outcome)
  }

  /** The client rejected a Non-confirmable notification. */
  rejected(): void {
    if (this.#state === 'over') return
    this.finish('reset')
    this.#owner.observationEnded('reset')
  }

  private pump(): void {
    const flow = this.#flow
    if (flow === undefined || flow.pumping) return
    flow.pumping = true
    this.sendWaiting(flow)
    flow.pumping = false
    if (flow.isOver && this.#flow === flow) this.#flow = undefined
  }

  private sendWaiting(flow: Flow): void {
    while (this.#state === 'active' && flow.current === undefined && flow.held === undefined) {
      const notification = flow.waiting.shift()
      if (notification === undefined) return
      if (notification.confirmable || this.mustAsk()) {
        this.confirm(flow, notification)
      } else {
        this.#unheard++
        const encode = (messageId: number) => this.serialize(NON, messageId, flow, notification)
        this.#owner.endpoint.sendNonConfirmable(encode, this)
        notification.settled('sent')
      }
    }
  }

  /** Nobody knows whether the client is still there, or keeps up. RFC 7641 4.5, 4.5.1 */
  private mustAsk(): boolean {
    const { confirmAfterMs, confirmEvery, endpoint } = this.#owner
    return this.#unheard >= confirmEvery || endpoint.now() - this.#heardAtSeconds * 1000 >= confirmAfterMs
  }

  /** RFC 7641 4.5.1: one Confirmable notification at a time. */
  private confirm(flow: Flow, notification: Notification): void {
    flow.current = notification
    const transmission = this.#owner.endpoint.sendConfirmable(this)
    if (transmission !== undefined) {
      if (flow.current === notification) flow.transmission = transmission
      return
    }
    this.finish('timeout')
    this.#owner.observationEnded('timeout')
  }

  private serialize(type: typeof CON | typeof NON, messageId: number, flow: Flow, notification: Notification): Uint8Array {
    const hold = {}
    flow.held = hold
    const response = notification.render(() => this.release(flow, hold))
    const options = [this.nextOption(), ...(response.options ?? [])]
    const { protect, token } = this.#owner
    if (protect === undefined) return serialize(type, response.code, messageId, token, options, response.payload)
    const sealed = protect({ ...response, options })
    return serialize(type, sealed.code, messageId, token, sealed.options, sealed.payload)
  }

  private release(flow: Flow, hold: object): void {
    if (flow.held !== hold) return
    flow.held = undefined
    this.pump()
  }

  /** What is under way is settled so. */
  private finish(outcome: 'reset' | 'timeout' | 'cancelled'): void {
    this.#state = 'over'
    const flow = this.#flow
    this.#flow = undefined
    flow?.abandon()?.settled(outcome)
    for (const notification of flow?.waiting.splice(0) ?? []) notification.settled(outcome)
  }
}
