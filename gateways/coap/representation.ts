/** Messages as representations: media types, lifetimes and entity-tags. RFC 7252 5.5, 5.6.1, 5.10.6 */
import { toHex } from '#bytes/hex'
import type { Message, Properties } from '#sdk'
import { entityTag, equalBytes } from '#stacks/coap/block'
import { CONTENT, NOT_ACCEPTABLE, VALID } from '#stacks/coap/codes'
import { contentFormat, contentFormatOf, JSON_FORMAT, OCTET_STREAM, TEXT } from '#stacks/coap/content-formats'
import type { Response } from '#stacks/coap/exchange'
import {
  CONTENT_FORMAT,
  ETAG,
  LOCATION_QUERY,
  MAX_AGE,
  type Option,
  opaqueOption,
  textOption,
  uintOption,
} from '#stacks/coap/options'
import { decodeText } from '#stacks/coap/text'
import { refusal } from './responses.ts'

/** RFC 8075 6.2: a payload whose Content-Format is known by its number alone. */
const COAP_PAYLOAD = 'application/coap-payload;cf='

const MAX_CONTENT_FORMAT = 0xffff

// One object for each format, however many messages have it.
const plainProperties = new Map<number, Properties>()
const textProperties = new Map<number, Properties>()

/** MQTT properties of a payload in this Content-Format; `utf8` only where the bytes keep the promise. */
export function propertiesOf(formatId: number, payload: Uint8Array): Properties {
  const format = contentFormat(formatId)
  // A number without a media type that we know: RFC 8075 6.2 has one for it. Not kept, since there are many.
  if (format === undefined) return { contentType: `${COAP_PAYLOAD}${formatId}` }
  const utf8 = format.text && decodeText(payload) !== undefined
  const known = utf8 ? textProperties : plainProperties
  let properties = known.get(formatId)
  if (properties === undefined) {
    properties = utf8 ? { contentType: format.mediaType, utf8: true } : { contentType: format.mediaType }
    known.set(formatId, properties)
  }
  return properties
}

/** The Content-Format that a message says it has. */
export function formatOf(message: Message): number | undefined {
  const { contentType, utf8 } = message.properties ?? {}
  if (contentType !== undefined) return contentFormatOf(contentType)?.id ?? unknownFormat(contentType)
  return utf8 === true ? TEXT : undefined
}

function unknownFormat(contentType: string): number | undefined {
  if (!contentType.startsWith(COAP_PAYLOAD)) return undefined
  const digits = contentType.slice(COAP_PAYLOAD.length)
  return /^\d{1,5}$/.test(digits) && Number(digits) <= MAX_CONTENT_FORMAT ? Number(digits) : undefined
}

/** True when the message can be sent as `accept`: it says so, or it says nothing and its bytes are that. */
export function satisfies(message: Message, accept: number): boolean {
  const format = formatOf(message)
  if (format !== undefined) return format === accept
  if (accept === OCTET_STREAM) return true
  const text = decodeText(message.payload)
  if (text === undefined) return false
  return accept === TEXT || (accept === JSON_FORMAT && isJson(text))
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Equal for messages of equal bytes and format. */
export function tagOf(message: Message): Uint8Array {
  return entityTag(message.payload, formatOf(message) ?? -1)
}

/** The message as 2.05, or 4.06 when it cannot be had as `accept` wants it; `fallback` is the format when it names none. */
export function represent(message: Message, now: number, accept: number | undefined, fallback?: number): Response {
  if (accept !== undefined && !satisfies(message, accept)) {
    return refusal(NOT_ACCEPTABLE, `the value is ${message.properties?.contentType ?? 'of another format'}`)
  }
  const options: Option[] = []
  const format = accept ?? formatOf(message) ?? fallback
  if (format !== undefined) options.push(uintOption(CONTENT_FORMAT, format))
  if (message.expiresAt > 0) options.push(uintOption(MAX_AGE, remainingSeconds(message, now)))
  return { code: CONTENT, options, payload: message.payload }
}

/** The message as the state of its topic: with an entity-tag, and as 2.03 to a client that has it. */
export function representState(
  message: Message,
  now: number,
  accept: number | undefined,
  known: readonly Uint8Array[],
): Response {
  const { code, options = [], payload } = represent(message, now, accept)
  if (code !== CONTENT) return { code, options, payload }
  const tag = tagOf(message)
  const tagged = [opaqueOption(ETAG, tag), ...options]
  if (!known.some((etag) => equalBytes(etag, tag))) return { code, options: tagged, payload }
  return { code: VALID, options: tagged.filter(({ number }) => number !== CONTENT_FORMAT) }
}

const MAX_UINT32 = 0xffff_ffff

/** Rounded down: a cache must not keep a message for longer than it lives. */
function remainingSeconds(message: Message, now: number): number {
  return Math.min(MAX_UINT32, Math.max(0, Math.floor((message.expiresAt - now) / 1000)))
}

const MAX_QUERY_BYTES = 255 // RFC 7252 5.10.7

/** Where the sender of a message wants an answer, as Location-Query that a publish can repeat in its query. */
export function replyOptions(message: Message): readonly Option[] {
  const { responseTopic, correlationData } = message.properties ?? {}
  if (responseTopic === undefined) return NO_OPTIONS
  const options = [textOption(LOCATION_QUERY, `responsetopic=${responseTopic}`)]
  if (correlationData !== undefined) options.push(textOption(LOCATION_QUERY, `correlation=${toHex(correlationData)}`))
  return options.filter(({ value }) => value.length <= MAX_QUERY_BYTES)
}

const NO_OPTIONS: readonly Option[] = []
