/** One request on its way through the gateway, and the answer to it. */
import { blockOption, transferKey } from '#stacks/coap/block'
import { BAD_REQUEST, GET, isSuccess } from '#stacks/coap/codes'
import type { Exchange, Response } from '#stacks/coap/exchange'
import type { CoapMessage } from '#stacks/coap/message'
import { BLOCK1, type Option } from '#stacks/coap/options'
import type { CoapClient } from './client.ts'
import type { Account } from './oscore/accounts.ts'
import { CHANGED_RESPONSE, refusal } from './responses.ts'
import type { OpenHandler } from './routes/resource.ts'
import type { AddressSession } from './session.ts'
import type { Target } from './target.ts'

export class Call {
  readonly session: AddressSession
  readonly request: CoapMessage
  readonly exchange: Exchange
  readonly target: Target
  /** Who protected the request. RFC 8613 */
  readonly account: Account | undefined
  /** Whom it speaks for, once that is known. */
  client: CoapClient | undefined = undefined
  /** The whole body, when it came in blocks. */
  reassembled: Uint8Array | undefined = undefined
  /** The answer when the broker has what the request publishes. */
  accepted: Response = CHANGED_RESPONSE
  /** Serves the request when nobody is logged in for it. */
  guest: OpenHandler | undefined = undefined

  constructor(session: AddressSession, request: CoapMessage, exchange: Exchange, target: Target, account?: Account) {
    this.session = session
    this.request = request
    this.exchange = exchange
    this.target = target
    this.account = account
  }

  /** Who the request says it is, or its transport proved it to be. */
  get clientId(): string | undefined {
    return this.account?.clientId ?? this.target.query.clientId ?? this.session.link.peer.identity
  }

  get contentFormat(): number | undefined {
    return this.target.contentFormat
  }

  get body(): Uint8Array {
    return this.reassembled ?? this.request.payload
  }

  /** Names the resource in block-wise transfers with this address: nobody goes on with those that somebody protected. */
  get transferKey(): string {
    const { client, request, target } = this
    const isRead = client !== undefined && request.code === GET
    const filter = isRead ? target.resource?.observed?.(this, client) : undefined
    if (isRead && filter !== undefined) return observedKey(client.id, filter, target.accept)
    const key = transferKey(request.code, target.options)
    return this.account === undefined ? key : `${this.account.name} ${key}`
  }

  /** Answers, in blocks if need be. `once`: options of this message alone, not of later blocks. */
  respond(response: Response, once?: readonly Option[]): void {
    if (this.session.challenges(this, response)) return
    const { block1, block2, burst2 } = this.target
    const [burst] = burst2
    if (burst !== undefined && isSuccess(response.code)) {
      const whole = once === undefined ? response : { ...response, options: [...(response.options ?? []), ...once] }
      if (this.session.transfers.downloadBurst(this.transferKey, this.exchange, whole, burst)) return
    }
    let first: Response = response
    const isLarge = (response.payload?.length ?? 0) > this.session.wholePayloadBytes
    if (isSuccess(response.code) && (block2 !== undefined || isLarge)) {
      const part = this.session.transfers.download(this.transferKey, response, block2)
      first = part ?? refusal(BAD_REQUEST, 'this block lies beyond the end')
    }
    // RFC 7959 2.3: the answer to the last block says which one it was.
    const final = block1 === undefined ? undefined : blockOption(BLOCK1, { ...block1, more: false })
    if (final === undefined && once === undefined) {
      this.exchange.respond(first)
      return
    }
    const { code, options = [], payload } = first
    this.exchange.respond({ code, options: [...options, ...(once ?? []), ...(final === undefined ? [] : [final])], payload })
  }

  /** Nobody is, or can be, logged in for this request, which named nobody. */
  deny(response: Response): void {
    if (this.guest === undefined) this.respond(response)
    else this.guest(this)
  }

  refuse(code: number, diagnostic: string): void {
    this.respond(refusal(code, diagnostic))
  }
}

/** Names what a client reads or observes: a notification goes on in the blocks that it asks for as if it read. RFC 7959 2.6 */
export function observedKey(clientId: string, filter: string, accept: number | undefined): string {
  return `${GET} ${clientId} ${accept ?? ''} ${filter}`
}
