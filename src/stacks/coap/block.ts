/** Block option values and the cutting of bodies: RFC 7959 section 2. */

import type { OptionSet } from './option-set.ts'
import type { Option } from './options.ts'
import {
  ACCEPT,
  BLOCK1,
  BLOCK2,
  encodeUint,
  Q_BLOCK1,
  Q_BLOCK2,
  REQUEST_TAG,
  URI_HOST,
  URI_PATH,
  URI_PORT,
  URI_QUERY,
} from './options.ts'

export interface Block {
  readonly number: number
  readonly more: boolean
  /** Size exponent, 0 to 6: blocks of 16 to 1024 bytes; 7 over streams: several blocks of 1024 bytes at once. */
  readonly szx: number
}

/** RFC 7959 2.2: reserved over datagrams; over streams it is BERT, RFC 8323 6. */
export const BERT_SZX = 7
export const MAX_SZX = 6

/** What a block number counts. */
export function blockSize(szx: number): number {
  return 1 << (Math.min(szx, MAX_SZX) + 4)
}

/** The size exponent of the largest block that is not above `bytes`; 0 (16 bytes) at least. */
export function szxFor(bytes: number): number {
  let szx = MAX_SZX
  while (szx > 0 && blockSize(szx) > bytes) szx--
  return szx
}

/** The Block1 or Block2 option; undefined where there is none, or one of a size that is reserved without `bert`. */
export function blockOf(options: OptionSet, number: number, bert = false): Block | undefined {
  const value = options.uint(number)
  if (value === undefined || (!bert && (value & 7) === BERT_SZX)) return undefined
  return { number: value >>> 4, more: (value & 8) !== 0, szx: value & 7 }
}

/** RFC 7959 2.2: whether a Block1 or Block2 option says the reserved size. */
export function hasReservedBlock(options: OptionSet): boolean {
  return [BLOCK1, BLOCK2, Q_BLOCK1, Q_BLOCK2].some((number) => ((options.uint(number) ?? 0) & 7) === BERT_SZX)
}

export function blockOption(number: number, block: Block): Option {
  return { number, value: encodeUint(((block.number << 4) >>> 0) + (block.more ? 8 : 0) + block.szx) }
}

/** The options that say which resource a transfer is about. RFC 7959 2.4, 2.5; RFC 9175 3.3 */
const KEY_OPTIONS: readonly number[] = [URI_HOST, URI_PORT, URI_PATH, URI_QUERY, ACCEPT, REQUEST_TAG]

/** Equal for requests whose blocks belong to one transfer; the peer itself is not part of it. */
export function transferKey(code: number, options: OptionSet): string {
  const parts = [String(code)]
  for (const number of KEY_OPTIONS) {
    for (const value of options.opaques(number)) parts.push(`${number}:${Buffer.from(value).toString('latin1')}`)
  }
  return parts.join('|')
}

export interface Slice {
  readonly payload: Uint8Array
  /** What the Block2 option says; undefined when the body needs none. */
  readonly block: Block | undefined
}

/**
 * The part of `body` that `wanted` asks for, at most `maxSzx` large; undefined when it lies beyond the end. Without a
 * `wanted` block, and for bodies of one block that were not asked for in blocks, there is no Block2 option. `bertBytes`: what one message may carry in blocks of 1024 bytes.
 */
export function sliceBody(body: Uint8Array, wanted: Block | undefined, maxSzx: number, bertBytes = 0): Slice | undefined {
  const isBert = bertBytes > 0 && (wanted?.szx ?? BERT_SZX) === BERT_SZX
  const szx = isBert ? BERT_SZX : Math.min(wanted?.szx ?? maxSzx, maxSzx)
  const size = isBert ? bertBytes : blockSize(szx)
  // A request for block n of a larger size means the same offset in ours. RFC 7959 2.4
  const offset = wanted === undefined ? 0 : wanted.number * blockSize(wanted.szx)
  if (wanted === undefined && body.length <= size) return { payload: body, block: undefined }
  if (offset > 0 && offset >= body.length) return undefined
  const end = Math.min(offset + size, body.length)
  return { payload: body.subarray(offset, end), block: { number: offset / blockSize(szx), more: end < body.length, szx } }
}

/** An entity-tag of `bytes`: equal bytes and seed have equal tags. Not for security. */
export function entityTag(bytes: Uint8Array, seed = 0): Uint8Array {
  // Two independent FNV-1a style hashes of 32 bits each.
  let a = (0x811c9dc5 ^ seed) >>> 0
  let b = (0x9e3779b9 ^ (seed * 31)) >>> 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    a = Math.imul(a ^ byte, 0x01000193)
    b = Math.imul(b ^ byte, 0x85ebca6b)
    b ^= b >>> 13
  }
  const tag = new Uint8Array(8)
  const view = new DataView(tag.buffer)
  view.setUint32(0, a >>> 0)
  view.setUint32(4, b >>> 0)
  return tag
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
