/** Bodies in bursts of Non-confirmable blocks: what both directions share. RFC 9177 */
import type { Block } from './block.ts'
import { encodeCbor } from './cbor.ts'
import type { OptionSet } from './option-set.ts'
import { BLOCK1, BLOCK2, decodeUint, Q_BLOCK1, Q_BLOCK2 } from './options.ts'

// RFC 9177 7.2
export const MAX_PAYLOADS = 10
export const NON_TIMEOUT_MS = 2000
export const NON_RECEIVE_TIMEOUT_MS = 2 * NON_TIMEOUT_MS
export const NON_MAX_RETRANSMIT = 4
export const NON_PARTIAL_TIMEOUT_MS = 247_000

/** Blocks that one 4.08 names at most; the rest is named by the next. */
const MAX_MISSING = 64

/** The Q-Block options of this number in order; undefined where one says the reserved size. */
export function qBlocksOf(options: OptionSet, number: typeof Q_BLOCK1 | typeof Q_BLOCK2): Block[] | undefined {
  const blocks: Block[] = []
  for (const bytes of options.opaques(number)) {
    const value = decodeUint(bytes)
    const szx = value & 7
    if (szx === 7) return undefined
    blocks.push({ number: value >>> 4, more: (value & 8) !== 0, szx })
  }
  return blocks
}

/** RFC 9177 4.1: both kinds of blocks never stand in one message. */
export function mixesBlocks(options: OptionSet): boolean {
  return (options.has(Q_BLOCK1) || options.has(Q_BLOCK2)) && (options.has(BLOCK1) || options.has(BLOCK2))
}

/** The payload of 4.08: application/missing-blocks+cbor-seq. RFC 9177 5 */
export function encodeMissing(numbers: readonly number[]): Uint8Array {
  return Uint8Array.from(numbers.slice(0, MAX_MISSING).flatMap((number) => [...encodeCbor(number)]))
}
