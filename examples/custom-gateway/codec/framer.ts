/** Cuts a stream at line feeds; a carriage return before one belongs to it. */
import type { Framer, FrameSink } from 'omnigate/sdk'
import { malformed } from 'omnigate/sdk'

const LF = 0x0a
const CR = 0x0d

export class LineFramer implements Framer {
  readonly #maxBytes: number
  #rest: Uint8Array = new Uint8Array(0)

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get buffered(): number {
    return this.#rest.length
  }

  reset(): void {
    this.#rest = new Uint8Array(0)
  }

  push(chunk: Uint8Array, sink: FrameSink): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let from = 0
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, from)) {
      const frame = bytes.subarray(from, end > from && bytes[end - 1] === CR ? end - 1 : end)
      from = end + 1
      // False: a connect is pending, and what follows waits for its answer.
      if (sink.frame(frame) === false) break
    }
    this.#rest = bytes.slice(from)
    if (this.#rest.length <= this.#maxBytes || this.#rest.includes(LF)) return
    this.reset()
    sink.malformed(malformed('line-too-long', this.#maxBytes, true))
  }
}
