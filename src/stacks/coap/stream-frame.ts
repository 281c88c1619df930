/**
 * CoAP messages over streams and WebSockets: RFC 8323 3.2 and 4.2. A frame carries what a datagram carries, token, options
 * and payload encoded alike, without version, type and message id; so one is made of the other by its header alone.
 */
import type { Framer, FrameSink, Malformed } from '#sdk'
import { malformed } from '#sdk'
import { CON, type MessageType } from './codes.ts'

/** Of a datagram. */
const HEADER_BYTES = 4

/** RFC 8323 3.2: lengths below 13 stand in the first octet, others in 1, 2 or 4 octets more, from these on. */
const LENGTH_1 = 13
const LENGTH_2 = 269
const LENGTH_4 = 65_805

const MAX_TOKEN_NIBBLE = 14 // RFC 8974 2.1

/** Octets of length and token length that the first octet of a frame announces, itself not counted. */
function lengthOctets(first: number): number {
  const nibble = first >> 4
  return nibble < 13 ? 0 : nibble === 13 ? 1 : nibble === 14 ? 2 : 4
}

function uint(bytes: Uint8Array, start: number, octets: number): number {
  let value = 0
  for (let i = 0; i < octets; i++) value = value * 256 + (bytes[start + i] as number)
  return value
}

/** Octets that options and payload take; `bytes` holds the length. */
function contentLength(bytes: Uint8Array, at: number): number {
  const nibble = (bytes[at] as number) >> 4
  if (nibble < 13) return nibble
  const base = nibble === 13 ? LENGTH_1 : nibble === 14 ? LENGTH_2 : LENGTH_4
  return base + uint(bytes, at + 1, lengthOctets(bytes[at] as number))
}

/** Octets of a token and its extended length, which begin at `at`. RFC 8974 2.1 */
function tokenOctets(nibble: number, bytes: Uint8Array, at: number): number {
  if (nibble < 13) return nibble
  return nibble === 13 ? 1 + 13 + (bytes[at] as number) : 2 + 269 + uint(bytes, at, 2)
}

function extendedTokenOctets(nibble: number): number {
  return nibble < 13 ? 0 : nibble === 13 ? 1 : 2
}

/** Cuts a stream into frames. Keeps at most one incomplete frame of at most `maxBytes`. */
export class StreamFramer implements Framer {
  readonly #maxBytes: number
  #rest: Uint8Array[] = []
  #restBytes = 0
  /** Bytes of the incomplete frame, as far as known: another look before makes no sense. */
  #wanted = 0

  /** A frame of more than `maxBytes`, header included, is fatal. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get buffered(): number {
    return this.#restBytes
  }

  reset(): void {
    this.#rest = []
    this.#restBytes = 0
    this.#wanted = 0
  }

  push(chunk: Uint8Array, sink: FrameSink): void {
    if (chunk.length > 0) {
      this.#rest.push(chunk)
      this.#restBytes += chunk.length
    }
    if (this.#restBytes < this.#wanted || this.#restBytes === 0) return
    const bytes = this.#rest.length === 1 ? (this.#rest[0] as Uint8Array) : Buffer.concat(this.#rest, this.#restBytes)
    this.reset()
    let at = 0
    while (at < bytes.length) {
      const size = this.#frameSize(bytes, at)
      if (typeof size !== 'number') {
        sink.malformed(size)
        return
      }
      if (size > bytes.length - at) {
        this.#wanted = size
        break
      }
      if (sink.frame(bytes.subarray(at, at + size)) === false) {
        at += size
        break
      }
      at += size
    }
    if (at === bytes.length) return
    this.#rest = [bytes.subarray(at)]
    this.#restBytes = bytes.length - at
  }

  /** Size of the frame at `at`; more than there is when the header is not whole. */
  #frameSize(bytes: Uint8Array, at: number): number | Malformed {
    const first = bytes[at] as number
    const token = first & 0x0f
    if (token > 8 && token < 13) return malformed('token-length', at, true)
    if (token > MAX_TOKEN_NIBBLE) return malformed('token-length', at, true)
    const header = 1 + lengthOctets(first) + 1 + extendedTokenOctets(token)
    if (bytes.length - at < header) return header
    const tokenAt = header - extendedTokenOctets(token)
    const size = tokenAt + tokenOctets(token, bytes, at + tokenAt) + contentLength(bytes, at)
    return size > this.#maxBytes ? malformed('frame-too-large', at, true) : size
  }
}

/**
 * The datagram of a frame, as a message of `type` with message id 0. `delimited`: the transport keeps the boundaries of
 * messages, and the frame says no length (WebSocket). The frame's bytes are used for it: it is not readable afterwards.
 */
export function datagramOf(frame: Uint8Array, delimited: boolean, type: MessageType = CON): Uint8Array | Malformed {
  if (frame.length < 2) return malformed('too-short', frame.length, true)
  const first = frame[0] as number
  // RFC 8323 4.2: the length of the WebSocket message says it.
  if (delimited && first >> 4 !== 0) return malformed('length-in-message', 0, true)
  const codeAt = 1 + (delimited ? 0 : lengthOctets(first))
  const code = frame[codeAt]
  if (code === undefined) return malformed('too-short', frame.length, true)
  const contentAt = codeAt + 1
  let datagram: Uint8Array
  if (contentAt >= HEADER_BYTES) {
    datagram = frame.subarray(contentAt - HEADER_BYTES)
  } else {
    datagram = new Uint8Array(HEADER_BYTES + frame.length - contentAt)
    datagram.set(frame.subarray(contentAt), HEADER_BYTES)
  }
  datagram[0] = (1 << 6) | (type << 4) | (first & 0x0f)
  datagram[1] = code
  datagram[2] = 0
  datagram[3] = 0
  return datagram
}

/** The frame of a datagram that `serialize` made. */
export function frameOf(datagram: Uint8Array, delimited: boolean): Uint8Array {
  const token = (datagram[0] as number) & 0x0f
  const length = datagram.length - HEADER_BYTES - tokenOctets(token, datagram, HEADER_BYTES)
  const extended = delimited || length < LENGTH_1 ? 0 : length < LENGTH_2 ? 1 : length < LENGTH_4 ? 2 : 4
  const frame = new Uint8Array(1 + extended + 1 + datagram.length - HEADER_BYTES)
  const nibble = extended === 4 ? 15 : extended === 0 ? (delimited ? 0 : length) : 12 + extended
  frame[0] = (nibble << 4) | token
  const value = length - (extended === 1 ? LENGTH_1 : extended === 2 ? LENGTH_2 : LENGTH_4)
  for (let i = 0; i < extended; i++) frame[1 + i] = value >>> (8 * (extended - 1 - i))
  frame[1 + extended] = datagram[1] as number
  frame.set(datagram.subarray(HEADER_BYTES), 2 + extended)
  return frame
}
