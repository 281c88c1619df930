/** A server's block-wise transfers with one address, both ways: RFC 7959, and in bursts RFC 9177. What rests too long is forgotten, and counted. */
import { type Block, blockSize, szxFor } from './block.ts'
import { BAD_REQUEST, FETCH, GET, REQUEST_ENTITY_INCOMPLETE, REQUEST_ENTITY_TOO_LARGE, SERVICE_UNAVAILABLE } from './codes.ts'
import type { Timed } from './deadlines.ts'
import { Downloads } from './downloads.ts'
import { type Exchange, type Response, refusal } from './exchange.ts'
import type { CoapMessage } from './message.ts'
import type { MessageLayer } from './message-layer.ts'
import { Q_BLOCK1 } from './options.ts'
import { deriveTimes } from './parameters.ts'
import { MAX_PAYLOADS } from './q-block.ts'
import { QDownloads } from './q-downloads.ts'
import { type BlockRequest, QUploads } from './q-uploads.ts'
import { type ByteBudget, type UploadBlock, type UploadResult, Uploads } from './uploads.ts'

export interface TransferLimits {
  /** The largest block in either direction, in bytes. */
  readonly maxBlockSize: number
  /** The largest request body, in bytes; larger ones get 4.13. */
  readonly maxBodySize: number
  /** Unfinished transfers each way; the oldest gives way. */
  readonly maxTransfers: number
}

/** A client that fetches a body asks for its second block within so many ACK_TIMEOUTs. */
const FIRST_WAIT_TIMEOUTS = 5

/** What is counted when a block is refused. */
const REFUSED: ReadonlyMap<number, string> = new Map([
  [BAD_REQUEST, 'block-malformed'],
  [REQUEST_ENTITY_INCOMPLETE, 'block-out-of-order'],
  [REQUEST_ENTITY_TOO_LARGE, 'body-too-large'],
  [SERVICE_UNAVAILABLE, 'transfer-memory-full'],
])

/** To who asks for the rest of an answer that is not kept any more, and may not ask anew. RFC 7959 2.9.2 */
export function lostAnswer(): Response {
  return refusal(REQUEST_ENTITY_INCOMPLETE, 'the rest of that answer is not kept any more: ask again')
}

/** The rest of an answer that is not kept any more can be had by asking anew, where that does nothing again. RFC 7959 2.4 */
export function mayAskAnew({ code, hasPayload }: CoapMessage): boolean {
  return code === GET || (code === FETCH && hasPayload)
}

/** The blocks of an answer that a request asks for. */
export interface WantedBlocks {
  readonly request: CoapMessage
  readonly block1: Block | undefined
  readonly block2: Block | undefined
  /** Q-Block2. */
  readonly burst: readonly Block[]
}

/** A later block of what was answered, where asking anew would do it again. */
export function asksForLostAnswer({ request, block1, block2, burst }: WantedBlocks): boolean {
  if (block1 !== undefined || request.options.has(Q_BLOCK1) || mayAskAnew(request)) return false
  return (block2?.number ?? 0) > 0 || burst.some(({ number }) => number > 0)
}

export class Transfers implements Timed {
  dueAt = 0
  heapIndex = -1

  readonly #endpoint: MessageLayer
  readonly #uploads: Uploads
  readonly #downloads: Downloads
  readonly #count: (name: string, by: number) => void
  readonly #limits: TransferLimits
  readonly #budget: ByteBudget
  #qUploads: QUploads | undefined = undefined
  #qDownloads: QDownloads | undefined = undefined

  constructor(endpoint: MessageLayer, limits: TransferLimits, budget: ByteBudget, count: (name: string, by: number) => void) {
    this.#endpoint = endpoint
    this.#count = count
    this.#limits = limits
    this.#budget = budget
    const { parameters } = endpoint.settings
    const { exchangeLifetimeMs, maxTransmitSpanMs } = deriveTimes(parameters)
    const maxSzx = szxFor(limits.maxBlockSize)
    this.#uploads = new Uploads(
      { maxBodyBytes: limits.maxBodySize, maxUploads: limits.maxTransfers, lifetimeMs: exchangeLifetimeMs, maxSzx },
      budget,
    )
    this.#downloads = new Downloads(
      {
        maxDownloads: limits.maxTransfers,
        firstWaitMs: FIRST_WAIT_TIMEOUTS * parameters.ackTimeoutMs,
        nextWaitMs: maxTransmitSpanMs,
        maxSzx,
        bertBytes: () => endpoint.bertBytes,
      },
      budget,
    )
  }

  get size(): number {
    return this.#uploads.size + this.#downloads.size + (this.#qUploads?.size ?? 0) + (this.#qDownloads?.size ?? 0)
  }

  /** Takes a block of a request body. */
  upload(key: string, part: UploadBlock): UploadResult {
    const result = this.#uploads.accept(key, part, this.#endpoint.now())
    this.#schedule()
    const refused = 'response' in result ? REFUSED.get(result.response.code) : undefined
    if (refused !== undefined) this.#count(refused, 1)
    return result
  }

  /** The first (or `wanted`) part of `response`; the rest is kept under `key`. Undefined when `wanted` is beyond the end. */
  download(key: string, response: Response, wanted: Block | undefined, fetched?: () => void): Response | undefined {
    const first = this.#downloads.begin(key, response, wanted, this.#endpoint.now(), fetched)
    this.#schedule()
    return first
  }

  /** Sends a later part of what `download` kept; false when nothing was. */
  next(key: string, wanted: Block, send: (part: Response | 'beyond-end') => void): boolean {
    const known = this.#downloads.next(key, wanted, this.#endpoint.now(), send)
    this.#schedule()
    return known
  }

  /** Takes a block of a burst; the body when it is whole. Else the request was answered, or will be with a later one. */
  uploadBurst(part: BlockRequest, block: Block): Uint8Array | undefined {
    this.#qUploads ??= new QUploads(this.#endpoint, this.#limits, this.#budget, (name) => this.#count(name, 1))
    return this.#qUploads.accept(part, block)
  }

  /** Octets of payload that go out at once when an answer is asked for in bursts of this size. */
  burstBytes(wanted: Block): number {
    return MAX_PAYLOADS * blockSize(this.#burstSzx(wanted))
  }

  /** Answers in bursts. False: it fits in one block, or there is no room to keep it. */
  downloadBurst(key: string, exchange: Exchange, response: Response, wanted: Block): boolean {
    const szx = this.#burstSzx(wanted)
    if ((response.payload?.length ?? 0) <= blockSize(szx)) return false
    this.#qDownloads ??= new QDownloads(this.#endpoint, this.#limits.maxTransfers, this.#budget)
    return this.#qDownloads.begin(key, exchange, response, wanted, szx)
  }

  /** Sends what a request for more of a burst asks for; false when nothing is kept, or it asks for the first time. */
  nextBurst(key: string, exchange: Exchange, wanted: readonly Block[]): boolean {
    const [first] = wanted
    const isBeginning = wanted.length === 1 && first?.number === 0 && first.more
    return !isBeginning && this.#qDownloads?.next(key, exchange, wanted) === true
  }

  onDeadline(now: number): void {
    const expired = this.#uploads.expire(now) + this.#downloads.expire(now)
    if (expired > 0) this.#count('block-transfer-expired', expired)
    this.#schedule()
  }

  close(): void {
    this.#uploads.clear()
    this.#downloads.clear()
    this.#qUploads?.clear()
    this.#qDownloads?.clear()
    this.#endpoint.deadlines.clear(this)
  }

  #burstSzx({ szx }: Block): number {
    return Math.min(szx, szxFor(this.#limits.maxBlockSize))
  }

  #schedule(): void {
    const next = Math.min(this.#uploads.nextExpiry, this.#downloads.nextExpiry)
    if (next === Number.POSITIVE_INFINITY) this.#endpoint.deadlines.clear(this)
    else this.#endpoint.deadlines.set(this, Math.max(next, this.#endpoint.now() + 1))
  }
}
