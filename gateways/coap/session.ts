/** One address: its message layer, and the clients that speak from there. Identity lies with them, not here. */
import type { CloseReason, Link, Malformed, Session } from '#sdk'
import { blockSize } from '#stacks/coap/block'
import { BAD_OPTION, BAD_REQUEST, isSafe, METHOD_NOT_ALLOWED, methodText, NON, NOT_FOUND } from '#stacks/coap/codes'
import type { Timed } from '#stacks/coap/deadlines'
import { answerBytes, EchoGuard } from '#stacks/coap/echo'
import { Endpoint, type EndpointEvents } from '#stacks/coap/endpoint'
import type { Exchange, Response } from '#stacks/coap/exchange'
import type { CoapMessage } from '#stacks/coap/message'
import type { MessageLayer } from '#stacks/coap/message-layer'
import { REGISTER } from '#stacks/coap/observe'
import { OSCORE, SIZE1 } from '#stacks/coap/options'
import { openRequest } from '#stacks/coap/oscore/open-request'
import type { BlockDialect, RequestFault } from '#stacks/coap/request-fault'
import { type StreamContext, StreamEndpoint } from '#stacks/coap/stream-endpoint'
import { asksForLostAnswer, lostAnswer, Transfers } from '#stacks/coap/transfers'
import { Call } from './call.ts'
import type { CoapClient } from './client.ts'
import { type Few, fewDelete, fewGet, fewSet, fewSize, fewValues } from './few.ts'
import type { CoapGateway } from './gateway.ts'
import { identify } from './identity.ts'
import type { Observer } from './observer.ts'
import type { Account } from './oscore/accounts.ts'
import { refusal } from './responses.ts'
import type { ClientHandler } from './routes/resource.ts'
import { targetOf } from './target.ts'

/** The endpoint's deadlines share this one. */
const TIMER = 1

/** RFC 8323 6; bursts are for datagrams alone, RFC 9177 3. */
const STREAM_DIALECT: BlockDialect = { bert: true }

/** Who is not heard for so long has nothing more to say for now. */
const BRIEF_MS = 1000
/** The same for who came back sooner than this the last time. */
const PATIENT_MS = 5000

/** What must not be forgotten of an address that rests, while repetitions may come. */
export type Memory = string | GuardedMemory

interface GuardedMemory {
  readonly packed: string
  readonly guard: EchoGuard
}

export class AddressSession implements Session, EndpointEvents, Timed {
  dueAt = 0
  heapIndex = -1

  readonly gateway: CoapGateway
  readonly link: Link
  #clients: Few<CoapClient, CoapClient> = undefined
  /** The client of requests that name none. */
  anonymous: CoapClient | undefined = undefined
  /** When the peer last showed that it lives without saying who: an acknowledgement, a ping. */
  aliveAt = 0

  readonly endpoint: MessageLayer
  /** The peer was heard lately, and may go on. */
  #isActive = false
  #heardAt = 0
  #patienceMs = BRIEF_MS
  /** What is known of the address, where it must be shown to be the peer's own. */
  #guard: EchoGuard | undefined

  /** By token, which is theirs alone at this address. RFC 7641 4.1 */
  #observers: Few<string, Observer> = undefined
  /** Clients whose login is not decided yet, by what they said. */
  #logins: Map<string, CoapClient> | undefined = undefined
  #transfers: Transfers | undefined = undefined

  constructor(gateway: CoapGateway, link: Link) {
    this.gateway = gateway
    this.link = link
    const { datagram, secure } = link.peer
    this.#guard = gateway.config.echo === 'large' && datagram && !secure ? newGuard(link) : undefined
    this.endpoint = newEndpoint(this)
    this.#linger()
  }

  /** How many speak from here. */
  get clients(): number {
    return fewSize(this.#clients)
  }

  get transfers(): Transfers {
    this.#transfers ??= new Transfers(this.endpoint, this.gateway.config.blockwise, this.gateway.transferBudget, (name, by) =>
      this.link.count(name, by),
    )
    return this.#transfers
  }

  /** A payload up to here is sent in one message, unless the client asks for blocks. */
  get wholePayloadBytes(): number {
    return this.endpoint.wholePayloadBytes ?? this.gateway.config.blockwise.maxBlockSize
  }

  // ---- Session ---------------------------------------------------------------------------------------------------

  onBytes(bytes: Uint8Array): void {
    const { endpoint } = this
    this.#heardAt = this.link.now()
    if (!this.#isActive) {
      this.#isActive = true
      endpoint.deadlines.set(this, this.#heardAt + this.#patienceMs)
    }
    endpoint.receive(bytes)
  }

  onTimer(): void {
    this.endpoint.onTimer()
  }

  onConnect(): void {}

  onDeliver(): void {}

  onClose(_reason: CloseReason): void {
    this.#transfers?.close()
    this.endpoint.close()
  }

  describe(): Readonly<Record<string, unknown>> {
    return { clients: this.clients, observations: fewSize(this.#observers), transfers: this.#transfers?.size ?? 0 }
  }

  // ---- EndpointEvents --------------------------------------------------------------------------------------------

  onRequest(request: CoapMessage, exchange: Exchange): void {
    const { accounts } = this.gateway
    if (accounts.size === 0 || !request.options.has(OSCORE)) {
      this.#onRequest(request, exchange)
      return
    }
    const opened = openRequest(request, exchange, {
      findContext: (kid, kidContext) => accounts.find(kid, kidContext),
      now: () => this.link.now(),
      random: (bytes) => this.link.random(bytes),
      count: (name) => this.count(name),
    })
    if (opened !== undefined) this.#onRequest(opened.request, exchange, accounts.of(opened.context))
  }

  #onRequest(request: CoapMessage, exchange: Exchange, account?: Account): void {
    this.#guard?.read(request, this.link.now())
    const target = targetOf(request.options, this.link.peer.datagram ? this.gateway.datagramDialect : STREAM_DIALECT)
    if (target.fault !== undefined) {
      this.#refuse(target.fault, request, exchange)
      return
    }
    const call = new Call(this, request, exchange, target, account)
    if (target.resource === undefined) {
      call.refuse(NOT_FOUND, 'no such resource: see /.well-known/core')
      return
    }
    const method = target.resource.methods.get(request.code)
    if (method === undefined) {
      call.refuse(METHOD_NOT_ALLOWED, `no ${methodText(request.code)} here`)
    } else if ('open' in method) {
      method.open(call)
    } else {
      call.guest = method.guest
      const client = identify(call)
      client?.whenOnline(call, method.client)
    }
  }

  onAlive(): void {
    this.aliveAt = this.link.now()
  }

  onMalformed(fault: Malformed): void {
    this.link.malformed(fault)
  }

  count(name: string): void {
    this.link.count(name)
  }

  // ---- for clients -----------------------------------------------------------------------------------------------

  /** True when `response` is too large for an address that may not be the peer's: it has been asked for proof instead. */
  challenges(call: Call, response: Response): boolean {
    const { exchange, request, target } = call
    if (this.#guard === undefined || this.#guard.verified || !isSafe(request.code)) return false
    const [burst] = target.burst2
    const single = target.block2 === undefined ? this.wholePayloadBytes : blockSize(target.block2.szx)
    const most = burst === undefined ? single : this.transfers.burstBytes(burst)
    if (this.#guard.permits(request.bytes.length, answerBytes(exchange, response, most))) return false
    this.#challenge(this.#guard, exchange)
    return true
  }

  /** Serves a request on behalf of `client`: blocks first, then the route. */
  serve(call: Call, client: CoapClient, handler: ClientHandler): void {
    call.client = client
    const { block1, block2, burst1, burst2 } = call.target
    if ((block2 !== undefined || burst2.length > 0) && this.#servesLaterBlock(call)) return
    if (this.#guard?.verified === false && call.target.observe === REGISTER && isSafe(call.request.code)) {
      // One request would be answered by any number of notifications.
      this.#challenge(this.#guard, call.exchange)
      return
    }
    if (block1 !== undefined) {
      const { contentFormat, options } = call.target
      const part = { block: block1, payload: call.request.payload, contentFormat, announced: options.uint(SIZE1) }
      const result = this.transfers.upload(call.transferKey, part)
      if ('response' in result) {
        call.exchange.respond(result.response)
        return
      }
      call.reassembled = result.body
    }
    if (burst1 !== undefined) {
      const body = this.transfers.uploadBurst(call, burst1)
      if (body === undefined) return
      call.reassembled = body
    }
    handler(call, client)
  }

  /** The client that somebody is logging in as with this key; `begin` makes it when there is none. */
  loginOf(key: string, begin: (decided: () => void) => CoapClient | undefined): CoapClient | undefined {
    const pending = this.#logins?.get(key)
    if (pending !== undefined) return pending
    const client = begin(() => this.#loginDecided(key))
    if (client === undefined) return undefined
    this.#logins ??= new Map()
    this.#logins.set(key, client)
    return client
  }

  arrived(client: CoapClient): void {
    this.#clients = fewSet(this.#clients, client, itself)
  }

  /** A client whose address rested speaks from here, as before. */
  resumed(client: CoapClient, memory: Memory | undefined, heardAt: number): void {
    this.arrived(client)
    if (this.link.now() - heardAt < PATIENT_MS) this.#patienceMs = PATIENT_MS
    if (memory === undefined) return
    const { packed, guard } = typeof memory === 'string' ? { packed: memory, guard: undefined } : memory
    if (this.endpoint instanceof Endpoint) this.endpoint.recall(packed)
    if (guard !== undefined) this.#guard = guard
  }

  left(client: CoapClient): void {
    this.#clients = fewDelete(this.#clients, client, itself)
    if (this.anonymous === client) this.anonymous = undefined
    if (this.heapIndex < 0) this.#linger()
  }

  /** Who observes with this token. */
  observer(token: string): Observer | undefined {
    return fewGet(this.#observers, token, tokenOf)
  }

  observed(observer: Observer): void {
    this.#observers = fewSet(this.#observers, observer, tokenOf)
  }

  unobserved(observer: Observer): void {
    if (this.observer(observer.token) === observer) this.#observers = fewDelete(this.#observers, observer.token, tokenOf)
  }

  // ---- inside ----------------------------------------------------------------------------------------------------

  /** Goes to rest, unless the peer is heard. */
  onDeadline(now: number): void {
    const restAt = this.#heardAt + this.#patienceMs
    if (this.#isActive && restAt > now) {
      this.endpoint.deadlines.set(this, restAt)
      return
    }
    this.#isActive = false
    this.endpoint.rest()
    if (this.#transfers?.size === 0) {
      this.#transfers.close()
      this.#transfers = undefined
    }
    if (this.#transfers === undefined && this.#rest()) return
    if (this.#transfers !== undefined || !this.endpoint.isQuiet()) this.#linger()
    else if (this.clients === 0) this.link.close('idle')
  }

  /** A million addresses wait for one message in a day: nothing is left of one whose only client can keep all that matters. */
  #rest(): boolean {
    const [client, ...others] = fewValues(this.#clients)
    if (client?.online !== true || others.length > 0 || !(this.endpoint instanceof Endpoint)) return false
    const packed = this.endpoint.pack()
    if (packed === undefined || !this.link.rest()) return false
    client.rested(this.#guard === undefined ? packed : { packed, guard: this.#guard }, this.aliveAt)
    return true
  }

  /** What the request asks for is kept, or cannot be had any more. */
  #servesLaterBlock(call: Call): boolean {
    const { request, exchange, transferKey, target } = call
    const { block1, block2, burst2: burst } = target
    const send = (part: Response | 'beyond-end'): void => {
      const response = part === 'beyond-end' ? refusal(BAD_REQUEST, 'this block lies beyond the end') : part
      if (!this.challenges(call, response)) exchange.respond(response)
    }
    if (burst.length > 0 && this.transfers.nextBurst(transferKey, exchange, burst)) return true
    if (block2 !== undefined && block2.number > 0 && this.transfers.next(transferKey, block2, send)) return true
    if (!asksForLostAnswer({ request, block1, block2, burst })) return false
    this.count('block-out-of-order')
    exchange.respond(lostAnswer())
    return true
  }

  #challenge(guard: EchoGuard, exchange: Exchange): void {
    this.count('echo-challenge')
    exchange.respond(guard.challenge(this.link.now()))
  }

  #refuse(fault: RequestFault, { type }: CoapMessage, exchange: Exchange): void {
    this.count(fault.counter)
    // RFC 7252 5.4.1: a Non-confirmable request with a critical option that is not understood is ignored.
    if (fault.code !== BAD_OPTION || type !== NON) exchange.respond(fault)
  }

  #loginDecided(key: string): void {
    this.#logins?.delete(key)
    if (this.#logins?.size === 0) this.#logins = undefined
  }

  #linger(): void {
    this.endpoint.deadlines.set(this, this.link.now() + this.gateway.lingerMs)
  }
}

function itself(client: CoapClient): CoapClient {
  return client
}

function tokenOf({ token }: Observer): string {
  return token
}

function newEndpoint(session: AddressSession): MessageLayer {
  const { gateway, link } = session
  const context = new LinkContext(link)
  const { datagram, delimited = false } = link.peer
  if (!datagram) return new StreamEndpoint(context, session, { ...gateway.streamSettings, delimited })
  return new Endpoint(context, session, gateway.endpointSettings)
}

function newGuard(link: Link): EchoGuard {
  return new EchoGuard('amplification', (bytes) => link.random(bytes))
}

/** What the message layer may do to the world. */
class LinkContext implements StreamContext {
  readonly #link: Link

  constructor(link: Link) {
    this.#link = link
  }

  now(): number {
    return this.#link.now()
  }

  random(bytes: number): Uint8Array {
    return this.#link.random(bytes)
  }

  send(datagram: Uint8Array): void {
    this.#link.send(datagram)
  }

  end(reason: 'released' | 'aborted' | 'fault'): void {
    this.#link.close(reason === 'fault' ? 'protocol-error' : 'disconnected')
  }

  arm(delayMs: number): void {
    this.#link.arm(TIMER, delayMs)
  }

  disarm(): void {
    this.#link.disarm(TIMER)
  }
}
