/**
 * The message layer towards one peer over TCP, TLS or WebSocket: RFC 8323. The transport is reliable and ordered: no
 * message types, no acknowledgements, no repetition. Each end begins with its capabilities (CSM). Pure, as `Endpoint` is.
 */
import type { Framer, FrameSink, Malformed } from '#sdk'
import { isMalformed, malformed } from '#sdk'
import { EMPTY, isRequestCode } from './codes.ts'
import { Deadlines } from './deadlines.ts'
import type { EndpointContext, EndpointEvents } from './endpoint.ts'
import type { ExchangeHost, Response } from './exchange.ts'
import { Exchange } from './exchange.ts'
import type { CoapMessage } from './message.ts'
import { parse, serialize } from './message.ts'
import type { MessageLayer } from './message-layer.ts'
import { OptionCache } from './option-cache.ts'
import type { OptionSet } from './option-set.ts'
import type { TransmissionParameters } from './parameters.ts'
import {
  ABORT,
  abort,
  BASE_CAPABILITIES,
  type Capabilities,
  CSM,
  csm,
  hasCustody,
  isSignalling,
  PING,
  PONG,
  pong,
  RELEASE,
  readCapabilities,
  release,
  unknownCritical,
} from './signalling.ts'
import { datagramOf, frameOf, StreamFramer } from './stream-frame.ts'
import type { Confirmable, TransmissionHost } from './transmission.ts'
import { Transmission } from './transmission.ts'

export interface StreamContext extends EndpointContext {
  /** Closes the connection when what was sent is out. `released`: both ends meant it. */
  end(reason: 'released' | 'aborted' | 'fault'): void
}

export interface StreamSettings {
  readonly parameters: TransmissionParameters
  /** The largest message that we take; a larger one is fatal. */
  readonly maxMessageBytes: number
  readonly maxTokenBytes: number
  /** The transport keeps the boundaries of messages (WebSocket). */
  readonly delimited: boolean
}

/** Header, token, code and options, at most, of a message whose payload is chosen by size. */
const OVERHEAD_BYTES = 256
const BERT_BYTES = 1024 // RFC 8323 6
/** What we send at a time to a peer that takes anything: a large body must not hold up all else. */
const MAX_BERT_BYTES = 64 * BERT_BYTES
/** Pings that wait for the answers before them. Further ones are answered at once, without Custody. */
const MAX_WAITING_PONGS = 16

/** The digits of class 7 are no code of a datagram; options and payload are read as those of any response. */
const READABLE_CODE = 0x45

interface WaitingPong {
  readonly token: string
  readonly before: Set<Exchange>
}

export class StreamEndpoint implements MessageLayer, ExchangeHost, TransmissionHost, FrameSink {
  readonly settings: StreamSettings
  readonly deadlines: Deadlines
  readonly #context: StreamContext
  readonly #events: EndpointEvents
  #optionCache: OptionCache | undefined = undefined
  readonly #framer: Framer
  readonly #open = new Set<Exchange>()
  readonly #pongs: WaitingPong[] = []
  #peer: Capabilities = BASE_CAPABILITIES
  #state: 'expecting-csm' | 'open' | 'released' | 'over' = 'expecting-csm'

  constructor(context: StreamContext, events: EndpointEvents, settings: StreamSettings) {
    this.settings = settings
    this.deadlines = new Deadlines(context)
    this.#context = context
    this.#events = events
    this.#framer = new StreamFramer(settings.maxMessageBytes)
    // RFC 8323 5.3: as soon as the connection is there, without waiting for the peer's.
    this.send(csm(settings.maxMessageBytes, settings.maxTokenBytes))
  }

  get wholePayloadBytes(): number {
    return Math.max(0, this.#peer.maxMessageBytes - OVERHEAD_BYTES)
  }

  get bertBytes(): number {
    const { blockwise } = this.#peer
    const room = Math.min(this.wholePayloadBytes, MAX_BERT_BYTES)
    return blockwise ? room - (room % BERT_BYTES) : 0
  }

  now(): number {
    return this.#context.now()
  }

  isQuiet(): boolean {
    return this.#open.size === 0
  }

  rest(): void {
    this.#optionCache = undefined
  }

  receive(bytes: Uint8Array): void {
    if (this.#state === 'over') return
    if (!this.settings.delimited) this.#framer.push(bytes, this)
    else if (bytes.length > 0) this.frame(bytes)
  }

  onTimer(): void {
    this.deadlines.run()
  }

  /** Says goodbye, without waiting for the peer. RFC 8323 5.5 */
  close(): void {
    if (this.#state !== 'over') this.send(release(''))
    this.#state = 'over'
    this.#open.clear()
    this.deadlines.clearAll()
  }

  // ---- ExchangeHost: what is made for datagrams goes out as a frame -------------------------------------------------

  send(datagram: Uint8Array): void {
    // Acknowledgements and resets have no place here.
    if (this.#state === 'over' || datagram[1] === EMPTY) return
    const frame = frameOf(datagram, this.settings.delimited)
    if (frame.length > this.#peer.maxMessageBytes) this.#events.count('message-too-large-for-peer')
    else this.#context.send(frame)
  }

  nextMessageId(): number {
    return 0
  }

  sendSeparate(token: string, { code, options, payload }: Response): void {
    this.sendNonConfirmable(() => serialize(0, code, 0, token, options, payload))
  }

  answered(exchange: Exchange): void {
    this.deadlines.clear(exchange)
    this.#open.delete(exchange)
    for (const { before } of this.#pongs) before.delete(exchange)
    for (let first = this.#pongs[0]; first !== undefined && first.before.size === 0; first = this.#pongs[0]) {
      this.#pongs.shift()
      this.send(pong(first.token, true))
    }
    if (this.#state === 'released' && this.#open.size === 0) this.#end('released')
  }

  // ---- messages of ours ---------------------------------------------------------------------------------------------

  sendNonConfirmable(encode: (messageId: number) => Uint8Array): void {
    this.send(encode(0))
  }

  /** The transport sees to it that it arrives, or the connection ends. */
  sendConfirmable(source: Confirmable): Transmission | undefined {
    const transmission = new Transmission(this, source)
    this.send(source.encode(0))
    source.settled('acknowledged')
    return transmission
  }

  cancel(): void {}

  confirm(): void {}

  overdue(): void {}

  // ---- FrameSink ----------------------------------------------------------------------------------------------------

  frame(frame: Uint8Array): boolean {
    const datagram = datagramOf(frame, this.settings.delimited)
    if (isMalformed(datagram)) this.malformed(datagram)
    else this.#receive(datagram)
    return this.#state !== 'over'
  }

  /** RFC 8323 5.6: whoever sends what is no message has lost the thread. */
  malformed(fault: Malformed): void {
    this.#events.onMalformed(fault)
    this.#abort(fault.malformed)
  }

  #receive(datagram: Uint8Array): void {
    const code = datagram[1] as number
    if (code === EMPTY && this.#state !== 'expecting-csm') return // RFC 8323 3.4: may be sent at any time, means nothing
    if (this.#state === 'expecting-csm' && code !== CSM) {
      this.malformed(malformed('csm-missing', 0, true))
      return
    }
    if (isSignalling(code)) datagram[1] = READABLE_CODE
    this.#optionCache ??= new OptionCache()
    const message = parse(datagram, isSignalling(code) ? undefined : this.#optionCache, this.settings.maxTokenBytes)
    if (isMalformed(message)) this.malformed(message)
    else if (isSignalling(code)) this.#onSignal(code, message)
    else if (isRequestCode(code)) this.#onRequest(message)
    else if (this.#events.onResponse?.(message) !== true) this.#events.count('unmatched-response')
  }

  #onRequest(request: CoapMessage): void {
    // RFC 8323 5.5: who has released sends no more requests.
    if (this.#state === 'released') return
    const exchange = new Exchange(this, request, this.now())
    this.#open.add(exchange)
    this.#events.onRequest(request, exchange)
  }

  #onSignal(code: number, { token, options }: CoapMessage): void {
    const unknown = unknownCritical(options)
    if (unknown !== undefined) {
      this.#events.onMalformed(malformed('signal-option', 0, true))
      this.#abort(`option ${unknown} is not supported here`, code === CSM ? unknown : undefined)
      return
    }
    this.#events.onAlive?.()
    switch (code) {
      case CSM:
        this.#peer = readCapabilities(options, this.#peer)
        if (this.#state === 'expecting-csm') this.#state = 'open'
        return
      case PING:
        this.#onPing(token, options)
        return
      case RELEASE:
        this.#state = 'released'
        if (this.#open.size === 0) this.#end('released')
        return
      case ABORT:
        this.#events.count('aborted-by-peer')
        this.#end('aborted')
        return
      default:
        this.#events.count(code === PONG ? 'unmatched-pong' : 'unknown-signal')
    }
  }

  /** RFC 8323 5.4: with Custody the Pong says that all that came before has been worked through. */
  #onPing(token: string, options: OptionSet): void {
    this.#events.count('ping')
    const wantsCustody = hasCustody(options)
    if (!wantsCustody || this.#pongs.length >= MAX_WAITING_PONGS) this.send(pong(token, false))
    else if (this.#open.size === 0 && this.#pongs.length === 0) this.send(pong(token, true))
    else this.#pongs.push({ token, before: new Set(this.#open) })
  }

  #abort(diagnostic: string, badCsmOption?: number): void {
    if (this.#state === 'over') return
    this.send(abort(diagnostic, badCsmOption))
    this.#end('fault')
  }

  #end(reason: 'released' | 'aborted' | 'fault'): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#context.end(reason)
  }
}
