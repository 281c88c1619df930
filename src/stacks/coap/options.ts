/** The option registry, RFC 7252 5.10 and its updates, as data; and option values, RFC 7252 3.2. */
import { encodeText } from './text.ts'

export type OptionFormat = 'empty' | 'opaque' | 'uint' | 'string'

export interface OptionDefinition {
  readonly number: number
  readonly name: string
  readonly format: OptionFormat
  /** Length of the value in bytes. */
  readonly minLength: number
  readonly maxLength: number
  readonly repeatable: 'no' | 'yes' | 'requests'
}

export const IF_MATCH = 1
export const URI_HOST = 3
export const ETAG = 4
export const IF_NONE_MATCH = 5
export const OBSERVE = 6
export const URI_PORT = 7
export const LOCATION_PATH = 8
export const OSCORE = 9
export const URI_PATH = 11
export const CONTENT_FORMAT = 12
export const MAX_AGE = 14
export const URI_QUERY = 15
export const HOP_LIMIT = 16
export const ACCEPT = 17
export const Q_BLOCK1 = 19
export const LOCATION_QUERY = 20
export const EDHOC = 21
export const BLOCK2 = 23
export const BLOCK1 = 27
export const SIZE2 = 28
export const Q_BLOCK2 = 31
export const PROXY_URI = 35
export const PROXY_SCHEME = 39
export const SIZE1 = 60
export const ECHO = 252
export const NO_RESPONSE = 258
export const REQUEST_TAG = 292

/** RFC 7252 5.10: what Max-Age is when the option is absent. */
export const DEFAULT_MAX_AGE_S = 60

type Row = readonly [number: number, name: string, format: OptionFormat, min: number, max: number, repeatable?: 'R' | 'R-request']

const ROWS: readonly Row[] = [
  [IF_MATCH, 'If-Match', 'opaque', 0, 8, 'R'],
  [URI_HOST, 'Uri-Host', 'string', 1, 255],
  [ETAG, 'ETag', 'opaque', 1, 8, 'R-request'],
  [IF_NONE_MATCH, 'If-None-Match', 'empty', 0, 0],
  [OBSERVE, 'Observe', 'uint', 0, 3], // RFC 7641
  [URI_PORT, 'Uri-Port', 'uint', 0, 2],
  [LOCATION_PATH, 'Location-Path', 'string', 0, 255, 'R'],
  [OSCORE, 'OSCORE', 'opaque', 0, 255], // RFC 8613
  [URI_PATH, 'Uri-Path', 'string', 0, 255, 'R'],
  [CONTENT_FORMAT, 'Content-Format', 'uint', 0, 2],
  [MAX_AGE, 'Max-Age', 'uint', 0, 4],
  [URI_QUERY, 'Uri-Query', 'string', 0, 255, 'R'],
  [HOP_LIMIT, 'Hop-Limit', 'uint', 1, 1], // RFC 8768
  [ACCEPT, 'Accept', 'uint', 0, 2],
  [Q_BLOCK1, 'Q-Block1', 'uint', 0, 3], // RFC 9177
  [LOCATION_QUERY, 'Location-Query', 'string', 0, 255, 'R'],
  [EDHOC, 'EDHOC', 'empty', 0, 0], // RFC 9668
  [BLOCK2, 'Block2', 'uint', 0, 3], // RFC 7959
  [BLOCK1, 'Block1', 'uint', 0, 3],
  [SIZE2, 'Size2', 'uint', 0, 4],
  [Q_BLOCK2, 'Q-Block2', 'uint', 0, 3, 'R'], // RFC 9177
  [PROXY_URI, 'Proxy-Uri', 'string', 1, 1034],
  [PROXY_SCHEME, 'Proxy-Scheme', 'string', 1, 255],
  [SIZE1, 'Size1', 'uint', 0, 4],
  [ECHO, 'Echo', 'opaque', 1, 40], // RFC 9175
  [NO_RESPONSE, 'No-Response', 'uint', 0, 1], // RFC 7967
  [REQUEST_TAG, 'Request-Tag', 'opaque', 0, 8, 'R'], // RFC 9175
  [2049, 'OCF-Accept-Content-Format-Version', 'uint', 0, 2],
  [2053, 'OCF-Content-Format-Version', 'uint', 0, 2],
]

const REPEATABLE = { R: 'yes', 'R-request': 'requests' } as const

export const OPTIONS: readonly OptionDefinition[] = ROWS.map(([number, name, format, minLength, maxLength, repeatable]) => ({
  number,
  name,
  format,
  minLength,
  maxLength,
  repeatable: repeatable === undefined ? 'no' : REPEATABLE[repeatable],
}))

const byNumber = new Map(OPTIONS.map((definition) => [definition.number, definition]))

export function optionDefinition(number: number): OptionDefinition | undefined {
  return byNumber.get(number)
}

/** `Uri-Path`, or `option 65000`. */
export function optionName(number: number): string {
  return byNumber.get(number)?.name ?? `option ${number}`
}

/** RFC 7252 5.4.6: the number's low bits say how an option is to be treated. */
export function isCritical(number: number): boolean {
  return (number & 1) === 1
}

export function isUnsafe(number: number): boolean {
  return (number & 2) === 2
}

export function isNoCacheKey(number: number): boolean {
  return (number & 0x1e) === 0x1c
}

/** An option to be sent; `value` must not change afterwards. */
export interface Option {
  readonly number: number
  readonly value: Uint8Array
}

const NO_BYTES = new Uint8Array(0)

/** RFC 7252 3.2: big-endian without leading zeros; 0 is the empty value. `value` up to 2^32 - 1. */
export function encodeUint(value: number): Uint8Array {
  if (value === 0) return NO_BYTES
  if (value < 0x100) return Uint8Array.of(value)
  if (value < 0x10000) return Uint8Array.of(value >>> 8, value)
  if (value < 0x1000000) return Uint8Array.of(value >>> 16, value >>> 8, value)
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
}

/** Leading zeros are tolerated. At most 4 bytes. */
export function decodeUint(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let value = 0
  for (let i = start; i < end; i++) value = value * 256 + (bytes[i] as number)
  return value
}

export function uintOption(number: number, value: number): Option {
  return { number, value: encodeUint(value) }
}

export function textOption(number: number, text: string): Option {
  return { number, value: text === '' ? NO_BYTES : encodeText(text) }
}

export function opaqueOption(number: number, value: Uint8Array): Option {
  return { number, value }
}

export function emptyOption(number: number): Option {
  return { number, value: NO_BYTES }
}

/** Octets of these options in a message, at most: each delta is taken for a long one. */
export function encodedLength(options: readonly Option[]): number {
  return options.reduce((length, { value }) => length + 5 + value.length, 0)
}
