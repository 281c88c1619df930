/**
 * Counts what a subscriber receives: PUBLISH frames of one size, cut by length. The two header bytes of every frame are
 * checked, so that anything else in the stream, a duplicate flag included, ends the run instead of spoiling a count.
 */
import type { LoadQos } from './job.ts'
import { PUBACK, PUBACK_BYTES, publishHeader, publishOffsets } from './packets.ts'
import type { StampReader } from './stamp.ts'
import { PAYLOAD_BYTES } from './stamp.ts'

export class FrameReader {
  frames = 0
  readonly frameBytes: number
  readonly #header: number
  readonly #remaining: number
  readonly #packetIdAt: number
  readonly #payloadAt: number
  readonly #qos: LoadQos
  readonly #stamps: StampReader
  /** A frame that one chunk began and the next has to finish. */
  readonly #partial: Buffer
  #held = 0
  #acks = Buffer.alloc(0)
  #ackBytes = 0

  /** `topic` is any of the topics to come; they all have its length. */
  constructor(topic: string, qos: LoadQos, stamps: StampReader) {
    const offsets = publishOffsets(topic, qos)
    this.frameBytes = offsets.payload + PAYLOAD_BYTES
    this.#header = publishHeader(qos)
    this.#remaining = this.frameBytes - 2
    this.#packetIdAt = offsets.packetId
    this.#payloadAt = offsets.payload
    this.#qos = qos
    this.#stamps = stamps
    this.#partial = Buffer.alloc(this.frameBytes)
  }

  read(chunk: Buffer, length: number): void {
    const size = this.frameBytes
    let at = 0
    if (this.#held > 0) {
      at = Math.min(size - this.#held, length)
      chunk.copy(this.#partial, this.#held, 0, at)
      this.#held += at
      if (this.#held < size) return
      this.#held = 0
      this.#frame(this.#partial, 0)
    }
    for (; at + size <= length; at += size) this.#frame(chunk, at)
    if (at < length) this.#held = chunk.copy(this.#partial, 0, at, length)
  }

  /** PUBACKs for the QoS 1 frames read since the last call, in order; undefined when there are none. Owned by the caller. */
  takeAcks(): Buffer | undefined {
    if (this.#ackBytes === 0) return undefined
    const acks = Buffer.from(this.#acks.subarray(0, this.#ackBytes))
    this.#ackBytes = 0
    return acks
  }

  #frame(bytes: Buffer, at: number): void {
    if (bytes[at] !== this.#header || bytes[at + 1] !== this.#remaining) {
      const found = bytes.subarray(at, at + 2).toString('hex')
      throw new Error(`the subscriber received ${found}.. where a PUBLISH of ${this.frameBytes} bytes was due`)
    }
    this.frames++
    if (bytes[at + this.#payloadAt] === 1) this.#stamps.read(bytes, at + this.#payloadAt)
    if (this.#qos === 1) this.#acknowledge(bytes[at + this.#packetIdAt] ?? 0, bytes[at + this.#packetIdAt + 1] ?? 0)
  }

  #acknowledge(idHigh: number, idLow: number): void {
    if (this.#ackBytes === this.#acks.length) this.#acks = Buffer.concat([this.#acks, Buffer.alloc(this.#acks.length + 1024)])
    const at = this.#ackBytes
    this.#acks[at] = PUBACK
    this.#acks[at + 1] = PUBACK_BYTES - 2
    this.#acks[at + 2] = idHigh
    this.#acks[at + 3] = idLow
    this.#ackBytes = at + PUBACK_BYTES
  }
}
