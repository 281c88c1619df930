/**
 * Cuts a stream into MQTT control packets: fixed header, remaining length (MQTT 5.0 section 2.1, the same in 3.x).
 * Packets are named by offsets, not by views: on the data path most of them never need one. The size limit is
 * enforced on the declared length, before anything is buffered.
 */
import type { Framer, FrameSink, Malformed } from '#sdk'
import { malformed } from '#sdk'

/** A chunk from here on fills its buffer; smaller ones share theirs with chunks of other connections. */
const SMALL_CHUNK_BYTES = 16_384

/** [MQTT-1.5.5]: four length octets at most. */
export const MAX_REMAINING_LENGTH = 268_435_455

export interface PacketSink {
  /** `bytes[start, end)` is one packet whose variable header begins at `body`. False stops: the rest waits for the next push. */
  packet(bytes: Uint8Array, start: number, body: number, end: number): boolean
  malformed(error: Malformed): void
}

export class PacketFramer {
  readonly #maxBytes: number
  /** Chunks of a packet that is not complete yet. */
  #rest: Uint8Array[] | undefined = undefined
  #restBytes = 0
  /** Bytes needed before another look makes sense. */
  #wanted = 0

  /** `maxBytes` limits a whole packet, fixed header included. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get buffered(): number {
    return this.#restBytes
  }

  reset(): void {
    this.#rest = undefined
    this.#restBytes = 0
    this.#wanted = 0
  }

  push(chunk: Uint8Array, sink: PacketSink): void {
    if (this.#rest === undefined) {
      this.#cut(chunk, sink)
      return
    }
    if (chunk.length > 0) {
      this.#rest.push(chunk.length < SMALL_CHUNK_BYTES ? new Uint8Array(chunk) : chunk)
      this.#restBytes += chunk.length
    }
    if (this.#restBytes < this.#wanted) return
    const whole = this.#rest.length === 1 ? (this.#rest[0] as Uint8Array) : Buffer.concat(this.#rest, this.#restBytes)
    this.reset()
    this.#cut(whole, sink)
  }

  #cut(bytes: Uint8Array, sink: PacketSink): void {
    const length = bytes.length
    let at = 0
    while (length - at >= 2) {
      let body = at + 2
      let remaining = bytes[at + 1] as number
      if (remaining > 127) {
        remaining &= 127
        let shift = 7
        let complete = false
        while (body < length && shift <= 21) {
          const octet = bytes[body++] as number
          remaining |= (octet & 127) << shift
          if (octet < 128) {
            // [MQTT-1.5.5-1]: the shortest encoding is the only one.
            if (octet === 0) return this.#fail(sink, 'remaining-length-not-minimal', at)
            complete = true
            break
          }
          shift += 7
        }
        if (!complete) {
          if (shift > 21) return this.#fail(sink, 'remaining-length-too-long', at)
          break
        }
      }
      const end = body + remaining
      if (end - at > this.#maxBytes) return this.#fail(sink, 'packet-too-large', at)
      if (end > length) {
        this.#keep(bytes, at, end - at)
        return
      }
      if (!sink.packet(bytes, at, body, end)) {
        if (end < length) this.#keep(bytes, end, 0)
        return
      }
      at = end
    }
    if (at < length) this.#keep(bytes, at, 2)
  }

  #keep(bytes: Uint8Array, from: number, wanted: number): void {
    // A copy (`slice` of a Buffer is none): a few bytes must not keep a whole chunk alive.
    this.#rest = [new Uint8Array(bytes.subarray(from))]
    this.#restBytes = bytes.length - from
    this.#wanted = wanted
  }

  #fail(sink: PacketSink, reason: string, at: number): void {
    this.reset()
    sink.malformed(malformed(reason, at, true))
  }
}

/** The same framer behind the general interface, for tests and tools that take frames as views. */
export class MqttFramer implements Framer {
  readonly #framer: PacketFramer

  constructor(maxBytes = MAX_REMAINING_LENGTH) {
    this.#framer = new PacketFramer(maxBytes)
  }

  get buffered(): number {
    return this.#framer.buffered
  }

  reset(): void {
    this.#framer.reset()
  }

  push(chunk: Uint8Array, sink: FrameSink): void {
    this.#framer.push(chunk, {
      packet: (bytes, start, _body, end) => sink.frame(bytes.subarray(start, end)) !== false,
      malformed: (error) => sink.malformed(error),
    })
  }
}
