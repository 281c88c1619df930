/**
 * Cuts the stream of an attachment connection (T/JSATL 12 4.6): frames between flags as everywhere, and packets of raw file data,
 * which begin with 30 31 63 64 and say their length. What is neither is dropped up to the next of them, and counted.
 */
import { decodeGbk } from '#bytes/gbk'
import { type FrameSink, malformed } from '#sdk'
import { FLAG, MAX_FRAME_BYTES } from './framer.ts'

const MAGIC = [0x30, 0x31, 0x63, 0x64]
const NAME_OCTETS = 50
const OFFSET_AT = MAGIC.length + NAME_OCTETS
const LENGTH_AT = OFFSET_AT + 4
const HEAD_OCTETS = LENGTH_AT + 4

/** T/JSATL 12 table 4-26 */
export const MAX_PACKET_DATA = 65_536

/** What is kept between chunks when nothing waits. */
const IDLE_CAPACITY = 2048

/** A piece of a file. */
export interface Packet {
  readonly name: string
  readonly offset: number
  /** Valid until the call that hands it over returns. */
  readonly data: Uint8Array
}

export interface AttachmentSink extends FrameSink {
  packet(packet: Packet): void
}

export class AttachmentFramer {
  #buffer = new Uint8Array(0)
  #length = 0
  /** Garbage has been counted, and nothing else has come since. */
  #garbage = false

  /** Octets that wait for more; bounded by the longest packet and the longest frame. */
  get buffered(): number {
    return this.#length
  }

  push(chunk: Uint8Array, sink: AttachmentSink): void {
    this.#append(chunk)
    let at = 0
    for (;;) {
      const next = this.#next(at, sink)
      if (next === undefined) break
      at = next.end
      if (next.stop) break
    }
    this.#consume(at)
  }

  reset(): void {
    this.#length = 0
    this.#garbage = false
  }

  /** One unit from `at` on: where it ends, and whether to stop behind it. Undefined when more octets are needed. */
  #next(at: number, sink: AttachmentSink): { end: number; stop: boolean } | undefined {
    const first = this.#buffer[at]
    if (at >= this.#length) return undefined
    if (first === FLAG) return this.#frame(at, sink)
    for (const [i, octet] of MAGIC.entries()) {
      if (at + i >= this.#length) return undefined
      if (this.#buffer[at + i] !== octet) return this.#skip(at, sink)
    }
    return this.#packet(at, sink)
  }

  #frame(at: number, sink: AttachmentSink): { end: number; stop: boolean } | undefined {
    const end = this.#buffer.subarray(0, this.#length).indexOf(FLAG, at + 1)
    const length = (end === -1 ? this.#length : end + 1) - at
    if (length > MAX_FRAME_BYTES) return this.#giveUp('frame-too-long', sink)
    if (end === -1) return undefined
    // Nothing between two flags: the second one opens.
    if (end === at + 1) return { end, stop: false }
    this.#garbage = false
    const stop = sink.frame(this.#buffer.slice(at, end + 1)) === false
    return { end: end + 1, stop }
  }

  #packet(at: number, sink: AttachmentSink): { end: number; stop: boolean } | undefined {
    if (at + HEAD_OCTETS > this.#length) return undefined
    const head = new DataView(this.#buffer.buffer, this.#buffer.byteOffset + at, HEAD_OCTETS)
    const length = head.getUint32(LENGTH_AT)
    if (length > MAX_PACKET_DATA) return this.#giveUp('packet-too-long', sink)
    const start = at + HEAD_OCTETS
    if (start + length > this.#length) return undefined
    let nameEnd = at + OFFSET_AT
    while (nameEnd > at + MAGIC.length && this.#buffer[nameEnd - 1] === 0) nameEnd--
    const name = decodeGbk(this.#buffer, at + MAGIC.length, nameEnd)
    this.#garbage = false
    sink.packet({ name, offset: head.getUint32(OFFSET_AT), data: this.#buffer.subarray(start, start + length) })
    return { end: start + length, stop: false }
  }

  /** To the next octet that may begin something. */
  #skip(at: number, sink: AttachmentSink): { end: number; stop: boolean } {
    if (!this.#garbage) sink.malformed(malformed('garbage'))
    this.#garbage = true
    let end = at + 1
    while (end < this.#length && this.#buffer[end] !== FLAG && this.#buffer[end] !== MAGIC[0]) end++
    return { end, stop: false }
  }

  #giveUp(reason: 'frame-too-long' | 'packet-too-long', sink: AttachmentSink): { end: number; stop: boolean } {
    sink.malformed(malformed(reason, 0, true))
    return { end: this.#length, stop: true }
  }

  #append(chunk: Uint8Array): void {
    const length = this.#length + chunk.length
    if (length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#buffer.length, IDLE_CAPACITY))
      grown.set(this.#buffer.subarray(0, this.#length))
      this.#buffer = grown
    }
    this.#buffer.set(chunk, this.#length)
    this.#length = length
  }

  #consume(octets: number): void {
    if (octets === 0) return
    const left = Math.max(0, this.#length - octets)
    if (left === 0 && this.#buffer.length > IDLE_CAPACITY) this.#buffer = new Uint8Array(0)
    else this.#buffer.copyWithin(0, octets, this.#length)
    this.#length = left
  }
}
