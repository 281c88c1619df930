/** Ranges of the pool as buffers to write: few system calls, few copies, and no view that keeps much more than itself alive. */
import { copyRange, mayView, view } from './byte-ranges.ts'
import type { RangePool } from './range-pool.ts'

/** A flush up to here is one buffer. */
const ONE_WRITE_BYTES = 65_536
/** A range from here on is written as it lies, the smaller ones around it are copied together. */
const LARGE_RANGE_BYTES = 16_384
const SCRATCH_BYTES = 16_384

/**
 * The buffer that small flushes are copied into. The kernel mostly takes a write at once, and the buffer is free again;
 * where it did not, the wire surrenders it to the write.
 */
let scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)

/** The last buffer that `gatherOne` returned is still being read: copy the next flush to another one. */
export function surrenderScratch(buffer: Buffer): void {
  if (buffer.buffer === scratch.buffer) scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
}

/**
 * The list as one buffer when that is cheap, else undefined. `shared`: the buffer may be the scratch buffer, good only
 * until the next call unless it is surrendered.
 */
export function gatherOne(pool: RangePool, head: number, total: number, shared: boolean): Buffer | undefined {
  const bytes = pool.bytes[head] as Uint8Array
  const start = pool.start[head] as number
  const end = pool.end[head] as number
  if (end - start === total) {
    const small = total <= SCRATCH_BYTES && !Buffer.isBuffer(bytes)
    if (!small && mayView(bytes, total)) return view(bytes, start, end)
  }
  if (total > ONE_WRITE_BYTES) return undefined
  const target = shared && total <= SCRATCH_BYTES ? scratch.subarray(0, total) : allocate(total)
  let offset = 0
  for (let index = head; offset < total; index = pool.next[index] as number) {
    const from = pool.start[index] as number
    const to = pool.end[index] as number
    copyRange(target, offset, pool.bytes[index] as Uint8Array, from, to)
    offset += to - from
  }
  return target
}

/** The list as a few buffers, in order. */
export function gatherMany(pool: RangePool, head: number, total: number): Buffer[] {
  const buffers: Buffer[] = []
  let block: Buffer | undefined
  let filled = 0
  let left = total
  for (let index = head; left > 0; index = pool.next[index] as number) {
    const bytes = pool.bytes[index] as Uint8Array
    const end = pool.end[index] as number
    let from = pool.start[index] as number
    if (end - from >= LARGE_RANGE_BYTES && mayView(bytes, end - from)) {
      if (block !== undefined) buffers.push(block.subarray(0, filled))
      block = undefined
      buffers.push(view(bytes, from, end))
      left -= end - from
      continue
    }
    while (from < end) {
      if (block === undefined) {
        block = allocate(Math.min(left, ONE_WRITE_BYTES))
        filled = 0
      }
      const count = Math.min(end - from, block.length - filled)
      copyRange(block, filled, bytes, from, from + count)
      filled += count
      from += count
      left -= count
      if (filled < block.length) continue
      buffers.push(block)
      block = undefined
    }
  }
  if (block !== undefined) buffers.push(block.subarray(0, filled))
  return buffers
}

/** Not from the shared pool for what is large: a slice that waits would keep its whole slab. */
function allocate(size: number): Buffer {
  return size < 1024 ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size)
}
