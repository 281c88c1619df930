/** Messages protected and verified: RFC 8613 sections 4, 5, 8. */
import { isMalformed } from '#sdk'
import { BAD_OPTION, BAD_REQUEST, CHANGED, isRequestCode, isResponseCode, POST, UNAUTHORIZED } from '../codes.ts'
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
import { TAG_BYTES } from './cipher.ts'
import type { SecurityContext } from './context.ts'
import { decodeOscoreHeader, encodeOscoreHeader } from './option.ts'

/** Options that a proxy must see, which are not protected: class U. RFC 8613 4.1, RFC 8768 3 */
const OUTER: ReadonlySet<number> = new Set([URI_HOST, URI_PORT, OSCORE, PROXY_URI, PROXY_SCHEME, HOP_LIMIT])

/** What ties responses to their request. */
export interface RequestBinding {
  readonly context: SecurityContext
  readonly kid: Uint8Array
  readonly partialIv: Uint8Array
  /** The request's nonce protects one response; others need one of their own. RFC 8613 8.3 */
  isAnswered: boolean
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
  const { senderId: kid, idContext: kidContext, cipher } = context
  const nonce = context.nonce(kid, partialIv)
  const payload = cipher.seal(context.senderKey, nonce, context.additional(kid, partialIv), plaintextOf(request))
  const option = opaqueOption(OSCORE, encodeOscoreHeader({ partialIv, kidContext, kid }))
  const message = { code: POST, options: [...outerOf(request), option], payload }
  return { message, binding: { context, kid, partialIv, isAnswered: false } }
}

/** What a request was, or how to refuse it. Errors are not protected. RFC 8613 8.2 */
export function unprotectRequest(
  outer: CoapMessage,
  find: (kid: Uint8Array, kidContext: Uint8Array | undefined) => SecurityContext | undefined,
): { readonly request: CoapMessage; readonly binding: RequestBinding } | { readonly refused: Response } {
  const header = decodeOscoreHeader(outer.options.opaque(OSCORE) ?? NO_BYTES)
  const { kid, partialIv, kidContext } = header ?? {}
  if (kid === undefined || partialIv === undefined || !hasCiphertext(outer)) return refuse(BAD_OPTION, 'Failed to decode COSE')
  const context = find(kid, kidContext)
  if (context === undefined) return refuse(UNAUTHORIZED, 'Security context not found')
  const sequence = decodeUint(partialIv)
  if (!context.replays.permits(sequence)) return refuse(UNAUTHORIZED, 'Replay detected')
  const { recipientId } = context
  const additional = context.additional(recipientId, partialIv)
  const plaintext = context.cipher.open(context.recipientKey, context.nonce(recipientId, partialIv), additional, outer.payload)
  const request = plaintext === undefined ? undefined : messageOf(outer, plaintext)
  if (request === undefined || !isRequestCode(request.code)) return refuse(BAD_REQUEST, 'Decryption failed')
  context.replays.add(sequence)
  return { request, binding: { context, kid: recipientId, partialIv, isAnswered: false } }
}

/** RFC 8613 8.3; undefined when the context has no sequence numbers left. */
export function protectResponse(binding: RequestBinding, response: PlainMessage): Response | undefined {
  const { context } = binding
  const own = binding.isAnswered ? context.nextPartialIv() : undefined
  if (binding.isAnswered && own === undefined) return undefined
  binding.isAnswered = true
  const nonce = own === undefined ? context.nonce(binding.kid, binding.partialIv) : context.nonce(context.senderId, own)
  const additional = context.additional(binding.kid, binding.partialIv)
  const payload = context.cipher.seal(context.senderKey, nonce, additional, plaintextOf(response))
  const option = opaqueOption(OSCORE, encodeOscoreHeader({ partialIv: own, kidContext: undefined, kid: undefined }))
  return { code: CHANGED, options: [...outerOf(response), option], payload }
}

/** What a response was; undefined when it is not genuine. RFC 8613 8.4 */
export function unprotectResponse(binding: RequestBinding, outer: CoapMessage): CoapMessage | undefined {
  const header = decodeOscoreHeader(outer.options.opaque(OSCORE) ?? NO_BYTES)
  if (header === undefined || !hasCiphertext(outer)) return undefined
  const { context, kid, partialIv } = binding
  const nonce =
    header.partialIv === undefined ? context.nonce(kid, partialIv) : context.nonce(context.recipientId, header.partialIv)
  const plaintext = context.cipher.open(context.recipientKey, nonce, context.additional(kid, partialIv), outer.payload)
  const response = plaintext === undefined ? undefined : messageOf(outer, plaintext)
  return response !== undefined && isResponseCode(response.code) ? response : undefined
}

/** RFC 8613 5.3: code, inner options, payload. Observe is left out: observations are not protected here. */
function plaintextOf({ code, options = [], payload }: PlainMessage): Uint8Array {
  const inner = options.filter(({ number }) => !OUTER.has(number) && number !== OBSERVE)
  const bytes = serialize(0, code, 0, '', inner, payload)
  const plaintext = bytes.subarray(HEADER_BYTES - 1)
  plaintext[0] = code
  return plaintext
}

function outerOf({ options = [] }: PlainMessage): Option[] {
  return options.filter(({ number }) => OUTER.has(number))
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
  if (isMalformed(message) || message.options.has(OSCORE)) return undefined
  return message.options.has(OBSERVE) ? withoutObserve(message) : message
}

function withoutObserve({ type, code, messageId, token, options, payload }: CoapMessage): CoapMessage | undefined {
  const rest = options.list().filter(({ number }) => number !== OBSERVE)
  const message = parse(serialize(type, code, messageId, token, rest, payload), undefined, LONGEST_TOKEN_BYTES)
  return isMalformed(message) ? undefined : message
}

function hasCiphertext(outer: CoapMessage): boolean {
  return outer.payload.length > TAG_BYTES
}

function refuse(code: number, diagnostic: string): { readonly refused: Response } {
  return { refused: refusal(code, diagnostic, [uintOption(MAX_AGE, 0)]) }
}
