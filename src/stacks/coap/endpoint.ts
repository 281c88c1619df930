/**
 * The message layer towards one peer: RFC 7252 section 4 (reliability, deduplication, matching, reset) and the
 * server's half of 5.2 (piggybacked and separate responses). Pure: bytes and one timer go through the context.
 */
import type { Malformed } from '#sdk'
import { isMalformed } from '#sdk'
import { ACK, CON, EMPTY, isRequestCode, isResponseCode, RST } from './codes.ts'
import type { DeadlineTimer } from './deadlines.ts'
import { Deadlines } from './deadlines.ts'
import type { ExchangeHost, Response } from './exchange.ts'
import { Exchange } from './exchange.ts'
import { Exchanges } from './exchanges.ts'
import type { CoapMessage } from './message.ts'
import { MAX_TOKEN_BYTES, parse, rejection, serialize, serializeEmpty } from './message.ts'
import type { MessageLayer } from './message-layer.ts'
import { OptionCache } from './option-cache.ts'
import { packExchanges, unpackExchanges } from './packed-exchanges.ts'
import type { TransmissionParameters } from './parameters.ts'
import { DEFAULT_PARAMETERS, deriveTimes } from './parameters.ts'
import { RecentResponses } from './recent-responses.ts'
import type { Confirmable, TransmissionHost, TransmissionOutcome } from './transmission.ts'
import { Transmission } from './transmission.ts'

/** All that an endpoint may do to the world. */
export interface EndpointContext extends DeadlineTimer {
  send(datagram: Uint8Array): void
  random(bytes: number): Uint8Array
}

export interface EndpointEvents {
  /** A request, never a repetition. `exchange` may be answered now or later, and should be answered once. */
  onRequest(request: CoapMessage, exchange: Exchange): void
  /** A response; true when a request of ours waited for it. */
  onResponse?(response: CoapMessage): boolean
  /** A Confirmable message of ours was acknowledged, or the peer asked whether we are alive. */
  onAlive?(): void
  onMalformed(fault: Malformed): void
  /** Something worth a counter; names are kebab-case. */
  count(name: string): void
}

/** Who wants to know that the peer rejected a Non-confirmable message. */
export interface ResetListener {
  rejected(): void
}

export interface EndpointSettings {
  readonly parameters: TransmissionParameters
  /** A request that is not answered by then gets an empty acknowledgement. RFC 7252 5.2.2 */
  readonly separateAfterMs: number
  readonly maxExchanges: number
  readonly maxReplyBytes: number
  /** Confirmable messages that may wait for their turn. */
  readonly maxWaiting: number
  /** Non-confirmable messages whose rejection is still noticed. */
  readonly maxResettable: number
  /** Longer tokens are a format error; more than 8 is RFC 8974's. */
  readonly maxTokenBytes: number
}

export const DEFAULT_SETTINGS: EndpointSettings = {
  parameters: DEFAULT_PARAMETERS,
  separateAfterMs: 1000,
  maxExchanges: 128,
  maxReplyBytes: 64 * 1024,
  maxWaiting: 1000,
  maxResettable: 64,
  maxTokenBytes: MAX_TOKEN_BYTES,
}

/** Of a peer that sends more requests within EXCHANGE_LIFETIME it would cost more to pack and recall them than it saves. */
const MOST_PACKED = 16

export class Endpoint implements MessageLayer, ExchangeHost, TransmissionHost {
  readonly settings: EndpointSettings
  readonly wholePayloadBytes = undefined
  readonly bertBytes = 0
  /** Deadlines of whoever works on top of this endpoint share its timer. */
  readonly deadlines: Deadlines

  readonly #context: EndpointContext
  readonly #events: EndpointEvents
  #optionCache: OptionCache | undefined = undefined
  readonly #exchanges: Exchanges
  #responses: RecentResponses | undefined = undefined
  #messageId: number
  #waiting: Transmission[] | undefined = undefined
  #outstanding: Map<number, Transmission> | undefined = undefined
  #resettable: Map<number, ResetListener> | undefined = undefined
  /** When the last message went out whose rejection matters. */
  #sentAt = 0

  constructor(context: EndpointContext, events: EndpointEvents, settings = DEFAULT_SETTINGS) {
    this.settings = settings
    this.deadlines = new Deadlines(context)
    this.#context = context
    this.#events = events
    this.#exchanges = new Exchanges(settings)
    const [high = 0, low = 0] = context.random(2)
    this.#messageId = (high << 8) | low // RFC 7252 4.4: begin anywhere
  }

  now(): number {
    return this.#context.now()
  }

  /** Confirmable messages that are not settled. */
  get unsettled(): number {
    return (this.#outstanding?.size ?? 0) + (this.#waiting?.length ?? 0)
  }

  /** True when forgetting this endpoint loses nothing: no repetition and no rejection can come any more, nothing waits. */
  isQuiet(): boolean {
    const now = this.now()
    return this.#exchanges.purge(now) && this.#expectsNothing(now)
  }

  /** What must outlive this endpoint, for its successor to `recall`; undefined while anything is under way, or too much to tell. */
  pack(): string | undefined {
    const now = this.now()
    this.#exchanges.purge(now)
    if (this.#exchanges.size > MOST_PACKED || !this.#exchanges.areAnswered || !this.#expectsNothing(now)) return undefined
    return packExchanges(this.#messageId, this.#exchanges.all())
  }

  /** Goes on where the endpoint that was packed left off. */
  recall(packed: string): void {
    const { lastMessageId, exchanges } = unpackExchanges(packed, this)
    this.#messageId = lastMessageId
    for (const exchange of exchanges) {
      this.#exchanges.add(exchange)
      this.#exchanges.answered(exchange)
    }
  }

  rest(): void {
    this.#optionCache = undefined
    if (this.#outstanding?.size === 0) this.#outstanding = undefined
    if (this.#waiting?.length === 0) this.#waiting = undefined
  }

  receive(datagram: Uint8Array): void {
    this.#optionCache ??= new OptionCache()
    const message = parse(datagram, this.#optionCache, this.settings.maxTokenBytes)
    if (isMalformed(message)) {
      this.#events.onMalformed(message)
      const reset = rejection(datagram, message)
      if (reset !== undefined) this.send(reset)
    } else if (isRequestCode(message.code)) {
      this.#onRequest(message)
    } else {
      this.#onReply(message)
    }
  }

  /** Call when the context's timer fires. */
  onTimer(): void {
    this.deadlines.run()
  }

  send(bytes: Uint8Array): void {
    this.#context.send(bytes)
  }

  /** RFC 7252 4.4: consecutive, but never one that is still waited for. */
  nextMessageId(): number {
    do this.#messageId = (this.#messageId + 1) & 0xffff
    while (this.#outstanding?.has(this.#messageId))
    return this.#messageId
  }

  /** Sends a Non-confirmable message; `listener` learns when the peer rejects it. */
  sendNonConfirmable(encode: (messageId: number) => Uint8Array, listener?: ResetListener): void {
    const messageId = this.nextMessageId()
    this.send(encode(messageId))
    if (listener === undefined) return
    this.#sentAt = this.now()
    this.#resettable ??= new Map()
    this.#resettable.delete(messageId)
    this.#resettable.set(messageId, listener)
    if (this.#resettable.size > this.settings.maxResettable) {
      for (const oldest of this.#resettable.keys()) {
        this.#resettable.delete(oldest)
        break
      }
    }
  }

  /** Sends a Confirmable message when NSTART allows; undefined when too many wait already. `settled` is called once. */
  sendConfirmable(source: Confirmable): Transmission | undefined {
    if ((this.#waiting?.length ?? 0) >= this.settings.maxWaiting) return undefined
    const transmission = new Transmission(this, source)
    this.#waiting ??= []
    this.#waiting.push(transmission)
    this.#startWaiting()
    return transmission
  }

  sendSeparate(token: string, response: Response): void {
    const { code, options, payload } = response
    const sent = this.sendConfirmable({
      encode: (messageId) => serialize(CON, code, messageId, token, options, payload),
      settled: (outcome) => {
        if (outcome === 'timeout' || outcome === 'reset') this.#events.count(`separate-response-${outcome}`)
      },
    })
    if (sent === undefined) this.#events.count('separate-response-congested')
  }

  /** Takes a Confirmable message back; does nothing when it is settled. */
  cancel(transmission: Transmission): void {
    this.#settle(transmission, 'cancelled')
  }

  /** The answer to a message of ours says that the message itself arrived: stop repeating it. RFC 7252 5.3.2 */
  confirm(transmission: Transmission): void {
    this.#settle(transmission, 'acknowledged')
  }

  overdue(transmission: Transmission, now: number): void {
    const { bytes } = transmission
    if (bytes === undefined) return
    if (transmission.retransmissions >= this.settings.parameters.maxRetransmit) {
      this.#giveUp(transmission)
      return
    }
    transmission.retransmissions++
    transmission.timeoutMs *= 2
    this.#events.count('retransmitted')
    this.send(bytes)
    this.deadlines.set(transmission, now + transmission.timeoutMs)
  }

  answered(exchange: Exchange): void {
    this.deadlines.clear(exchange)
    this.#exchanges.answered(exchange)
  }

  /** Ends everything: what is unsettled is cancelled. */
  close(): void {
    for (const transmission of this.#takeUnsettled()) transmission.source.settled('cancelled')
    this.#resettable = undefined
    this.#exchanges.clear()
    this.deadlines.clearAll()
  }

  #onRequest(request: CoapMessage): void {
    const now = this.now()
    const known = this.#exchanges.find(request, now)
    if (known !== undefined) {
      this.#events.count('duplicate')
      known.repeat()
      return
    }
    const exchange = new Exchange(this, request, now)
    this.#exchanges.add(exchange)
    this.#events.onRequest(request, exchange)
    if (exchange.state === 'open' && request.type === CON) this.deadlines.set(exchange, now + this.settings.separateAfterMs)
  }

  /** Everything but requests: responses, acknowledgements, resets and pings. */
  #onReply(message: CoapMessage): void {
    const { type, messageId } = message
    if (type === RST) {
      this.#onReset(messageId)
      return
    }
    if (type === ACK) {
      // Whatever an acknowledgement carries: the message id is what counts.
      const transmission = this.#outstanding?.get(messageId)
      if (transmission === undefined) {
        this.#events.count('unmatched-ack')
        return
      }
      this.#events.onAlive?.()
      // A response goes first: whoever waits for it must not take the acknowledgement for all there is.
      if (isResponseCode(message.code)) this.#events.onResponse?.(message)
      this.#settle(transmission, 'acknowledged')
      return
    }
    if (message.code === EMPTY) {
      this.#events.count('ping')
      this.#events.onAlive?.()
      this.send(serializeEmpty(RST, messageId)) // RFC 7252 4.3
      return
    }
    this.#onResponse(message)
  }

  /** A response in a message of its own. */
  #onResponse(response: CoapMessage): void {
    const now = this.now()
    this.#responses ??= this.#newResponses()
    let expected = this.#responses.find(response, now)
    if (expected === undefined) {
      expected = this.#events.onResponse?.(response) === true
      this.#responses.add(response, now, expected)
      if (!expected) this.#events.count('unmatched-response')
    } else {
      this.#events.count('duplicate')
    }
    if (response.type === CON) this.send(serializeEmpty(expected ? ACK : RST, response.messageId)) // RFC 7252 4.2
  }

  #newResponses(): RecentResponses {
    const { maxExchanges, parameters } = this.settings
    return new RecentResponses(maxExchanges, deriveTimes(parameters).exchangeLifetimeMs)
  }

  #onReset(messageId: number): void {
    const transmission = this.#outstanding?.get(messageId)
    if (transmission !== undefined) {
      this.#settle(transmission, 'reset')
      return
    }
    const listener = this.#resettable?.get(messageId)
    this.#resettable?.delete(messageId)
    if (listener === undefined) this.#events.count('unmatched-reset')
    else listener.rejected()
  }

  #expectsNothing(now: number): boolean {
    // RFC 7252 4.8.2 MAX_RTT
    const isLate = this.#resettable === undefined || now - this.#sentAt >= 2 * this.settings.parameters.maxLatencyMs
    return this.unsettled === 0 && isLate && this.#responses?.isOver(now) !== false
  }

  /** RFC 7252 4.7: at most NSTART interactions at a time. */
  #startWaiting(): void {
    const { nstart, ackTimeoutMs, ackRandomFactor } = this.settings.parameters
    this.#outstanding ??= new Map()
    while (this.#waiting !== undefined && this.#waiting.length > 0 && this.#outstanding.size < nstart) {
      const transmission = this.#waiting.shift() as Transmission
      transmission.messageId = this.nextMessageId()
      transmission.bytes = transmission.source.encode(transmission.messageId)
      transmission.timeoutMs = ackTimeoutMs * (1 + (ackRandomFactor - 1) * this.#fraction())
      this.#outstanding.set(transmission.messageId, transmission)
      this.#resettable?.delete(transmission.messageId)
      this.send(transmission.bytes)
      this.deadlines.set(transmission, this.now() + transmission.timeoutMs)
    }
  }

  /** Evenly between 0 and 1. */
  #fraction(): number {
    const [high = 0, low = 0] = this.#context.random(2)
    return ((high << 8) | low) / 0xffff
  }

  #settle(transmission: Transmission, outcome: TransmissionOutcome): void {
    if (transmission.bytes === undefined) {
      const at = this.#waiting?.indexOf(transmission) ?? -1
      if (at < 0) return
      this.#waiting?.splice(at, 1)
    } else {
      if (this.#outstanding?.get(transmission.messageId) !== transmission) return
      this.#outstanding.delete(transmission.messageId)
      this.deadlines.clear(transmission)
    }
    transmission.source.settled(outcome)
    this.#startWaiting()
  }

  /** Nobody answers: what waits behind this message would fare no better. */
  #giveUp(transmission: Transmission): void {
    this.#events.count('unreachable')
    this.#outstanding?.delete(transmission.messageId)
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    transmission.source.settled('timeout')
    for (const next of waiting) next.source.settled('timeout')
    this.#startWaiting()
  }

  #takeUnsettled(): Transmission[] {
    const unsettled = [...(this.#outstanding?.values() ?? []), ...(this.#waiting ?? [])]
    for (const transmission of unsettled) this.deadlines.clear(transmission)
    this.#outstanding = undefined
    this.#waiting = undefined
    return unsettled
  }
}
