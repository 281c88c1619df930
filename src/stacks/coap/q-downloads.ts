/**
 * Answers in bursts: Q-Block2, RFC 9177 4.4. Sets of ten Non-confirmable blocks under the token of the request; the next
 * set goes when the client asks for it, or when it has had the time to. What is missing is sent again on request.
 */
import { type Block, blockSize, entityTag } from './block.ts'
import { NON } from './codes.ts'
import type { Timed } from './deadlines.ts'
import type { Exchange, Response } from './exchange.ts'
import { serialize } from './message.ts'
import type { MessageLayer } from './message-layer.ts'
import { ETAG, encodeUint, type Option, opaqueOption, Q_BLOCK2, SIZE2, uintOption } from './options.ts'
import { MAX_PAYLOADS, NON_PARTIAL_TIMEOUT_MS, NON_TIMEOUT_MS } from './q-block.ts'
import type { ByteBudget } from './uploads.ts'

export class QDownloads {
  readonly endpoint: MessageLayer
  readonly #budget: ByteBudget
  readonly #maxDownloads: number
  readonly #downloads = new Map<string, QDownload>()

  constructor(endpoint: MessageLayer, maxDownloads: number, budget: ByteBudget) {
    this.endpoint = endpoint
    this.#maxDownloads = maxDownloads
    this.#budget = budget
  }

  get size(): number {
    return this.#downloads.size
  }

  /** Begins to send `response` in blocks of at most `maxSzx`; false when there is no room to keep it. */
  begin(key: string, exchange: Exchange, response: Response, wanted: Block, maxSzx: number): boolean {
    this.end(key)
    const bytes = response.payload?.length ?? 0
    if (this.#downloads.size >= this.#maxDownloads) {
      for (const oldest of this.#downloads.keys()) {
        this.end(oldest)
        break
      }
    }
    if (!this.#budget.take(bytes)) return false
    const download = new QDownload(this, key, response, Math.min(wanted.szx, maxSzx))
    this.#downloads.set(key, download)
    download.request(exchange, [{ ...wanted, number: 0 }])
    return true
  }

  /** Sends what a later request asks for; false when nothing is kept. */
  next(key: string, exchange: Exchange, wanted: readonly Block[]): boolean {
    const download = this.#downloads.get(key)
    if (download === undefined) return false
    download.request(exchange, wanted)
    return true
  }

  end(key: string): void {
    const download = this.#downloads.get(key)
    if (download === undefined) return
    this.#downloads.delete(key)
    this.endpoint.deadlines.clear(download)
    this.#budget.give(download.bytes)
  }

  clear(): void {
    for (const key of [...this.#downloads.keys()]) this.end(key)
  }
}

class QDownload implements Timed {
  dueAt = 0
  heapIndex = -1

  readonly #downloads: QDownloads
  readonly #key: string
  readonly #code: number
  readonly #options: readonly Option[]
  readonly #body: Uint8Array
  readonly #szx: number
  readonly #total: number
  #exchange: Exchange | undefined = undefined
  /** The first block of the next set; the total where none is asked for. */
  #next: number

  constructor(downloads: QDownloads, key: string, { code, options = [], payload }: Response, szx: number) {
    const body = payload ?? new Uint8Array(0)
    const tag = options.some(({ number }) => number === ETAG) ? [] : [opaqueOption(ETAG, entityTag(body))]
    this.#downloads = downloads
    this.#key = key
    this.#code = code
    this.#options = [...options, ...tag, uintOption(SIZE2, body.length)]
    this.#body = body
    this.#szx = szx
    this.#total = Math.max(1, Math.ceil(body.length / blockSize(szx)))
    this.#next = this.#total
  }

  get bytes(): number {
    return this.#body.length
  }

  /** M set asks for this block and all behind it, M not set for this one alone. RFC 9177 4.4 */
  request(exchange: Exchange, wanted: readonly Block[]): void {
    this.#exchange = exchange
    for (const { number, more } of wanted.slice(0, MAX_PAYLOADS)) {
      if (!more) {
        this.#send(number)
        continue
      }
      this.#next = number
      this.#sendSet()
    }
    this.#wait()
  }

  /** The client has had the time to say what it misses. */
  onDeadline(): void {
    if (this.#next >= this.#total) {
      this.#downloads.end(this.#key)
      return
    }
    this.#sendSet()
    this.#wait()
  }

  #sendSet(): void {
    const end = Math.min(this.#total, this.#next + MAX_PAYLOADS)
    while (this.#next < end) this.#send(this.#next++)
  }

  #wait(): void {
    const { endpoint } = this.#downloads
    const { ackRandomFactor } = endpoint.settings.parameters
    // RFC 9177 7.2: NON_TIMEOUT_RANDOM, at its longest.
    const waitMs = this.#next < this.#total ? NON_TIMEOUT_MS * ackRandomFactor : NON_PARTIAL_TIMEOUT_MS
    endpoint.deadlines.set(this, endpoint.now() + waitMs)
  }

  /** The first block answers the request, the others follow under its token. */
  #send(number: number): void {
    if (number >= this.#total) return
    const exchange = this.#exchange as Exchange
    const size = blockSize(this.#szx)
    const more = number + 1 < this.#total
    const block = { number: Q_BLOCK2, value: encodeUint((number << 4) + (more ? 8 : 0) + this.#szx) }
    const payload = this.#body.subarray(number * size, (number + 1) * size)
    const response = { code: this.#code, options: [...this.#options, block], payload }
    if (exchange.state !== 'answered') {
      exchange.respond(response)
      return
    }
    const { token, protect } = exchange
    const sent = protect === undefined ? response : protect(response)
    this.#downloads.endpoint.sendNonConfirmable((id) => serialize(NON, sent.code, id, token, sent.options, sent.payload))
  }
}
