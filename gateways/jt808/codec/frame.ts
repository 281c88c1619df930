/**
 * One frame (JT/T 808 4.4.1, 4.4.2, 4.4.4): flag, header, body, check code, flag; 0x7e is escaped as 7d 02 and 0x7d as 7d 01
 * between the flags. Received: unescape, check code, length, header.
 */
import { xor } from '#bytes/checksum'
import { Reader } from '#bytes/reader'
import { Writer } from '#bytes/writer'
import type { Malformed } from '#sdk'
import { isMalformed, malformed } from '#sdk'
import { FLAG } from './framer.ts'
import type { Header } from './header.ts'
import { readHeader, writeHeader } from './header.ts'

const ESCAPE = 0x7d
const ESCAPED_ESCAPE = 0x01
const ESCAPED_FLAG = 0x02

export interface Frame {
  readonly header: Header
  /** The octets that hold the body at `[start, end)`: the frame itself, or a copy where it had escapes. */
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

/** Whether the length in the header must be that of the body. `lenient` trusts the octets that are there. */
export type LengthCheck = 'strict' | 'lenient'

/** Opens a frame that has a flag at either end. */
export function openFrame(frame: Uint8Array, check: LengthCheck = 'strict'): Frame | Malformed {
  const last = frame.length - 1
  if (last < 2 || frame[0] !== FLAG || frame[last] !== FLAG) return malformed('no-frame')
  let bytes = frame
  let start = 1
  let end = last
  let sum = 0
  for (let i = 1; i < last; i++) {
    const octet = frame[i] as number
    if (octet === FLAG) return malformed('stray-flag', i)
    if (octet === ESCAPE) {
      const plain = unescaped(frame)
      if (isMalformed(plain)) return plain
      bytes = plain
      start = 0
      end = plain.length
      sum = xor(plain)
      break
    }
    sum ^= octet
  }
  // The check code is the XOR of all before it, so that the XOR of all with it is nothing.
  if (sum !== 0) return malformed('bad-check-code', last - 1)
  const reader = new Reader(bytes, start, end - 1)
  const header = readHeader(reader)
  if (!reader.ok) return malformed('short-header', reader.offset)
  const body = { bytes, start: reader.offset, end: end - 1 }
  if (reader.remaining === header.length) return { header, ...body }
  if (check === 'strict') return malformed('bad-length', reader.offset)
  return { header: { ...header, length: reader.remaining }, ...body }
}

function unescaped(frame: Uint8Array): Uint8Array | Malformed {
  const plain = new Uint8Array(frame.length)
  let length = 0
  for (let i = 1; i < frame.length - 1; i++) {
    const octet = frame[i] as number
    if (octet === FLAG) return malformed('stray-flag', i)
    if (octet !== ESCAPE) {
      plain[length++] = octet
      continue
    }
    const escaped = frame[++i]
    if (escaped === ESCAPED_FLAG) plain[length++] = FLAG
    else if (escaped === ESCAPED_ESCAPE) plain[length++] = ESCAPE
    else return malformed('bad-escape', i)
  }
  return plain.subarray(0, length)
}

/** Reused for every frame; what leaves is a copy. */
const plain = new Writer(64)

/** Closes a frame around `body`. Throws a RangeError when the body has more than 1023 octets. */
export function closeFrame(header: Header, body: Uint8Array): Uint8Array {
  plain.reset()
  writeHeader(plain, header, body.length)
  plain.put(body)
  plain.u8(xor(plain.bytes, 0, plain.length))
  const { bytes, length } = plain
  let escapes = 0
  for (let i = 0; i < length; i++) if (bytes[i] === FLAG || bytes[i] === ESCAPE) escapes++
  const frame = new Uint8Array(2 + length + escapes)
  let at = 1
  for (let i = 0; i < length; i++) {
    const octet = bytes[i] as number
    if (octet === FLAG || octet === ESCAPE) {
      frame[at++] = ESCAPE
      frame[at++] = octet === FLAG ? ESCAPED_FLAG : ESCAPED_ESCAPE
    } else {
      frame[at++] = octet
    }
  }
  frame[0] = FLAG
  frame[at] = FLAG
  return frame
}
