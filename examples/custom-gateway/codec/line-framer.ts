/** Cuts a stream into lines. Keeps at most one unfinished line, whose length is bounded. */
import type { Framer, FrameSink } from 'omnigate/sdk'
import { malformed } from 'omnigate/sdk'

const LF = 0x0a
const NOTHING = new Uint8Array(0)

export class LineFramer implements Framer {
  readonly #maxBytes: number
  #rest: Uint8Array = NOTHING

  /** `maxBytes` bounds a line with its LF; beyond it the stream is given up. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get buffered(): number {
    return this.#rest.length
  }

  reset(): void {
    this.#rest = NOTHING
  }

  push(chunk: Uint8Array, sink: FrameSink): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = NOTHING
    let start = 0
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
      if (end + 1 - start > this.#maxBytes) break
      const line = bytes.subarray(start, end + 1)
      start = end + 1
      // The session is busy (its login is being decided): what follows waits for the next push.
      if (sink.frame(line) === false) {
        this.#rest = bytes.slice(start)
        return
      }
    }
    if (bytes.length - start >= this.#maxBytes) sink.malformed(malformed('line-too-long', start, true))
    else this.#rest = bytes.slice(start)
  }
}
