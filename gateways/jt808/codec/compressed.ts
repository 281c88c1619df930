/**
 * What a compressed message, 0x0901, holds (JT/T 808 8.63): gzip, or zlib as some devices send it. The text says that it is a message
 * and not in which form: with its flags, or header and body alone, with a check code or without.
 */
import { xor } from '#bytes/checksum'
import { inflate } from '#bytes/inflate'
import { Reader } from '#bytes/reader'
import { isMalformed } from '#sdk'
import { toBase64 } from './declare/field.ts'
import { openFrame } from './frame.ts'
import { readHeader } from './header.ts'
import { type Message, readMessage } from './messages.ts'
import { nativeOf } from './native.ts'

/** Octets that compressed ones may stand for. */
export const MAX_INFLATED_BYTES = 262_144

/** `inflated` is base64; `message` is there when it is one. Or why there is nothing: `malformed`, `too-long`. */
export function contentOf(data: Uint8Array, maxBytes: number): Readonly<Record<string, unknown>> {
  const bytes = inflate(data, maxBytes)
  if (typeof bytes === 'string') return { inflate_error: bytes }
  const message = messageIn(bytes)
  return { inflated: toBase64(bytes), ...(message === undefined ? {} : { message: nativeOf(message) }) }
}

function messageIn(bytes: Uint8Array): Message | undefined {
  const frame = openFrame(bytes)
  if (!isMalformed(frame)) return readMessage(frame.header, frame.bytes, frame.start, frame.end)
  const reader = new Reader(bytes)
  const header = readHeader(reader)
  const start = reader.offset
  const surplus = reader.remaining - header.length
  const isWhole = surplus === 0 || (surplus === 1 && xor(bytes) === 0)
  return reader.ok && isWhole ? readMessage(header, bytes, start, start + header.length) : undefined
}
