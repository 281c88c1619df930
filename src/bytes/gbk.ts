/**
 * GBK text, with GB 18030 (2005) as its superset: one octet for ASCII, two for GBK, four for the rest of the Basic
 * Multilingual Plane and beyond. Decoding never fails and loses nothing: an octet that belongs to no character becomes
 * the lone surrogate U+DC00 + octet, which encodes back to that octet, so `encodeGbk(decodeGbk(x))` is `x` for every x.
 * `wellFormed` makes such text fit to show.
 *
 * Both tables (about 380 KB) are made from the platform's decoder when the first text beyond ASCII comes by.
 */
import { Writer } from './writer.ts'

const TRAILS = 190 // 0x40..0xfe without 0x7f
const TWO_OCTET_CODES = 126 * TRAILS // leads 0x81..0xfe
const FOUR_OCTET_BMP_CODES = 39_420 // 81308130..8431a439
const FIRST_SUPPLEMENTARY = 189_000 // 90308130 is U+10000
const SUPPLEMENTARY_CODES = 0x100000
const ESCAPE = 0xdc00 // + octet 0x80..0xff
const UNKNOWN = 0x3f // what has no code at all: a lone surrogate that is no escape

interface Tables {
  /** Pointer of a two-octet code to UTF-16 unit; 0 is none. */
  readonly two: Uint16Array
  /** Pointer of a four-octet code to UTF-16 unit; 0 is none. */
  readonly four: Uint16Array
  /** UTF-16 unit to code; 0 is none. */
  readonly code: Uint32Array
}

let tables: Tables | undefined

function build(): Tables {
  const decoder = new TextDecoder('gb18030')
  const code = new Uint32Array(0x10000)
  const two = new Uint16Array(TWO_OCTET_CODES)
  const four = new Uint16Array(FOUR_OCTET_BMP_CODES)
  const fill = (table: Uint16Array, octets: number, codeOf: (pointer: number) => number): void => {
    const bytes = new Uint8Array(table.length * octets)
    for (let pointer = 0; pointer < table.length; pointer++) {
      for (let i = 0; i < octets; i++) bytes[pointer * octets + i] = codeOf(pointer) >>> (8 * (octets - 1 - i))
    }
    const text = decoder.decode(bytes)
    for (let pointer = 0; pointer < table.length; pointer++) {
      const unit = text.charCodeAt(pointer)
      // The first code of a character is its only one, so that decoding stays reversible.
      if (unit === 0xfffd || code[unit] !== 0) continue
      table[pointer] = unit
      code[unit] = codeOf(pointer)
    }
  }
  fill(two, 2, twoOctetCode)
  fill(four, 4, fourOctetCode)
  return { two, four, code }
}

function twoOctetCode(pointer: number): number {
  const trail = pointer % TRAILS
  return ((Math.floor(pointer / TRAILS) + 0x81) << 8) | (trail + (trail < 0x3f ? 0x40 : 0x41))
}

function fourOctetCode(pointer: number): number {
  const fourth = pointer % 10
  const third = Math.floor(pointer / 10) % 126
  const second = Math.floor(pointer / 1260) % 10
  const first = Math.floor(pointer / 12_600)
  return (((first + 0x81) << 24) | ((second + 0x30) << 16) | ((third + 0x81) << 8) | (fourth + 0x30)) >>> 0
}

/** Text of `bytes[start, end)`. */
export function decodeGbk(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = ''
  let at = start
  while (at < end) {
    const octet = bytes[at] as number
    if (octet < 0x80) {
      text += String.fromCharCode(octet)
      at += 1
      continue
    }
    tables ??= build()
    const width = multiOctet(tables, bytes, at, end)
    if (width.octets === 0) {
      text += String.fromCharCode(ESCAPE + octet)
      at += 1
    } else {
      text += String.fromCodePoint(width.point)
      at += width.octets
    }
  }
  return text
}

const NONE = { octets: 0, point: 0 }

/** The character at `at`, which begins with an octet above 0x7f; `octets` is 0 when there is none. */
function multiOctet({ two, four }: Tables, bytes: Uint8Array, at: number, end: number): { octets: number; point: number } {
  const lead = (bytes[at] as number) - 0x81
  if (lead < 0 || lead > 125 || at + 1 >= end) return NONE
  const second = bytes[at + 1] as number
  if (second >= 0x40 && second !== 0x7f && second !== 0xff) {
    const point = two[lead * TRAILS + second - (second < 0x7f ? 0x40 : 0x41)] as number
    return point === 0 ? NONE : { octets: 2, point }
  }
  if (second < 0x30 || second > 0x39 || at + 3 >= end) return NONE
  const third = (bytes[at + 2] as number) - 0x81
  const fourth = (bytes[at + 3] as number) - 0x30
  if (third < 0 || third > 125 || fourth < 0 || fourth > 9) return NONE
  const pointer = ((lead * 10 + second - 0x30) * 126 + third) * 10 + fourth
  if (pointer < FOUR_OCTET_BMP_CODES) {
    const point = four[pointer] as number
    return point === 0 ? NONE : { octets: 4, point }
  }
  const plane = pointer - FIRST_SUPPLEMENTARY
  return plane < 0 || plane >= SUPPLEMENTARY_CODES ? NONE : { octets: 4, point: 0x10000 + plane }
}

/** Octets of `text`. Every character has a code; a lone surrogate that is no escape of `decodeGbk` becomes `?`. */
export function encodeGbk(text: string): Uint8Array {
  const writer = new Writer(text.length * 2)
  writeGbk(writer, text)
  return writer.finish()
}

export function writeGbk(writer: Writer, text: string): void {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) {
      writer.u8(unit)
      continue
    }
    if (unit >= 0xd800 && unit < 0xe000) {
      const point = text.codePointAt(i) as number
      if (point > 0xffff) {
        writer.u32(fourOctetCode(FIRST_SUPPLEMENTARY + point - 0x10000))
        i++
      } else {
        writer.u8(unit >= ESCAPE + 0x80 && unit <= ESCAPE + 0xff ? unit - ESCAPE : UNKNOWN)
      }
      continue
    }
    tables ??= build()
    const code = tables.code[unit] as number
    if (code === 0) writer.u8(UNKNOWN)
    else if (code > 0xffff) writer.u32(code)
    else writer.u16(code)
  }
}

/** The same text with each octet that was no character shown as U+FFFD. */
export function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g, (match) => (match.length === 2 ? match : '\ufffd'))
}
