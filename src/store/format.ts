/**
 * The octets of a segment file; all numbers are big-endian.
 *
 *     file    = "OGLG" version(4) salt(4) crc32(4, of the 12 octets before) *record
 *     record  = length(4) mark(4) crc32(4, of the body, counted on from the mark) body
 *
 * A record's mark is made of its length, its place in the file and the file's salt. So a header is known to be one
 * without its body, one changed bit is seen, and no payload can hold octets that pass for a record after damage. The
 * salt is in the file's name too: a file whose first octets are damaged is read all the same.
 */
import { crc32 } from './crc32.ts'

export const FILE_HEADER_BYTES = 16
export const RECORD_HEADER_BYTES = 12
export const VERSION = 1

const MAGIC = 0x4f474c47
const NAME = /^segment-(\d{10,})-([0-9a-f]{8})\.log$/

/** What a file begins with. `damaged`: it cannot be read; the name says the salt. */
export type FileHeader = { readonly version: number; readonly salt: number } | 'damaged'

export function segmentName(segment: number, salt: number): string {
  return `segment-${String(segment).padStart(10, '0')}-${(salt >>> 0).toString(16).padStart(8, '0')}.log`
}

/** The number and salt that a file's name says; undefined for other files. */
export function parseSegmentName(name: string): { readonly segment: number; readonly salt: number } | undefined {
  const [, segment, salt] = NAME.exec(name) ?? []
  return segment === undefined || salt === undefined
    ? undefined
    : { segment: Number(segment), salt: Number.parseInt(salt, 16) | 0 }
}

export function writeFileHeader(bytes: Uint8Array, at: number, salt: number): void {
  writeUint32(bytes, at, MAGIC)
  writeUint32(bytes, at + 4, VERSION)
  writeUint32(bytes, at + 8, salt)
  writeUint32(bytes, at + 12, crc32(bytes, at, at + 12))
}

/** `bytes` holds at least FILE_HEADER_BYTES. */
export function readFileHeader(bytes: Uint8Array): FileHeader {
  if (readInt32(bytes, 0) !== MAGIC || readInt32(bytes, 12) !== crc32(bytes, 0, 12)) return 'damaged'
  return { version: readInt32(bytes, 4) >>> 0, salt: readInt32(bytes, 8) }
}

/** Writes the header of the record whose body stands behind it. `position` is the header's place in the file. */
export function writeRecordHeader(bytes: Uint8Array, at: number, length: number, salt: number, position: number): void {
  const mark = markOf(length, salt, position)
  const body = at + RECORD_HEADER_BYTES
  writeUint32(bytes, at, length)
  writeUint32(bytes, at + 4, mark)
  writeUint32(bytes, at + 8, crc32(bytes, body, body + length, mark))
}

/** The length of the record at `position`, or -1 when no header stands there. */
export function recordLength(bytes: Uint8Array, at: number, salt: number, position: number): number {
  const length = readInt32(bytes, at)
  return readInt32(bytes, at + 4) === markOf(length, salt, position) ? length >>> 0 : -1
}

/** Whether the body is what was written; its header is known to be whole. */
export function isWhole(bytes: Uint8Array, at: number, length: number): boolean {
  const body = at + RECORD_HEADER_BYTES
  return readInt32(bytes, at + 8) === crc32(bytes, body, body + length, readInt32(bytes, at + 4))
}

/** For one salt and position no two lengths share a mark: each step can be undone. */
function markOf(length: number, salt: number, position: number): number {
  let mixed = Math.imul(length ^ salt ^ Math.imul(position, 0x9e3779b1), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35)
  return mixed ^ (mixed >>> 13) ^ salt
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

function readInt32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  )
}
