/**
 * One request of ours with bodies of any size: up in blocks, then down in blocks. RFC 7959 2.4, 2.5, 3.3 as a client,
 * with Request-Tag (RFC 9175 3) and the answer to an Echo challenge (RFC 9175 2.3).
 */
import { type Block, blockOf, blockOption, blockSize, equalBytes, hasReservedBlock, szxFor } from './block.ts'
import type { ClientSettings } from './client.ts'
import { CONTINUE, FETCH, GET, isSuccess, REQUEST_ENTITY_INCOMPLETE, REQUEST_ENTITY_TOO_LARGE, UNAUTHORIZED } from './codes.ts'
import type { CoapMessage } from './message.ts'
import type { OptionSet } from './option-set.ts'
import { BLOCK1, BLOCK2, ECHO, ETAG, OBSERVE, type Option, opaqueOption, REQUEST_TAG, SIZE1, uintOption } from './options.ts'
import type { Request, RequestFailure, RequestHandle, RequestSender } from './requester.ts'

export interface WholeResponse {
  readonly code: number
  /** Those of the first message. */
  readonly options: OptionSet
  readonly body: Uint8Array
}

/** `too-large`: more than we want. `inconsistent`: it changed again and again. `bad-block`: blocks that make no body. */
export type TransferFailure = RequestFailure | 'too-large' | 'inconsistent' | 'bad-block'
export type TransferResult = WholeResponse | TransferFailure

/** How often a transfer begins anew, because the peer lost its part or the resource changed, until it fails. */
const MAX_RESTARTS = 2
const REQUEST_TAG_BYTES = 4

export class ClientTransfer implements RequestHandle {
  readonly #sender: RequestSender
  readonly #settings: ClientSettings
  readonly #request: Request
  readonly #random: (bytes: number) => Uint8Array
  readonly #done: (result: TransferResult) => void
  /** Bytes of the request's body that the peer has, and those of the block under way. */
  #uploaded = 0
  #sending = 0
  #szx: number
  #requestTag: Option | undefined = undefined
  #echo: Option | undefined = undefined
  #first: CoapMessage | undefined = undefined
  readonly #chunks: Uint8Array[] = []
  #downloaded = 0
  #restarts = 0
  #last: { readonly block: Block | undefined; readonly isUpload: boolean } = { block: undefined, isUpload: true }
  #handle: RequestHandle | undefined = undefined
  #over = false

  constructor(
    sender: RequestSender,
    settings: ClientSettings,
    request: Request,
    random: (bytes: number) => Uint8Array,
    done: (result: TransferResult) => void,
  ) {
    this.#sender = sender
    this.#settings = settings
    this.#request = request
    this.#random = random
    this.#done = done
    this.#szx = szxFor(settings.maxBlockSize)
  }

  /** From the beginning. */
  start(): void {
    this.#uploaded = 0
    this.#forgetDownload()
    if (this.#body.length <= blockSize(this.#szx)) {
      this.#upload(undefined)
      return
    }
    // RFC 9175 3.3: blocks of one body are told from those of an earlier one.
    this.#requestTag = opaqueOption(REQUEST_TAG, this.#random(REQUEST_TAG_BYTES))
    this.#uploadNext()
  }

  /** Goes on from the first block of an answer that came already. */
  continueFrom(first: CoapMessage): void {
    this.#onDownload(first)
  }

  cancel(): void {
    if (this.#over) return
    this.#over = true
    this.#handle?.cancel()
    this.#done('cancelled')
  }

  get #body(): Uint8Array {
    return this.#request.payload ?? NO_BYTES
  }

  #uploadNext(): void {
    const size = blockSize(this.#szx)
    const more = this.#uploaded + size < this.#body.length
    this.#upload({ number: this.#uploaded / size, more, szx: this.#szx })
  }

  #upload(block: Block | undefined): void {
    const end = block === undefined ? this.#body.length : Math.min(this.#uploaded + blockSize(block.szx), this.#body.length)
    const payload = this.#body.subarray(this.#uploaded, end)
    this.#sending = payload.length
    this.#last = { block, isUpload: true }
    const options = [...(this.#request.options ?? [])]
    if (block !== undefined) {
      options.push(blockOption(BLOCK1, block))
      if (block.number === 0) options.push(uintOption(SIZE1, this.#body.length)) // RFC 7959 4
    }
    // RFC 7959 2.4: early negotiation, where the largest size is not what we want.
    const wants = this.#szx < MAX_DEFAULT_SZX && !options.some(({ number }) => number === BLOCK2)
    if (wants && block?.more !== true) options.push(blockOption(BLOCK2, { number: 0, more: false, szx: this.#szx }))
    this.#send(options, payload)
  }

  /** The block of the answer at the byte that is missing. */
  #downloadNext(szx: number): void {
    const block = { number: this.#downloaded / blockSize(szx), more: false, szx }
    this.#last = { block, isUpload: false }
    const options = (this.#request.options ?? []).filter(({ number }) => number !== OBSERVE && number !== BLOCK2)
    // RFC 7959 3.4: what follows a notification, or an upload, is a request of its own.
    this.#send([...options, blockOption(BLOCK2, block)], undefined)
  }

  #send(options: Option[], payload: Uint8Array | undefined): void {
    if (this.#requestTag !== undefined) options.push(this.#requestTag)
    if (this.#echo !== undefined) options.push(this.#echo)
    const { code, confirmable, token } = this.#request
    const isFirst = this.#last.isUpload && this.#uploaded === 0
    this.#handle = this.#sender.send({ code, confirmable, options, payload, token: isFirst ? token : undefined }, (result) =>
      this.#onResult(result),
    )
  }

  #onResult(result: CoapMessage | RequestFailure): void {
    if (this.#over) return
    if (typeof result === 'string') this.#finish(result)
    else if (hasReservedBlock(result.options)) this.#finish('bad-block')
    else if (result.code === UNAUTHORIZED && this.#echo === undefined && result.options.has(ECHO)) this.#repeatWithEcho(result)
    else if (this.#last.isUpload) this.#onUploaded(result)
    else this.#onDownload(result)
  }

  #repeatWithEcho(challenge: CoapMessage): void {
    this.#echo = opaqueOption(ECHO, Uint8Array.from(challenge.options.opaque(ECHO) as Uint8Array))
    const { block, isUpload } = this.#last
    if (isUpload) this.#upload(block)
    else this.#downloadNext((block as Block).szx)
  }

  #onUploaded(response: CoapMessage): void {
    const { block } = this.#last
    const { code } = response
    const answered = blockOf(response.options, BLOCK1)
    if (code === REQUEST_ENTITY_TOO_LARGE && this.#uploaded === 0 && answered !== undefined && this.#body.length > 0) {
      // RFC 7959 2.9.3: the same in blocks, or in smaller ones.
      const isNew = block === undefined || answered.szx < block.szx
      if (isNew && this.#mayRestart()) {
        this.#szx = Math.min(this.#szx, answered.szx)
        this.#requestTag = opaqueOption(REQUEST_TAG, this.#random(REQUEST_TAG_BYTES))
        this.#uploadNext()
        return
      }
    }
    if (block === undefined) {
      this.#onDownload(response)
    } else if (code === REQUEST_ENTITY_INCOMPLETE && this.#mayRestart()) {
      this.start()
    } else if (block.more && (code === CONTINUE || isSuccess(code))) {
      if (answered === undefined || answered.number !== block.number) {
        this.#finish('bad-block')
        return
      }
      this.#uploaded += this.#sending
      this.#szx = Math.min(this.#szx, answered.szx) // RFC 7959 2.3
      this.#uploadNext()
    } else if (code === CONTINUE) {
      this.#finish('bad-block')
    } else {
      this.#onDownload(response)
    }
  }

  #onDownload(response: CoapMessage): void {
    const block = blockOf(response.options, BLOCK2)
    const first = this.#first
    if (block === undefined || !isSuccess(response.code)) {
      // A refusal amid the download is the answer; an answer without blocks is whole.
      if (first !== undefined && isSuccess(response.code)) this.#beginAnew()
      else this.#finish({ code: response.code, options: response.options, body: Uint8Array.from(response.payload) })
      return
    }
    const size = blockSize(block.szx)
    if (first !== undefined && !belongs(first, response)) {
      this.#beginAnew()
      return
    }
    const isWrong = block.number * size !== this.#downloaded || (block.more ? response.payload.length !== size : false)
    if (isWrong || response.payload.length > size) {
      this.#finish('bad-block')
      return
    }
    this.#downloaded += response.payload.length
    if (this.#downloaded > this.#settings.maxBodyBytes) {
      this.#finish('too-large')
      return
    }
    this.#first ??= response
    this.#chunks.push(Uint8Array.from(response.payload))
    if (block.more) {
      // RFC 7959 2.4: smaller than the peer's, where we want that; the offset stays.
      this.#downloadNext(Math.min(block.szx, szxFor(this.#settings.maxBlockSize)))
    } else {
      const { code, options } = this.#first
      this.#finish({ code, options, body: Buffer.concat(this.#chunks, this.#downloaded) })
    }
  }

  /** The representation changed between two blocks: what is safe to ask is asked again. */
  #beginAnew(): void {
    const { code } = this.#request
    if ((code !== GET && code !== FETCH) || !this.#mayRestart()) {
      this.#finish('inconsistent')
      return
    }
    this.#forgetDownload()
    if (code === GET) this.#downloadNext(this.#szx)
    else this.start()
  }

  #forgetDownload(): void {
    this.#first = undefined
    this.#chunks.length = 0
    this.#downloaded = 0
  }

  #mayRestart(): boolean {
    return this.#restarts++ < MAX_RESTARTS
  }

  #finish(result: TransferResult): void {
    this.#over = true
    this.#done(result)
  }
}

const NO_BYTES = new Uint8Array(0)
const MAX_DEFAULT_SZX = 6

/** RFC 7959 2.4: blocks of one representation have one ETag, if any. */
function belongs(first: CoapMessage, next: CoapMessage): boolean {
  return first.code === next.code && equalBytes(first.options.opaque(ETAG) ?? NO_BYTES, next.options.opaque(ETAG) ?? NO_BYTES)
}
