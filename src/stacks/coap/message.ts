/** The message format over datagrams: RFC 7252 section 3. */
import type { Malformed } from '#sdk'
import { malformed } from '#sdk'
import type { MessageType } from './codes.ts'
import { CON, EMPTY, isRequestCode, isResponseCode, NON, RST } from './codes.ts'
import type { OptionCache } from './option-cache.ts'
import { NO_OPTIONS, OptionSet } from './option-set.ts'
import type { Option } from './options.ts'

const HEADER_BYTES = 4

/** The longest token that everybody understands. RFC 7252 3; longer ones are RFC 8974's */
export const MAX_TOKEN_BYTES = 8

// RFC 8974 2.1: these lengths stand in one octet, or in two, before the token.
const LONG_TOKEN = 13
const LONGER_TOKEN = 14
const LONG_TOKEN_BASE = 13
const LONGER_TOKEN_BASE = 269

/** The longest token that can be written. RFC 8974 2.1 */
export const LONGEST_TOKEN_BYTES = LONGER_TOKEN_BASE + 0xffff
const PAYLOAD_MARKER = 0xff

/** More options than any honest request has: an attacker's way to make one datagram expensive. */
const MAX_OPTIONS = 64

const MAX_OPTION_NUMBER = 0xffff

const NO_BYTES = new Uint8Array(0)

/** A received message: a view of its datagram, so copy the payload if it is kept for long. */
export class CoapMessage {
  readonly type: MessageType
  readonly code: number
  readonly messageId: number
  /** One character per byte: comparable, and usable as a key. */
  readonly token: string
  readonly options: OptionSet
  /** The datagram; the payload is `bytes[payloadStart..]`, empty when there is none. */
  readonly bytes: Uint8Array
  readonly payloadStart: number

  constructor(
    type: MessageType,
    code: number,
    messageId: number,
    token: string,
    options: OptionSet,
    bytes: Uint8Array,
    payloadStart: number,
  ) {
    this.type = type
    this.code = code
    this.messageId = messageId
    this.token = token
    this.options = options
    this.bytes = bytes
    this.payloadStart = payloadStart
  }

  get payload(): Uint8Array {
    return this.payloadStart < this.bytes.length ? this.bytes.subarray(this.payloadStart) : NO_BYTES
  }

  get hasPayload(): boolean {
    return this.payloadStart < this.bytes.length
  }
}

// What the scan of the current message found; copied into an OptionSet when a new one is needed.
const numbers = new Uint16Array(MAX_OPTIONS)
const starts = new Uint32Array(MAX_OPTIONS)
const ends = new Uint32Array(MAX_OPTIONS)
let optionCount = 0
let optionsEnd = 0

/** Tokens of more than `maxTokenBytes` are a format error: that is how a client learns the limit. RFC 8974 2.2.2 */
export function parse(bytes: Uint8Array, cache?: OptionCache, maxTokenBytes = MAX_TOKEN_BYTES): CoapMessage | Malformed {
  if (bytes.length < HEADER_BYTES) return malformed('too-short', bytes.length)
  const first = bytes[0] as number
  if (first >> 6 !== 1) return malformed('bad-version', 0)
  const type = ((first >> 4) & 3) as MessageType
  const nibble = first & 0x0f
  if (nibble > maxTokenBytes || nibble > LONGER_TOKEN) return malformed('token-length', 0)
  const code = bytes[1] as number
  const messageId = ((bytes[2] as number) << 8) | (bytes[3] as number)
  const misplaced = checkTypeAndCode(type, code)
  if (misplaced !== undefined) return malformed(misplaced, 1)
  if (code === EMPTY) {
    // RFC 7252 4.1: an Empty message is the header alone.
    if (bytes.length !== HEADER_BYTES || nibble !== 0) return malformed('empty-with-data', HEADER_BYTES)
    return new CoapMessage(type, code, messageId, '', NO_OPTIONS, bytes, HEADER_BYTES)
  }
  const tokenStart = HEADER_BYTES + lengthOctets(nibble)
  if (tokenStart > bytes.length) return malformed('token-truncated', bytes.length)
  const tokenLength = nibble < LONG_TOKEN ? nibble : longTokenLength(bytes, nibble)
  if (tokenLength > maxTokenBytes) return malformed('token-length', HEADER_BYTES)
  const optionsStart = tokenStart + tokenLength
  if (optionsStart > bytes.length) return malformed('token-truncated', bytes.length)
  const payloadStart = scan(bytes, optionsStart)
  if (typeof payloadStart !== 'number') return payloadStart
  const token = binaryText(bytes, tokenStart, optionsStart)
  return new CoapMessage(type, code, messageId, token, optionSet(bytes, optionsStart, cache), bytes, payloadStart)
}

/** Octets between the header and the token that say how long it is. */
function lengthOctets(nibble: number): number {
  return nibble < LONG_TOKEN ? 0 : nibble === LONG_TOKEN ? 1 : 2
}

function longTokenLength(bytes: Uint8Array, nibble: number): number {
  const high = bytes[HEADER_BYTES] as number
  return nibble === LONG_TOKEN ? LONG_TOKEN_BASE + high : LONGER_TOKEN_BASE + ((high << 8) | (bytes[HEADER_BYTES + 1] as number))
}

function tokenNibble(length: number): number {
  return length < LONG_TOKEN_BASE ? length : length < LONGER_TOKEN_BASE ? LONG_TOKEN : LONGER_TOKEN
}

/** RFC 7252 4.2, 4.3 and table 1: which codes may travel in which message type. */
function checkTypeAndCode(type: MessageType, code: number): string | undefined {
  if (code === EMPTY) return type === NON ? 'empty-non' : undefined
  if (type === RST) return 'reset-with-code'
  if (isRequestCode(code)) return type === CON || type === NON ? undefined : 'request-in-ack'
  return isResponseCode(code) ? undefined : 'reserved-class'
}

/** Walks the options; leaves them in the scratch arrays and returns where the payload starts. */
function scan(bytes: Uint8Array, start: number): number | Malformed {
  const length = bytes.length
  let at = start
  let number = 0
  optionCount = 0
  while (at < length) {
    const head = bytes[at] as number
    if (head === PAYLOAD_MARKER) {
      optionsEnd = at
      return at + 1 < length ? at + 1 : malformed('marker-without-payload', at)
    }
    const optionAt = at++
    let delta = head >> 4
    let size = head & 0x0f
    if (delta === 13) {
      delta = 13 + (bytes[at] as number)
      at += 1
    } else if (delta === 14) {
      delta = 269 + (((bytes[at] as number) << 8) | (bytes[at + 1] as number))
      at += 2
    } else if (delta === 15) return malformed('reserved-nibble', optionAt)
    if (at > length) return malformed('option-truncated', optionAt)
    if (size === 13) {
      size = 13 + (bytes[at] as number)
      at += 1
    } else if (size === 14) {
      size = 269 + (((bytes[at] as number) << 8) | (bytes[at + 1] as number))
      at += 2
    } else if (size === 15) return malformed('reserved-nibble', optionAt)
    number += delta
    if (at > length || at + size > length) return malformed('option-truncated', optionAt)
    if (number > MAX_OPTION_NUMBER) return malformed('option-number', optionAt)
    if (optionCount === MAX_OPTIONS) return malformed('too-many-options', optionAt)
    numbers[optionCount] = number
    starts[optionCount] = at
    at += size
    ends[optionCount++] = at
  }
  optionsEnd = at
  return at
}

function optionSet(bytes: Uint8Array, start: number, cache: OptionCache | undefined): OptionSet {
  if (optionCount === 0) return NO_OPTIONS
  const known = cache?.find(bytes, start, optionsEnd)
  if (known !== undefined) return known
  const set = collect(bytes, start)
  cache?.keep(set)
  return set
}

function collect(bytes: Uint8Array, start: number): OptionSet {
  // As long as they are: there is one of these for each peer.
  const ownNumbers = new Array<number>(optionCount)
  const ownStarts = new Array<number>(optionCount)
  const ownEnds = new Array<number>(optionCount)
  for (let i = 0; i < optionCount; i++) {
    ownNumbers[i] = numbers[i] as number
    ownStarts[i] = (starts[i] as number) - start
    ownEnds[i] = (ends[i] as number) - start
  }
  return new OptionSet(Uint8Array.prototype.slice.call(bytes, start, optionsEnd), ownNumbers, ownStarts, ownEnds)
}

function binaryText(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i] as number)
  return text
}

const NO_OPTION_LIST: readonly Option[] = []

/** `options` in any order; options of one number keep theirs. Token: one character per byte. */
export function serialize(
  type: MessageType,
  code: number,
  messageId: number,
  token: string,
  options: readonly Option[] = NO_OPTION_LIST,
  payload: Uint8Array = NO_BYTES,
): Uint8Array {
  const sorted = ascending(options)
  let length = HEADER_BYTES + lengthOctets(tokenNibble(token.length)) + token.length
  let previous = 0
  for (const { number, value } of sorted) {
    length += 1 + extension(number - previous) + extension(value.length) + value.length
    previous = number
  }
  if (payload.length > 0) length += 1 + payload.length
  const bytes = new Uint8Array(length)
  let at = writeHeader(bytes, type, code, messageId, token)
  previous = 0
  for (const { number, value } of sorted) {
    at = writeOption(bytes, at, number - previous, value)
    previous = number
  }
  if (payload.length > 0) {
    bytes[at] = PAYLOAD_MARKER
    bytes.set(payload, at + 1)
  }
  return bytes
}

/** Acknowledgement or reset: the header alone. */
export function serializeEmpty(type: MessageType, messageId: number): Uint8Array {
  return Uint8Array.of((1 << 6) | (type << 4), EMPTY, messageId >> 8, messageId)
}

function ascending(options: readonly Option[]): readonly Option[] {
  for (let i = 1; i < options.length; i++) {
    if ((options[i] as Option).number < (options[i - 1] as Option).number) {
      return [...options].sort((a, b) => a.number - b.number)
    }
  }
  return options
}

function writeHeader(bytes: Uint8Array, type: MessageType, code: number, messageId: number, token: string): number {
  const nibble = tokenNibble(token.length)
  bytes[0] = (1 << 6) | (type << 4) | nibble
  bytes[1] = code
  bytes[2] = messageId >> 8
  bytes[3] = messageId
  let at = HEADER_BYTES
  if (nibble === LONG_TOKEN) {
    bytes[at++] = token.length - LONG_TOKEN_BASE
  } else if (nibble === LONGER_TOKEN) {
    bytes[at++] = (token.length - LONGER_TOKEN_BASE) >> 8
    bytes[at++] = token.length - LONGER_TOKEN_BASE
  }
  for (let i = 0; i < token.length; i++) bytes[at++] = token.charCodeAt(i)
  return at
}

function extension(value: number): number {
  return value < 13 ? 0 : value < 269 ? 1 : 2
}

function nibble(value: number): number {
  return value < 13 ? value : value < 269 ? 13 : 14
}

function writeOption(bytes: Uint8Array, start: number, delta: number, value: Uint8Array): number {
  let at = start
  bytes[at++] = (nibble(delta) << 4) | nibble(value.length)
  at = writeExtension(bytes, at, delta)
  at = writeExtension(bytes, at, value.length)
  bytes.set(value, at)
  return at + value.length
}

function writeExtension(bytes: Uint8Array, at: number, value: number): number {
  if (value < 13) return at
  if (value < 269) {
    bytes[at] = value - 13
    return at + 1
  }
  bytes[at] = (value - 269) >> 8
  bytes[at + 1] = value - 269
  return at + 2
}

/** What to do about bytes that are no message. RFC 7252 4.2, 4.3: a Confirmable one is rejected, the rest is ignored. */
export function rejection(bytes: Uint8Array, fault: Malformed): Uint8Array | undefined {
  if (fault.malformed === 'too-short' || fault.malformed === 'bad-version') return undefined
  const type = ((bytes[0] as number) >> 4) & 3
  if (type !== CON) return undefined
  return serializeEmpty(RST, ((bytes[2] as number) << 8) | (bytes[3] as number))
}
