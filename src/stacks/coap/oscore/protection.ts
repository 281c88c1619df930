/** Messages protected and verified: RFC 8613 sections 4, 5, 8. */
import { isMalformed } from '#sdk'
import { BAD_OPTION, BAD_REQUEST, CHANGED, CONTENT, FETCH, isRequestCode, isResponseCode, POST, UNAUTHORIZED } from '../codes.ts'
import { type Response, refusal } from '../exchange.ts'
import { type CoapMessage, LONGEST_TOKEN_BYTES, parse, serialize } from '../message.ts'
import {
  decodeUint,
  HOP_LIMIT,
  MAX_AGE,
  OBSERVE,
  type Option,
  OSCORE,
  opaqueOption,
  PROXY_SCHEME,
  PROXY_URI,
  URI_HOST,
  URI_PORT,
  uintOption,
} from '../options.ts'
import type { SecurityContext } from './context.ts'
import { decodeOscoreHeader, encodeOscoreHeader } from './option.ts'

/** Options that a proxy must see, which are not protected: class U. RFC 8613 4.1, RFC 8768 3 */
const OUTER: ReadonlySet<number> = new Set([URI_HOST, URI_PORT, OSCORE, PROXY_URI, PROXY_SCHEME, HOP_LIMIT])

/** Protected, and seen by proxies as well. RFC 8613 4.1.3.5 */
const INNER_AND_OUTER: ReadonlySet<number> = new Set([...OUTER, OBSERVE])

/** What ties responses to their request. */
export interface RequestBinding {
  readonly context: SecurityContext
  readonly kid: Uint8Array
  readonly partialIv: Uint8Array
  /** The request's nonce protects one response; others need one of their own. RFC 8613 8.3 */
  isAnswered: boolean
  /** Proxies between, if any, see that it is about an observation. */
  readonly isObservable: boolean
}

export interface PlainMessage {
  readonly code: number
  readonly options?: readonly Option[] | undefined
  readonly payload?: Uint8Array | undefined
}

export interface ProtectedRequest {
  readonly message: PlainMessage
  readonly binding: RequestBinding
}

const NO_BYTES = new Uint8Array(0)
const HEADER_BYTES = 4

/** RFC 8613 8.1; undefined when the context has no sequence numbers left. */
export function protectRequest(context: SecurityContext, request: PlainMessage): ProtectedRequest | undefined {
  const partialIv = context.nextPartialIv()
  if (partialIv === undefined) return undefined
  const { senderId: kid, idContext: kidContext } = context
  const nonce = context.nonce(kid, partialIv)
  const payload = context.seal(nonce, context.additional(kid, partialIv), plaintextOf(request))
  const option = opaqueOption(OSCORE, encodeOscoreHeader({ partialIv, kidContext, kid }))
  const outer = outerOf(request, INNER_AND_OUTER)
  const isObservable = outer.some(({ number }) => number === OBSERVE)
  const message = { code: isObservable ? FETCH : POST, options: [...outer, option], payload }
  return { message, binding: { context, kid, partialIv, isAnswered: false, isObservable } }
}

/** What a request was, or how to refuse it. Errors are not protected. RFC 8613 8.2 */
export function unprotectRequest(
  outer: CoapMessage,
  find: (kid: Uint8Array, kidContext: Uint8Array | undefined) => SecurityContext | undefined,
): { readonly request: CoapMessage; readonly binding: RequestBinding } | { readonly refused: Response } {
  const header = decodeOscoreHeader(outer.options.opaque(OSCORE) ?? NO_BYTES)
  const { kid, partialIv, kidContext } = header ?? {}
  if (kid === undefined || partialIv === undefined || !outer.hasPayload) return undecodable()
  const context = find(kid, kidContext)
  if (context === undefined) return refuse(UNAUTHORIZED, 'Security context not found')
  if (outer.payload.length <= context.algorithm.tagBytes) return undecodable()
  const sequence = decodeUint(partialIv)
  if (!context.replays.permits(sequence)) return refuse(UNAUTHORIZED, 'Replay detected')
  const { recipientId } = context
  const additional = context.additional(recipientId, partialIv)
  const plaintext = context.open(context.nonce(recipientId, partialIv), additional, outer.payload)
  const request = plaintext === undefined ? undefined : messageOf(outer, plaintext)
  if (request === undefined || !isRequestCode(request.code)) return refuse(BAD_REQUEST, 'Decryption failed')
  if (!context.replays.isLost) context.replays.add(sequence)
  const isObservable = outer.options.has(OBSERVE)
  return { request, binding: { context, kid: recipientId, partialIv, isAnswered: false, isObservable } }
}

/** RFC 8613 8.3; undefined when the context has no sequence numbers left. */
export function protectResponse(binding: RequestBinding, response: PlainMessage): Response | undefined {
  const { context } = binding
  const options = response.options ?? []
  const isNotification = options.some(({ number }) => number === OBSERVE)
  // RFC 8613 4.1.3.5.2: notifications are ordered by their Partial IV.
  const needsOwn = binding.isAnswered || isNotification
  const own = needsOwn ? context.nextPartialIv() : undefined
  if (needsOwn && own === undefined) return undefined
  binding.isAnswered = true
  const nonce = own === undefined ? context.nonce(binding.kid, binding.partialIv) : context.nonce(context.senderId, own)
  const additional = context.additional(binding.kid, binding.partialIv)
  // RFC 8613 4.1.3.5.2: the number says nothing that the Partial IV does not.
  const inner = options.map((option) => (option.number === OBSERVE ? opaqueOption(OBSERVE, NO_BYTES) : option))
  const payload = context.seal(nonce, additional, plaintextOf({ ...response, options: inner }))
  const option = opaqueOption(OSCORE, encodeOscoreHeader({ partialIv: own, kidContext: undefined, kid: undefined }))
  const outer = outerOf(response, binding.isObservable ? INNER_AND_OUTER : OUTER)
  return { code: isNotification && binding.isObservable ? CONTENT : CHANGED, options: [...outer, option], payload }
}

/** What a response was; undefined when it is not genuine. RFC 8613 8.4 */
export function unprotectResponse(binding: RequestBinding, outer: CoapMessage): CoapMessage | undefined {
  const header = decodeOscoreHeader(outer.options.opaque(OSCORE) ?? NO_BYTES)
  if (header === undefined || !outer.hasPayload) return undefined
  const { context, kid, partialIv } = binding
  const nonce =
    header.partialIv === undefined ? context.nonce(kid, partialIv) : context.nonce(context.recipientId, header.partialIv)
  const plaintext = context.open(nonce, context.additional(kid, partialIv), outer.payload)
  const response = plaintext === undefined ? undefined : messageOf(outer, plaintext)
  return response !== undefined && isResponseCode(response.code) ? response : undefined
}

/** RFC 8613 5.3: code, inner options, payload. */
function plaintextOf({ code, options = [], payload }: PlainMessage): Uint8Array {
  const inner = options.filter(({ number }) => !OUTER.has(number))
  const bytes = serialize(0, code, 0, '', inner, payload)
  const plaintext = bytes.subarray(HEADER_BYTES - 1)
  plaintext[0] = code
  return plaintext
}

function outerOf({ options = [] }: PlainMessage, numbers: ReadonlySet<number>): Option[] {
  return options.filter(({ number }) => numbers.has(number))
}

/** The message that was protected, in the place of `outer`; undefined when it is none. */
function messageOf(outer: CoapMessage, plaintext: Uint8Array): CoapMessage | undefined {
  const [code] = plaintext
  if (code === undefined || code === 0) return undefined
  const head = serialize(outer.type, code, outer.messageId, outer.token)
  const bytes = new Uint8Array(head.length + plaintext.length - 1)
  bytes.set(head)
  bytes.set(plaintext.subarray(1), head.length)
  const message = parse(bytes, undefined, LONGEST_TOKEN_BYTES)
  return isMalformed(message) || message.options.has(OSCORE) ? undefined : message
}

function undecodable(): { readonly refused: Response } {
  return refuse(BAD_OPTION, 'Failed to decode COSE')
}

function refuse(code: number, diagnostic: string): { readonly refused: Response } {
  return { refused: refusal(code, diagnostic, [uintOption(MAX_AGE, 0)]) }
}
