/**
 * The server's side of OSCORE: verifies requests, and has their answers protected. RFC 8613 8.2, 8.3. Requests of one
 * context have block-wise transfers of their own, so that nobody else continues them. Observations are not protected:
 * Observe is taken away, which tells a client that it was not added (RFC 7641 4.1).
 */
import { INTERNAL_SERVER_ERROR, NON } from '../codes.ts'
import { type Exchange, refusal } from '../exchange.ts'
import type { CoapMessage } from '../message.ts'
import { OSCORE } from '../options.ts'
import type { Responder } from '../responder.ts'
import type { SecurityContext } from './context.ts'
import { protectResponse, unprotectRequest } from './protection.ts'

export interface GateEvents {
  /** The context in which the peer's key id speaks. */
  findContext(kid: Uint8Array, kidContext: Uint8Array | undefined): SecurityContext | undefined
  /** Serves the requests of one context; made when the first one came. */
  openResponder(): Responder
  count(name: string): void
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
    const opened = unprotectRequest(request, (kid, kidContext) => this.#events.findContext(kid, kidContext))
    if ('refused' in opened) {
      this.#events.count('oscore-refused')
      // RFC 8613 8.2: whoever sent a Non-confirmable message need not be told.
      if (request.type !== NON) exchange.respond(opened.refused)
      return true
    }
    const { binding } = opened
    exchange.protect = (response) =>
      protectResponse(binding, response) ?? refusal(INTERNAL_SERVER_ERROR, 'no sequence numbers are left')
    this.#responder(binding.context).onRequest(opened.request, exchange)
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
