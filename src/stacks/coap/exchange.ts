/**
 * One request of the peer and the answer to it: piggybacked, separate, or for a Non-confirmable request. RFC 7252 5.2.
 * It also is what deduplication remembers: RFC 7252 4.5.
 */
import type { MessageType } from './codes.ts'
import { ACK, CON, NON } from './codes.ts'
import type { Timed } from './deadlines.ts'
import type { CoapMessage } from './message.ts'
import { serialize, serializeEmpty } from './message.ts'
import type { Option } from './options.ts'
import { NO_RESPONSE } from './options.ts'
import { encodeText } from './text.ts'

export interface Response {
  readonly code: number
  /** In any order. */
  readonly options?: readonly Option[] | undefined
  readonly payload?: Uint8Array | undefined
}

export type Protect = (response: Response) => Response

/** A refusal that says why, in words. RFC 7252 5.5.2 */
export function refusal(code: number, diagnostic: string, options?: readonly Option[]): Response {
  return { code, options, payload: encodeText(diagnostic) }
}

/** What an exchange needs of its endpoint. */
export interface ExchangeHost {
  send(bytes: Uint8Array): void
  nextMessageId(): number
  /** Sends a response of its own message, retransmitted until acknowledged. */
  sendSeparate(token: string, response: Response): void
  /** The exchange has its final reply. */
  answered(exchange: Exchange): void
}

/** `acknowledged`: an empty acknowledgement went out, the response will be separate. */
export type ExchangeState = 'open' | 'acknowledged' | 'answered'

const HEADER_BYTES = 4
const NO_REPLY = -1
const NO_BYTES = new Uint8Array(0)

/** What of a request matters for its answer, and for knowing it again. */
export type RequestFacts = Pick<CoapMessage, 'type' | 'code' | 'messageId' | 'token' | 'options'>

export class Exchange implements Timed {
  dueAt = 0
  heapIndex = -1

  readonly type: MessageType
  readonly code: number
  readonly messageId: number
  readonly token: string
  /** When the request arrived. */
  readonly at: number
  state: ExchangeState = 'open'
  /** What a retransmission of the request gets; undefined also where the code says it all. */
  reply: Uint8Array | undefined = undefined
  #protect: Protect | undefined = undefined
  /** Code of a reply without options and payload: most are, and it is not worth keeping their bytes. */
  #bareReply = NO_REPLY

  readonly #host: ExchangeHost
  /** RFC 7967 2.1: bit `class - 1` set means that responses of this class are not wanted. */
  #unwanted: number

  constructor(host: ExchangeHost, request: RequestFacts, at: number) {
    this.#host = host
    this.type = request.type
    this.code = request.code
    this.messageId = request.messageId
    this.token = request.token
    this.at = at
    this.#unwanted = request.options.uint(NO_RESPONSE) ?? 0
  }

  /** Makes of each answer what goes out, where the request was protected. RFC 8613 8.3 */
  get protect(): Protect | undefined {
    return this.#protect
  }

  /** The request was protected: `request` is what it says. */
  secure(request: CoapMessage, protect: Protect): void {
    this.#protect = protect
    // RFC 8613 4.1.3.6: No-Response of the message around it does not count.
    this.#unwanted = request.options.uint(NO_RESPONSE) ?? 0
  }

  /** Answers the request, once: later calls do nothing. */
  respond(answer: Response): void {
    if (this.state === 'answered') return
    const wanted = (this.#unwanted & (1 << ((answer.code >> 5) - 1))) === 0
    const response = this.#protect === undefined || !wanted ? answer : this.#protect(answer)
    if (this.type === NON) {
      if (wanted) this.#host.send(this.#serialize(NON, this.#host.nextMessageId(), response))
    } else if (!wanted) {
      this.acknowledge()
    } else if (this.state === 'open') {
      const reply = this.#serialize(ACK, this.messageId, response)
      if (reply.length === HEADER_BYTES + this.token.length) this.#bareReply = response.code
      else this.reply = reply
      this.#host.send(reply)
    } else {
      this.#host.sendSeparate(this.token, response)
    }
    this.state = 'answered'
    this.#host.answered(this)
  }

  /** Tells a Confirmable request that it has arrived and that the response will follow. RFC 7252 5.2.2 */
  acknowledge(): void {
    if (this.state !== 'open' || this.type !== CON) return
    this.reply = serializeEmpty(ACK, this.messageId)
    this.#host.send(this.reply)
    this.state = 'acknowledged'
  }

  /** The request arrived again. */
  repeat(): void {
    const { remembered } = this
    if (remembered.length > 0) this.#host.send(remembered)
  }

  /** What a repetition of the request gets; empty is nothing. */
  get remembered(): Uint8Array {
    if (this.reply !== undefined) return this.reply
    return this.#bareReply === NO_REPLY ? NO_BYTES : serialize(ACK, this.#bareReply, this.messageId, this.token)
  }

  /** The exchange is one that was answered before, with what is `remembered` of it. */
  recall(remembered: Uint8Array): void {
    this.state = 'answered'
    if (remembered.length > 0) this.reply = remembered
  }

  /** A message with the same id is a repetition only when it is the same request: devices restart their counters. */
  matches(request: CoapMessage): boolean {
    return this.token === request.token && this.code === request.code && this.type === request.type
  }

  onDeadline(): void {
    this.acknowledge()
  }

  #serialize(type: MessageType, messageId: number, response: Response): Uint8Array {
    return serialize(type, response.code, messageId, this.token, response.options, response.payload)
  }
}
