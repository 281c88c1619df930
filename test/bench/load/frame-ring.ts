/**
 * Ready-made PUBLISH frames of one publisher. A burst is one contiguous view: no frame is built, copied or parsed while
 * the load runs; only the first frame of a burst gets a stamp. QoS 1 frames differ in their packet identifier, so
 * that the ring is long enough for an identifier to be free again when its turn comes.
 */
import type { LoadQos } from './job.ts'
import { publishOffsets, publishPacket } from './packets.ts'
import { blankPayload, stamp } from './stamp.ts'

export const MAX_BURST = 16

const QOS1_SLOTS = 1024

export class FrameRing {
  readonly frameBytes: number
  readonly #publisher: number
  readonly #slots: number
  /** The slots, then the first `MAX_BURST - 1` again, so that a burst never has to wrap. */
  readonly #bytes: Buffer
  readonly #payloadAt: number
  #slot = 0
  #burst = 0
  /** Where the last stamp is. */
  #stamped: number

  constructor(publisher: number, topic: string, qos: LoadQos) {
    this.#publisher = publisher
    this.#slots = qos === 0 ? 1 : QOS1_SLOTS
    const frames: Buffer[] = []
    for (let i = 0; i < this.#slots + MAX_BURST - 1; i++) {
      frames.push(publishPacket(topic, qos, (i % this.#slots) + 1, blankPayload()))
    }
    this.#bytes = Buffer.concat(frames)
    this.frameBytes = this.#bytes.length / frames.length
    this.#payloadAt = publishOffsets(topic, qos).payload
    this.#stamped = this.#payloadAt
  }

  /** The next `count` frames, 1 to `MAX_BURST`. What the last call returned must be written by now: it may change. */
  take(count: number, sentAtMs: number): Buffer {
    this.#bytes[this.#stamped] = 0
    const start = this.#slot * this.frameBytes
    this.#stamped = start + this.#payloadAt
    this.#burst++
    stamp(this.#bytes, this.#stamped, this.#publisher, this.#burst, sentAtMs)
    this.#slot = (this.#slot + count) % this.#slots
    return this.#bytes.subarray(start, start + count * this.frameBytes)
  }
}
