/**
 * OSCORE in front of a server: requests that are protected go to a responder of their context, which has block-wise transfers of its own, so
 * that nobody else continues them.
 */
import type { Exchange } from '../exchange.ts'
import type { CoapMessage } from '../message.ts'
import { OSCORE } from '../options.ts'
import type { Responder } from '../responder.ts'
import type { SecurityContext } from './context.ts'
import { type OscoreEvents, openRequest } from './open-request.ts'

export interface GateEvents extends OscoreEvents {
  /** Serves the requests of one context; made when the first one came. */
  openResponder(): Responder
}

/** Contexts in which one address speaks; at the limit the oldest one's unfinished transfers are given up. */
const MAX_CONTEXTS = 8

export class OscoreGate {
  readonly #events: GateEvents
  readonly #responders = new Map<SecurityContext, Responder>()

  constructor(events: GateEvents) {
    this.#events = events
  }

  /** Give every request here: false says that it is not protected, and was not touched. */
  onRequest(request: CoapMessage, exchange: Exchange): boolean {
    if (!request.options.has(OSCORE)) return false
    const opened = openRequest(request, exchange, this.#events)
    if (opened !== undefined) this.#responder(opened.context).onRequest(opened.request, exchange)
    return true
  }

  close(): void {
    for (const responder of this.#responders.values()) responder.close()
    this.#responders.clear()
  }

  #responder(context: SecurityContext): Responder {
    const known = this.#responders.get(context)
    if (known !== undefined) return known
    if (this.#responders.size >= MAX_CONTEXTS) {
      for (const [oldest, responder] of this.#responders) {
        responder.close()
        this.#responders.delete(oldest)
        break
      }
    }
    const responder = this.#events.openResponder()
    this.#responders.set(context, responder)
    return responder
  }
}
