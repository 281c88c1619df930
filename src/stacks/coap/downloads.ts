/** Bodies that a peer fetches in blocks, RFC 7959 2.4: kept until fetched, so that every block is of one representation. */
import type { Block, Slice } from './block.ts'
import { blockOption, entityTag, sliceBody } from './block.ts'
import type { Response } from './exchange.ts'
import type { Option } from './options.ts'
import { BLOCK2, ETAG, opaqueOption, SIZE2, uintOption } from './options.ts'
import type { ByteBudget } from './uploads.ts'

export interface DownloadLimits {
  /** Bodies kept for one peer; at the limit the oldest gives way. */
  readonly maxDownloads: number
  /** How long to wait for each request for a later block; for the first one, where somebody waits for the end of it. */
  readonly firstWaitMs: number
  readonly nextWaitMs: number
  /** The largest block that we send. */
  readonly maxSzx: number
  /** What one message may carry in several blocks; absent or 0 over datagrams. RFC 8323 6 */
  readonly bertBytes?: () => number
}

interface Download {
  readonly body: Uint8Array
  readonly response: Response
  readonly fetched: (() => void) | undefined
  expiresAt: number
}

export class Downloads {
  readonly #limits: DownloadLimits
  readonly #budget: ByteBudget
  readonly #downloads = new Map<string, Download>()

  constructor(limits: DownloadLimits, budget: ByteBudget) {
    this.#limits = limits
    this.#budget = budget
  }

  get size(): number {
    return this.#downloads.size
  }

  /** When the next body is given up; Infinity when there is none. */
  get nextExpiry(): number {
    let next = Number.POSITIVE_INFINITY
    for (const download of this.#downloads.values()) next = Math.min(next, download.expiresAt)
    return next
  }

  /**
   * The first message of `response`: as it is when its payload fits in one block, else its first block, and the rest
   * is kept under `key` for later blocks. `fetched` is called when the last block was taken, or never will be.
   * Undefined when `wanted` lies beyond the end.
   */
  begin(key: string, response: Response, wanted: Block | undefined, now: number, fetched?: () => void): Response | undefined {
    const body = response.payload ?? NO_BYTES
    const slice = sliceBody(body, wanted, this.#limits.maxSzx, this.#limits.bertBytes?.())
    if (slice === undefined) return undefined
    if (slice.block === undefined) {
      fetched?.()
      return response
    }
    const tagged = withEntityTag(response, body)
    const expiresAt = now + (fetched === undefined ? this.#limits.nextWaitMs : this.#limits.firstWaitMs)
    if (slice.block.more && slice.block.number === 0) this.#keep(key, { body, response: tagged, fetched, expiresAt })
    else fetched?.()
    return blockResponse(tagged, slice, slice.block, body.length)
  }

  /** Sends a later block of a body under way; false when there is none such. */
  next(key: string, wanted: Block, now: number, send: (part: Response | 'beyond-end') => void): boolean {
    const download = this.#downloads.get(key)
    if (download === undefined) return false
    const slice = sliceBody(download.body, wanted, this.#limits.maxSzx, this.#limits.bertBytes?.())
    if (slice?.block === undefined) {
      send('beyond-end')
      return true
    }
    send(blockResponse(download.response, slice, slice.block, download.body.length))
    if (slice.block.more) download.expiresAt = now + this.#limits.nextWaitMs
    else this.#forget(key)
    return true
  }

  /** Forgets bodies that nobody fetched in time; how many. */
  expire(now: number): number {
    let expired = 0
    for (const [key, download] of [...this.#downloads]) {
      if (download.expiresAt > now) continue
      this.#forget(key)
      expired++
    }
    return expired
  }

  clear(): void {
    for (const key of [...this.#downloads.keys()]) this.#forget(key)
  }

  /** What finds no room is sent from its first block on, but later blocks must come from elsewhere. */
  #keep(key: string, download: Download): void {
    this.#forget(key)
    if (this.#downloads.size >= this.#limits.maxDownloads) {
      for (const oldest of this.#downloads.keys()) {
        this.#forget(oldest)
        break
      }
    }
    if (this.#budget.take(download.body.length)) this.#downloads.set(key, download)
    else download.fetched?.()
  }

  #forget(key: string): void {
    const download = this.#downloads.get(key)
    if (download === undefined) return
    this.#downloads.delete(key)
    this.#budget.give(download.body.length)
    download.fetched?.()
  }
}

const NO_BYTES = new Uint8Array(0)

/** RFC 7959 2.4: the tag tells the peer when blocks are not of one representation. */
function withEntityTag(response: Response, body: Uint8Array): Response {
  const options = response.options ?? []
  if (options.some((option) => option.number === ETAG)) return response
  return { ...response, options: [...options, opaqueOption(ETAG, entityTag(body))] }
}

function blockResponse(response: Response, slice: Slice, block: Block, size: number): Response {
  const options: Option[] = [...(response.options ?? []), blockOption(BLOCK2, block)]
  if (block.number === 0 && block.more) options.push(uintOption(SIZE2, size)) // RFC 7959 4
  return { code: response.code, options, payload: slice.payload }
}
