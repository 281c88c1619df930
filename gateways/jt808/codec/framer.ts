/**
 * Cuts a stream into frames at the flag 0x7e (JT/T 808 4.4.2). Every flag both ends and begins a frame, so that shared
 * and doubled flags work and a lost flag costs one frame, not two; nothing between two flags is no frame. Octets before
 * the first flag are dropped and counted. A frame is handed on with a flag at either end.
 */
import type { Framer, FrameSink } from '#sdk'
import { malformed } from '#sdk'

/** 4.4.2 */
export const FLAG = 0x7e

/** Both flags and a frame of header 21, body 1023 and check code 1 with every octet escaped (4.4.2, 4.4.3). */
export const MAX_FRAME_BYTES = 2 + 2 * (21 + 1023 + 1)

const FIRST_CAPACITY = 128

export class FlagFramer implements Framer {
  readonly #maxBytes: number
  /** A flag has been seen: what follows belongs to a frame. */
  #open = false
  /** No flag has been seen, and what came instead has been counted: once, however it is cut. */
  #garbage = false
  /** The beginning of a frame that is split between chunks, from its flag on. Nothing is kept between whole frames. */
  #partial: Uint8Array | undefined = undefined
  #length = 0
  /** What came after the frame at which the sink stopped. */
  #held: Uint8Array | undefined = undefined

  /** `maxBytes` bounds a frame with its flags, and so what is kept; beyond it the stream is given up. */
  constructor(maxBytes = MAX_FRAME_BYTES) {
    this.#maxBytes = maxBytes
  }

  get buffered(): number {
    return this.#length + (this.#held?.length ?? 0)
  }

  reset(): void {
    this.#open = false
    this.#garbage = false
    this.#partial = undefined
    this.#length = 0
    this.#held = undefined
  }

  push(chunk: Uint8Array, sink: FrameSink): void {
    const bytes = this.#held === undefined ? chunk : join(this.#held, chunk)
    this.#held = undefined
    if (bytes.length === 0) return
    // Index of the flag that opened the current frame; -1 when it came in an earlier chunk.
    let start = -1
    if (!this.#open) {
      start = bytes.indexOf(FLAG)
      if (start !== 0 && !this.#garbage) sink.malformed(malformed('garbage'))
      this.#garbage = start === -1
      if (start === -1) return
      this.#open = true
    }
    for (;;) {
      const end = bytes.indexOf(FLAG, start + 1)
      if (end === -1) break
      const begin = start
      start = end
      if (end === begin + 1 && this.#length === 0) continue
      const frame = begin === -1 ? this.#complete(bytes.subarray(0, end + 1)) : bytes.subarray(begin, end + 1)
      if (frame.length > this.#maxBytes) {
        this.#giveUp(sink, end)
        return
      }
      if (sink.frame(frame) === false) {
        // The flag is kept too: it may open the next frame.
        this.#held = bytes.subarray(end)
        this.#open = false
        return
      }
    }
    if (start + 1 < bytes.length) this.#keep(bytes.subarray(start + 1))
    if (this.#length >= this.#maxBytes) this.#giveUp(sink, bytes.length)
  }

  /** The frame that began in an earlier chunk and ends with `tail`. */
  #complete(tail: Uint8Array): Uint8Array {
    this.#keep(tail)
    const frame = (this.#partial as Uint8Array).subarray(0, this.#length)
    this.#partial = undefined
    this.#length = 0
    return frame
  }

  /** Appends to the beginning of a frame; no more than it takes to see that the frame is too long. */
  #keep(bytes: Uint8Array): void {
    const at = this.#length === 0 ? 1 : this.#length
    const length = Math.min(at + bytes.length, this.#maxBytes + 1)
    if (this.#partial === undefined || length > this.#partial.length) {
      const grown = new Uint8Array(Math.max(length, FIRST_CAPACITY, 2 * at))
      if (this.#partial === undefined) grown[0] = FLAG
      else grown.set(this.#partial.subarray(0, at))
      this.#partial = grown
    }
    this.#partial.set(bytes.subarray(0, length - at), at)
    this.#length = length
  }

  #giveUp(sink: FrameSink, offset: number): void {
    this.reset()
    sink.malformed(malformed('frame-too-long', offset, true))
  }
}

function join(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (tail.length === 0) return head
  const bytes = new Uint8Array(head.length + tail.length)
  bytes.set(head)
  bytes.set(tail, head.length)
  return bytes
}
