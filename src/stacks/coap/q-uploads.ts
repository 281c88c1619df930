/**
 * Request bodies that arrive in bursts, in any order: Q-Block1, RFC 9177 4.3. A set of blocks that is whole is continued
 * by 2.31; what is missing is asked for by 4.08, in growing distance, four times; then the body is given up.
 */
import { type Block, blockSize } from './block.ts'
import { BAD_REQUEST, CONTINUE, NON, REQUEST_ENTITY_INCOMPLETE, REQUEST_ENTITY_TOO_LARGE, SERVICE_UNAVAILABLE } from './codes.ts'
import { MISSING_BLOCKS } from './content-formats.ts'
import type { Timed } from './deadlines.ts'
import { type Exchange, type Response, refusal } from './exchange.ts'
import type { CoapMessage } from './message.ts'
import { serialize } from './message.ts'
import type { MessageLayer } from './message-layer.ts'
import { CONTENT_FORMAT, encodeUint, Q_BLOCK1, REQUEST_TAG, SIZE1, uintOption } from './options.ts'
import { encodeMissing, MAX_PAYLOADS, NON_MAX_RETRANSMIT, NON_PARTIAL_TIMEOUT_MS, NON_RECEIVE_TIMEOUT_MS } from './q-block.ts'
import type { TransferLimits } from './transfers.ts'
import type { ByteBudget } from './uploads.ts'

/** A request that brings a block. */
export interface BlockRequest {
  readonly request: CoapMessage
  readonly exchange: Exchange
  /** Names the resource in block-wise transfers with this peer. */
  readonly transferKey: string
  readonly contentFormat: number | undefined
}

export class QUploads {
  readonly endpoint: MessageLayer
  readonly #limits: TransferLimits
  readonly #budget: ByteBudget
  readonly #count: (name: string) => void
  readonly #uploads = new Map<string, QUpload>()

  constructor(endpoint: MessageLayer, limits: TransferLimits, budget: ByteBudget, count: (name: string) => void) {
    this.endpoint = endpoint
    this.#limits = limits
    this.#budget = budget
    this.#count = count
  }

  get size(): number {
    return this.#uploads.size
  }

  /** Takes a block; the body when it is whole. Else the request was answered, or will be with a later one. */
  accept(part: BlockRequest, block: Block): Uint8Array | undefined {
    const { exchange, request, transferKey, contentFormat } = part
    const fault = this.#check(part, block)
    if (fault !== undefined) {
      this.end(transferKey)
      exchange.respond(fault)
      return undefined
    }
    const size1 = request.options.uint(SIZE1) as number
    const upload = this.#uploads.get(transferKey) ?? this.#begin(transferKey, block.szx, size1, contentFormat)
    if (!upload.isOf(block, size1, contentFormat)) {
      this.end(transferKey)
      this.#count('block-out-of-order')
      exchange.respond(refusal(REQUEST_ENTITY_INCOMPLETE, 'blocks of one body are of one size and format'))
      return undefined
    }
    if (!upload.has(block.number) && !this.#budget.take(request.payload.length)) {
      this.end(transferKey)
      this.#count('transfer-memory-full')
      exchange.respond(refusal(SERVICE_UNAVAILABLE, 'too many uploads at this time'))
      return undefined
    }
    upload.take(block, request.payload, exchange)
    const body = upload.body()
    if (body !== undefined) this.end(transferKey)
    else upload.answer()
    return body
  }

  expired(key: string): void {
    this.#count('block-transfer-expired')
    this.end(key)
  }

  end(key: string): void {
    const upload = this.#uploads.get(key)
    if (upload === undefined) return
    this.#uploads.delete(key)
    this.endpoint.deadlines.clear(upload)
    this.#budget.give(upload.bytes)
  }

  clear(): void {
    for (const key of [...this.#uploads.keys()]) this.end(key)
  }

  #check({ request }: BlockRequest, block: Block): Response | undefined {
    const { options, payload } = request
    const size1 = options.uint(SIZE1)
    // RFC 9177 4.3: both are needed.
    if (size1 === undefined || !options.has(REQUEST_TAG)) {
      this.#count('block-malformed')
      return refusal(BAD_REQUEST, 'Q-Block1 goes with Request-Tag and Size1')
    }
    if (size1 > this.#limits.maxBodySize) {
      this.#count('body-too-large')
      const limit = uintOption(SIZE1, this.#limits.maxBodySize)
      return refusal(REQUEST_ENTITY_TOO_LARGE, `at most ${this.#limits.maxBodySize} bytes`, [limit])
    }
    const size = blockSize(block.szx)
    const offset = block.number * size
    const isLast = offset + payload.length === size1
    if (block.more === isLast || (block.more && payload.length !== size) || payload.length > size || offset > size1) {
      this.#count('block-malformed')
      return refusal(BAD_REQUEST, 'the block does not fit Size1')
    }
    return undefined
  }

  #begin(key: string, szx: number, size1: number, contentFormat: number | undefined): QUpload {
    if (this.#uploads.size >= this.#limits.maxTransfers) {
      for (const oldest of this.#uploads.keys()) {
        this.expired(oldest)
        break
      }
    }
    const upload = new QUpload(this, key, szx, size1, contentFormat)
    this.#uploads.set(key, upload)
    return upload
  }
}

class QUpload implements Timed {
  dueAt = 0
  heapIndex = -1
  bytes = 0

  readonly #uploads: QUploads
  readonly #key: string
  readonly #szx: number
  readonly #size1: number
  readonly #contentFormat: number | undefined
  readonly #total: number
  readonly #chunks = new Map<number, Uint8Array>()
  /** Blocks from the first on that came without a gap. */
  #whole = 0
  #highest = 0
  #asked = 0
  #latest: Exchange | undefined = undefined

  constructor(uploads: QUploads, key: string, szx: number, size1: number, contentFormat: number | undefined) {
    this.#uploads = uploads
    this.#key = key
    this.#szx = szx
    this.#size1 = size1
    this.#contentFormat = contentFormat
    this.#total = Math.max(1, Math.ceil(size1 / blockSize(szx)))
  }

  isOf(block: Block, size1: number, contentFormat: number | undefined): boolean {
    return block.szx === this.#szx && size1 === this.#size1 && contentFormat === this.#contentFormat
  }

  has(number: number): boolean {
    return this.#chunks.has(number)
  }

  take(block: Block, payload: Uint8Array, exchange: Exchange): void {
    this.#latest = exchange
    // RFC 9177 4.3: what came before is not taken again, but answered as if it were new.
    if (this.has(block.number)) return
    this.#chunks.set(block.number, Uint8Array.from(payload))
    this.bytes += payload.length
    this.#asked = 0
    this.#highest = Math.max(this.#highest, block.number)
    while (this.#chunks.has(this.#whole)) this.#whole++
  }

  body(): Uint8Array | undefined {
    if (this.#whole < this.#total) return undefined
    const chunks = Array.from({ length: this.#total }, (_, number) => this.#chunks.get(number) as Uint8Array)
    return Buffer.concat(chunks, this.bytes)
  }

  /** After a block that did not make the body whole. */
  answer(): void {
    const exchange = this.#latest as Exchange
    const { deadlines } = this.#uploads.endpoint
    // RFC 9177 4.3: Confirmable blocks are paced by their acknowledgements.
    if (exchange.type !== NON) exchange.acknowledge()
    else if (this.#whole > this.#highest && this.#whole % MAX_PAYLOADS === 0) this.#continue()
    else if (Math.floor(this.#whole / MAX_PAYLOADS) < Math.floor(this.#highest / MAX_PAYLOADS) && this.#asked === 0) this.#ask()
    deadlines.set(this, this.#uploads.endpoint.now() + this.#waitMs)
  }

  onDeadline(now: number): void {
    if (this.#asked >= NON_MAX_RETRANSMIT || this.#missing.length === 0) {
      this.#giveUp(now)
      return
    }
    this.#ask()
    this.#uploads.endpoint.deadlines.set(this, now + this.#waitMs)
  }

  /** RFC 9177 7.2: twice as long each time; without a gap there is nothing to ask for. */
  get #waitMs(): number {
    return this.#missing.length === 0 ? NON_PARTIAL_TIMEOUT_MS : NON_RECEIVE_TIMEOUT_MS * 2 ** this.#asked
  }

  /** What should have come: every block of the sets of which one came. */
  get #missing(): number[] {
    const end = Math.min(this.#total, (Math.floor(this.#highest / MAX_PAYLOADS) + 1) * MAX_PAYLOADS)
    const missing: number[] = []
    for (let number = this.#whole; number < end; number++) if (!this.has(number)) missing.push(number)
    return missing
  }

  #continue(): void {
    const last = { number: this.#whole - 1, more: true, szx: this.#szx }
    const value = encodeUint((last.number << 4) + 8 + last.szx)
    this.#send({ code: CONTINUE, options: [{ number: Q_BLOCK1, value }] })
  }

  #ask(): void {
    this.#asked++
    const options = [uintOption(CONTENT_FORMAT, MISSING_BLOCKS)]
    this.#send({ code: REQUEST_ENTITY_INCOMPLETE, options, payload: encodeMissing(this.#missing) })
  }

  /** RFC 9177 4.3: 4.08 that names no blocks tells the client to begin anew. */
  #giveUp(_now: number): void {
    this.#send(refusal(REQUEST_ENTITY_INCOMPLETE, 'too many blocks were lost'))
    this.#uploads.expired(this.#key)
  }

  /** With the token of the block that came last. A protected one has a protected answer. */
  #send(response: Response): void {
    const { token, protect } = this.#latest as Exchange
    const { code, options, payload } = protect === undefined ? response : protect(response)
    this.#uploads.endpoint.sendNonConfirmable((id) => serialize(NON, code, id, token, options, payload))
  }
}
