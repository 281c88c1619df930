/** One address that speaks with the server: its message layer, its transfers and what it observes. */
import type { Malformed } from '#sdk'
import { SERVICE_UNAVAILABLE } from '#stacks/coap/codes'
import type { Timed } from '#stacks/coap/deadlines'
import { Endpoint, type EndpointContext, type EndpointEvents } from '#stacks/coap/endpoint'
import type { Exchange } from '#stacks/coap/exchange'
import type { CoapMessage } from '#stacks/coap/message'
import type { Observation } from '#stacks/coap/observe'
import { MAX_AGE, uintOption } from '#stacks/coap/options'
import { OscoreGate } from '#stacks/coap/oscore/gate'
import { type Inquiry, Responder, type ResponderEvents } from '#stacks/coap/responder'
import { endpointSettings, type PlugtestConfig, responderSettings } from './settings.ts'
import type { PlugtestSite } from './site.ts'

/** How long a separate response takes. */
const SEPARATE_MS = 1000

/** Separate responses of one peer that are being prepared; further requests get 5.03. */
const MAX_LATER = 64
const RETRY_AFTER_S = 2

export interface PeerEvents {
  malformed(fault: Malformed): void
  count(name: string, by?: number): void
}

/** Who observes something from this address. */
export interface PeerObserver {
  readonly observation: Observation
  /** Ends the observation without a word. */
  cancel(): void
}

export class PlugtestPeer implements EndpointEvents, ResponderEvents {
  readonly endpoint: Endpoint
  readonly responder: Responder
  readonly #gate: OscoreGate
  /** By token, which names one observation of this peer. RFC 7641 4.1 */
  readonly observers = new Map<string, PeerObserver>()
  readonly maxObservers = 64
  readonly #site: PlugtestSite
  readonly #events: PeerEvents
  #later = 0

  constructor(site: PlugtestSite, context: EndpointContext, events: PeerEvents, config: PlugtestConfig) {
    this.#site = site
    this.#events = events
    this.endpoint = new Endpoint(context, this, endpointSettings(config))
    const random = (bytes: number): Uint8Array => context.random(bytes)
    const openResponder = () => new Responder(this.endpoint, responderSettings(config), site.transferBudget, this, random)
    this.responder = openResponder()
    this.#gate = new OscoreGate({
      findContext: (kid, kidContext) => site.findContext(kid, kidContext),
      openResponder,
      now: () => context.now(),
      random,
      count: (name) => this.count(name),
    })
  }

  /** True when forgetting this peer loses nothing. */
  get isQuiet(): boolean {
    return this.observers.size === 0 && this.#later === 0 && this.endpoint.isQuiet()
  }

  onRequest(request: CoapMessage, exchange: Exchange): void {
    if (!this.#gate.onRequest(request, exchange)) this.responder.onRequest(request, exchange)
  }

  onInquiry(inquiry: Inquiry): void {
    this.#site.serve(inquiry, this)
  }

  onAlive(): void {
    for (const { observation } of this.observers.values()) observation.heard()
  }

  onMalformed(fault: Malformed): void {
    this.#events.malformed(fault)
  }

  count(name: string, by?: number): void {
    this.#events.count(name, by)
  }

  /** Acknowledges the request, and answers it by and by. */
  later(inquiry: Inquiry, answer: () => void): void {
    if (this.#later >= MAX_LATER) {
      inquiry.refuse(SERVICE_UNAVAILABLE, 'too many requests at a time', [uintOption(MAX_AGE, RETRY_AFTER_S)])
      return
    }
    this.#later++
    inquiry.exchange.acknowledge()
    this.endpoint.deadlines.set(
      new Pause(() => {
        this.#later--
        answer()
      }),
      this.endpoint.now() + SEPARATE_MS,
    )
  }

  close(): void {
    for (const observer of [...this.observers.values()]) observer.cancel()
    this.#gate.close()
    this.responder.close()
    this.endpoint.close()
  }
}

class Pause implements Timed {
  dueAt = 0
  heapIndex = -1
  readonly #over: () => void

  constructor(over: () => void) {
    this.#over = over
  }

  onDeadline(): void {
    this.#over()
  }
}
