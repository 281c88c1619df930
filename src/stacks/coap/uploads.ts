/** Reassembly of request bodies that arrive in blocks: RFC 7959 2.5, all blocks or nothing. Bounded per peer and in total. */
import type { Block } from './block.ts'
import { BERT_SZX, blockOption, blockSize } from './block.ts'
import { BAD_REQUEST, CONTINUE, REQUEST_ENTITY_INCOMPLETE, REQUEST_ENTITY_TOO_LARGE, SERVICE_UNAVAILABLE } from './codes.ts'
import { type Response, refusal } from './exchange.ts'
import { BLOCK1, SIZE1, uintOption } from './options.ts'

/** Bytes that all peers together may have in unfinished transfers. */
export class ByteBudget {
  readonly #limit: number
  #used = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get used(): number {
    return this.#used
  }

  /** False, and nothing taken, when it would be too much. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.#limit) return false
    this.#used += bytes
    return true
  }

  give(bytes: number): void {
    this.#used -= bytes
  }
}

export interface UploadLimits {
  readonly maxBodyBytes: number
  /** Unfinished uploads of one peer; at the limit the one that rested longest gives way. */
  readonly maxUploads: number
  /** An upload that rests for so long is forgotten. */
  readonly lifetimeMs: number
  /** The largest block we want to be sent. */
  readonly maxSzx: number
}

export interface UploadBlock {
  readonly block: Block
  readonly payload: Uint8Array
  readonly contentFormat: number | undefined
  /** Size1: the size that the peer announces. */
  readonly announced: number | undefined
}

/** `body`: complete; its response carries `block`. `response`: answer with that, and wait for more (or not). */
export type UploadResult = { readonly body: Uint8Array } | { readonly response: Response }

interface Upload {
  readonly chunks: Uint8Array[]
  readonly contentFormat: number | undefined
  bytes: number
  touchedAt: number
}

export class Uploads {
  readonly #limits: UploadLimits
  readonly #budget: ByteBudget
  /** Least recently touched first. */
  readonly #uploads = new Map<string, Upload>()

  constructor(limits: UploadLimits, budget: ByteBudget) {
    this.#limits = limits
    this.#budget = budget
  }

  get size(): number {
    return this.#uploads.size
  }

  /** When the upload that has rested longest is forgotten; Infinity when there is none. */
  get nextExpiry(): number {
    for (const upload of this.#uploads.values()) return upload.touchedAt + this.#limits.lifetimeMs
    return Number.POSITIVE_INFINITY
  }

  /** Takes the next block of the upload `key` (see `transferKey`). */
  accept(key: string, part: UploadBlock, now: number): UploadResult {
    const { block, payload } = part
    const fault = this.#check(part)
    if (fault !== undefined) {
      this.#end(key)
      return fault
    }
    if (block.number === 0) {
      this.#end(key)
      if (!block.more) return { body: payload }
      this.#begin(key, part.contentFormat, now)
    }
    const upload = this.#uploads.get(key)
    if (upload === undefined) return refuse(REQUEST_ENTITY_INCOMPLETE, 'no such upload: begin with block 0')
    const refusal = this.#append(upload, part)
    if (refusal !== undefined) {
      this.#end(key)
      return refusal
    }
    if (!block.more) {
      const body = Buffer.concat(upload.chunks, upload.bytes)
      this.#end(key)
      return { body }
    }
    upload.touchedAt = now
    this.#uploads.delete(key)
    this.#uploads.set(key, upload)
    return { response: { code: CONTINUE, options: [this.#continueOption(block)] } }
  }

  /** Forgets uploads that have rested too long; how many. */
  expire(now: number): number {
    let expired = 0
    for (const [key, upload] of this.#uploads) {
      if (now - upload.touchedAt < this.#limits.lifetimeMs) break
      this.#end(key)
      expired++
    }
    return expired
  }

  clear(): void {
    for (const key of [...this.#uploads.keys()]) this.#end(key)
  }

  #check(part: UploadBlock): UploadResult | undefined {
    const { block, payload, announced } = part
    const size = blockSize(block.szx)
    if (!fills(block, payload.length)) {
      return refuse(BAD_REQUEST, `a block of ${size} bytes has ${payload.length}`)
    }
    const { maxBodyBytes } = this.#limits
    if ((announced ?? 0) > maxBodyBytes || block.number * size + payload.length > maxBodyBytes) {
      return refuse(REQUEST_ENTITY_TOO_LARGE, `at most ${maxBodyBytes} bytes`, [uintOption(SIZE1, maxBodyBytes)])
    }
    return undefined
  }

  #append(upload: Upload, part: UploadBlock): UploadResult | undefined {
    const { block, payload, contentFormat } = part
    const offset = block.number * blockSize(block.szx)
    if (offset !== upload.bytes) {
      return refuse(REQUEST_ENTITY_INCOMPLETE, `expected the block at byte ${upload.bytes}, not ${offset}`)
    }
    if (contentFormat !== upload.contentFormat) {
      return refuse(REQUEST_ENTITY_INCOMPLETE, 'the Content-Format changed within the body')
    }
    if (!this.#budget.take(payload.length)) return refuse(SERVICE_UNAVAILABLE, 'too many uploads at this time')
    upload.chunks.push(Uint8Array.from(payload))
    upload.bytes += payload.length
    return undefined
  }

  #begin(key: string, contentFormat: number | undefined, now: number): void {
    if (this.#uploads.size >= this.#limits.maxUploads) {
      for (const oldest of this.#uploads.keys()) {
        this.#end(oldest)
        break
      }
    }
    this.#uploads.set(key, { chunks: [], contentFormat, bytes: 0, touchedAt: now })
  }

  #end(key: string): void {
    const upload = this.#uploads.get(key)
    if (upload === undefined) return
    this.#budget.give(upload.bytes)
    this.#uploads.delete(key)
  }

  /** RFC 7959 2.3: a smaller size than the peer's asks it to go on in smaller blocks. */
  #continueOption(block: Block) {
    const szx = block.szx === BERT_SZX ? BERT_SZX : Math.min(block.szx, this.#limits.maxSzx)
    return blockOption(BLOCK1, { number: block.number, more: true, szx })
  }
}

/** RFC 7959 2.2, RFC 8323 6: a block is full unless it is the last; BERT has several full ones, and then the last. */
function fills({ szx, more }: Block, length: number): boolean {
  const size = blockSize(szx)
  if (szx === BERT_SZX) return !more || (length > 0 && length % size === 0)
  return more ? length === size : length <= size
}

function refuse(code: number, diagnostic: string, options?: Response['options']): UploadResult {
  return { response: refusal(code, diagnostic, options) }
}
