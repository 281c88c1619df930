/**
 * The server's half above the message layer: what every request goes through before a resource sees it, and its answer
 * afterwards. Options (RFC 7252 5.4), reachability (RFC 9175 2), bodies in blocks both ways (RFC 7959).
 */
import { type Block, blockOf, blockOption, blockSize, szxFor, transferKey } from './block.ts'
import { BAD_OPTION, BAD_REQUEST, FETCH, GET, isSafe, isSuccess, NON, REQUEST_ENTITY_TOO_LARGE } from './codes.ts'
import { answerBytes, EchoGuard, type EchoPolicy } from './echo.ts'
import type { Endpoint } from './endpoint.ts'
import { type Exchange, type Response, refusal } from './exchange.ts'
import type { CoapMessage } from './message.ts'
import {
  ACCEPT,
  BLOCK1,
  BLOCK2,
  CONTENT_FORMAT,
  OBSERVE,
  type Option,
  Q_BLOCK1,
  Q_BLOCK2,
  SIZE1,
  URI_PATH,
  URI_QUERY,
  uintOption,
} from './options.ts'
import { qBlocksOf } from './q-block.ts'
import { requestFault } from './request-fault.ts'
import { asksForLostAnswer, lostAnswer, type TransferLimits, Transfers } from './transfers.ts'
import type { ByteBudget } from './uploads.ts'

export interface ResponderSettings {
  readonly blockwise: TransferLimits
  readonly echo: EchoPolicy
  /** Whether bursts of blocks are taken and sent where the peer asks for them, RFC 9177; else they are 4.02. */
  readonly qBlock?: boolean | undefined
}

/** What a responder needs of whoever owns the endpoint. */
export interface ResponderEvents {
  /** A whole request with nothing wrong in general. To be answered once, now or later. */
  onInquiry(inquiry: Inquiry): void
  count(name: string, by?: number): void
}

export class Responder {
  readonly endpoint: Endpoint
  readonly transfers: Transfers
  readonly maxBlockSize: number
  readonly guard: EchoGuard
  readonly #maxBodySize: number
  readonly #qBlock: boolean
  readonly #events: ResponderEvents

  /** `budget` bounds the bytes of unfinished transfers of all peers together. */
  constructor(
    endpoint: Endpoint,
    settings: ResponderSettings,
    budget: ByteBudget,
    events: ResponderEvents,
    random: (bytes: number) => Uint8Array,
  ) {
    this.endpoint = endpoint
    this.maxBlockSize = settings.blockwise.maxBlockSize
    this.#maxBodySize = settings.blockwise.maxBodySize
    this.transfers = new Transfers(endpoint, settings.blockwise, budget, (name, by) => events.count(name, by))
    this.guard = new EchoGuard(settings.echo, random)
    this.#qBlock = settings.qBlock === true
    this.#events = events
  }

  /** Give every request of the endpoint here. */
  onRequest(request: CoapMessage, exchange: Exchange): void {
    const { options } = request
    const fault = requestFault(options, { qBlock: this.#qBlock })
    if (fault !== undefined) {
      this.#events.count(fault.counter)
      // RFC 7252 5.4.1: a Non-confirmable request with a critical option that is not understood is ignored.
      if (fault.code !== BAD_OPTION || request.type !== NON) exchange.respond(fault)
      return
    }
    this.guard.read(request, this.endpoint.now())
    if (!this.guard.servesStrangers) {
      this.#challenge(exchange)
      return
    }
    const inquiry = new Inquiry(this, request, exchange)
    if (this.#serveLaterBlock(inquiry)) return
    if (asksForLostAnswer(inquiry)) {
      this.#events.count('block-out-of-order')
      exchange.respond(lostAnswer())
      return
    }
    const [qBlock1] = qBlocksOf(options, Q_BLOCK1) ?? []
    if (qBlock1 !== undefined) {
      const body = this.transfers.uploadBurst(inquiry, qBlock1)
      if (body === undefined) return
      inquiry.body = body
    } else if (inquiry.block1 !== undefined) {
      const { block1, contentFormat } = inquiry
      const part = { block: block1, payload: request.payload, contentFormat, announced: options.uint(SIZE1) }
      const result = this.transfers.upload(inquiry.transferKey, part)
      if ('response' in result) {
        exchange.respond(result.response)
        return
      }
      inquiry.body = result.body
    } else if (request.payload.length > this.#maxBodySize) {
      this.#events.count('body-too-large')
      const hint = blockOption(BLOCK1, { number: 0, more: false, szx: szxFor(this.maxBlockSize) })
      exchange.respond(refusal(REQUEST_ENTITY_TOO_LARGE, 'too large', [hint, uintOption(SIZE1, this.#maxBodySize)]))
      return
    }
    this.#events.onInquiry(inquiry)
  }

  /** Answers, in blocks if need be. */
  answer(inquiry: Inquiry, response: Response, once: readonly Option[]): void {
    const { exchange, request } = inquiry
    if (isSafe(request.code) && !this.guard.permits(request.bytes.length, this.#bytesOf(inquiry, response))) {
      this.#challenge(exchange)
      return
    }
    if (this.#answerInBurst(inquiry, response, once)) return
    const first = this.#firstBlock(inquiry, response)
    // RFC 7959 2.3: the answer to the last block says which one it was.
    const final = inquiry.block1 === undefined ? [] : [blockOption(BLOCK1, { ...inquiry.block1, more: false })]
    const options = [...(first.options ?? []), ...once, ...final]
    exchange.respond({ code: first.code, options, payload: first.payload })
  }

  /** The state that the observer of `inquiry` is told: its first block, the rest on request. RFC 7959 3.4 */
  notification(inquiry: Inquiry, state: Response): Response {
    const wanted = inquiry.block2
    if (wanted === undefined && (state.payload?.length ?? 0) <= this.maxBlockSize) return state
    return this.transfers.download(inquiry.transferKey, state, wanted) ?? state
  }

  close(): void {
    this.transfers.close()
  }

  #serveLaterBlock(inquiry: Inquiry): boolean {
    const { block2, burst, exchange } = inquiry
    if (burst.length > 0) return this.transfers.nextBurst(inquiry.transferKey, exchange, burst)
    if (block2 === undefined || block2.number === 0) return false
    return this.transfers.next(inquiry.transferKey, block2, (part) => {
      exchange.respond(part === 'beyond-end' ? beyondEnd() : part)
    })
  }

  #answerInBurst(inquiry: Inquiry, { code, options = [], payload }: Response, once: readonly Option[]): boolean {
    const [wanted] = inquiry.burst
    if (wanted === undefined || !isSuccess(code)) return false
    const whole = { code, options: [...options, ...once], payload }
    return this.transfers.downloadBurst(inquiry.transferKey, inquiry.exchange, whole, wanted)
  }

  #firstBlock(inquiry: Inquiry, response: Response): Response {
    if (!isSuccess(response.code)) return response
    const size = response.payload?.length ?? 0
    const wanted = inquiry.block2 ?? sizeOfUpload(inquiry.block1, size)
    if (wanted === undefined && size <= this.maxBlockSize) return response
    return this.transfers.download(inquiry.transferKey, response, wanted) ?? beyondEnd()
  }

  #bytesOf({ block2, burst, exchange }: Inquiry, response: Response): number {
    const [wanted] = burst
    const single = block2 === undefined ? this.maxBlockSize : blockSize(block2.szx)
    return answerBytes(exchange, response, wanted === undefined ? single : this.transfers.burstBytes(wanted))
  }

  #challenge(exchange: Exchange): void {
    this.#events.count('echo-challenge')
    exchange.respond(this.guard.challenge(this.endpoint.now()))
  }
}

function beyondEnd(): Response {
  return refusal(BAD_REQUEST, 'this block lies beyond the end')
}

/** Who sends small blocks may want to be sent small ones. RFC 7959 3.3 */
function sizeOfUpload(block1: Block | undefined, size: number): Block | undefined {
  if (block1 === undefined || size <= blockSize(block1.szx)) return undefined
  return { number: 0, more: false, szx: block1.szx }
}

/** One request on its way to a resource, and the answer to it. */
export class Inquiry {
  readonly request: CoapMessage
  readonly exchange: Exchange
  readonly path: readonly string[]
  readonly queries: readonly string[]
  readonly block1: Block | undefined
  readonly block2: Block | undefined
  /** The whole body, though it came in blocks. */
  body: Uint8Array
  readonly #responder: Responder

  constructor(responder: Responder, request: CoapMessage, exchange: Exchange) {
    const { options } = request
    this.#responder = responder
    this.request = request
    this.exchange = exchange
    this.path = options.texts(URI_PATH)
    this.queries = options.texts(URI_QUERY)
    this.block1 = blockOf(options, BLOCK1)
    this.block2 = blockOf(options, BLOCK2)
    this.body = request.payload
  }

  /** The blocks of a burst that it asks for: Q-Block2. */
  get burst(): readonly Block[] {
    return qBlocksOf(this.request.options, Q_BLOCK2) ?? []
  }

  /** What its observer is told of a later state: the first block, the rest on request. RFC 7959 3.4 */
  notification(state: Response): Response {
    return this.#responder.notification(this, state)
  }

  get contentFormat(): number | undefined {
    return this.request.options.uint(CONTENT_FORMAT)
  }

  get accept(): number | undefined {
    return this.request.options.uint(ACCEPT)
  }

  /** Whether request and answer are protected. RFC 8613 */
  get isProtected(): boolean {
    return this.exchange.protect !== undefined
  }

  /** RFC 7641 2; requests for later blocks do not count. RFC 7959 3.4 */
  get observe(): number | undefined {
    const { code, options } = this.request
    const isObservable = (code === GET || code === FETCH) && (this.block2?.number ?? 0) === 0
    return isObservable ? options.uint(OBSERVE) : undefined
  }

  /** Names the resource in block-wise transfers with this peer. */
  get transferKey(): string {
    return transferKey(this.request.code, this.request.options)
  }

  /** `once`: options of this message alone, not of later blocks. */
  respond(response: Response, once: readonly Option[] = []): void {
    this.#responder.answer(this, response, once)
  }

  refuse(code: number, diagnostic: string, options?: readonly Option[]): void {
    this.respond(refusal(code, diagnostic, options))
  }
}
