/**
 * The server's side of OSCORE, for one request: verifies it, and has its answers protected. RFC 8613 8.2, 8.3. A context whose replay window was
 * lost serves nobody until a request has proved to be fresh. RFC 8613 B.1.2
 */
import { INTERNAL_SERVER_ERROR, NON } from '../codes.ts'
import { EchoGuard } from '../echo.ts'
import { type Exchange, refusal } from '../exchange.ts'
import type { CoapMessage } from '../message.ts'
import { decodeUint } from '../options.ts'
import type { SecurityContext } from './context.ts'
import { protectResponse, unprotectRequest } from './protection.ts'

export interface OscoreEvents {
  /** The context in which the peer's key id speaks. */
  findContext(kid: Uint8Array, kidContext: Uint8Array | undefined): SecurityContext | undefined
  /** Milliseconds. */
  now(): number
  random(bytes: number): Uint8Array
  count(name: string): void
}

export interface OpenedRequest {
  /** What the sender wrote. */
  readonly request: CoapMessage
  /** Who that is. */
  readonly context: SecurityContext
}

/** For requests with an OSCORE option. Undefined: it was not served, and is answered where it should be. */
export function openRequest(outer: CoapMessage, exchange: Exchange, events: OscoreEvents): OpenedRequest | undefined {
  const opened = unprotectRequest(outer, (kid, kidContext) => events.findContext(kid, kidContext))
  if ('refused' in opened) {
    events.count('oscore-refused')
    // RFC 8613 8.2: whoever sent a Non-confirmable message need not be told.
    if (outer.type !== NON) exchange.respond(opened.refused)
    return undefined
  }
  const { request, binding } = opened
  const { context } = binding
  exchange.secure(
    request,
    (response) => protectResponse(binding, response) ?? refusal(INTERNAL_SERVER_ERROR, 'no sequence numbers are left'),
  )
  if (!context.replays.isLost) return { request, context }
  context.freshness ??= new EchoGuard('always', (bytes) => events.random(bytes))
  const guard = context.freshness
  guard.read(request, events.now())
  if (guard.servesStrangers) {
    context.replays.restart(decodeUint(binding.partialIv))
    return { request, context }
  }
  // RFC 8613 B.1.2: it may be a replay, and then its nonce has protected an answer already.
  binding.isAnswered = true
  events.count('oscore-challenge')
  exchange.respond(guard.challenge(events.now()))
  return undefined
}
