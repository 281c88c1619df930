/** Reads the data types of MQTT 5.0 section 1.5 (3.1.1 section 1.5). Sticky failure: read on, look once. */
import { decodeString } from './topic-cache.ts'

export class PacketCursor {
  readonly #bytes: Uint8Array
  at: number
  limit: number
  /** What was wrong first. */
  fault: 'truncated' | 'varint' | 'utf-8' | undefined = undefined

  constructor(bytes: Uint8Array, at: number, limit: number) {
    this.#bytes = bytes
    this.at = at
    this.limit = limit
  }

  get failed(): boolean {
    return this.fault !== undefined
  }

  octet(): number {
    if (this.at >= this.limit) {
      this.fault ??= 'truncated'
      return 0
    }
    return this.#bytes[this.at++] as number
  }

  u16(): number {
    return (this.octet() << 8) | this.octet()
  }

  u32(): number {
    return this.u16() * 0x10000 + this.u16()
  }

  varint(): number {
    let value = 0
    for (let shift = 0; shift <= 21; shift += 7) {
      const octet = this.octet()
      value |= (octet & 127) << shift
      if (octet >= 128) continue
      if (octet === 0 && shift > 0) this.fault ??= 'varint' // [MQTT-1.5.5-1]
      return value
    }
    this.fault ??= 'varint'
    return 0
  }

  string(): string {
    const length = this.u16()
    if (!this.#take(length)) return ''
    const text = decodeString(this.#bytes, this.at - length, this.at)
    if (text === undefined) this.fault ??= 'utf-8'
    return text ?? ''
  }

  binary(): Uint8Array {
    const length = this.u16()
    if (!this.#take(length)) return new Uint8Array(0)
    return new Uint8Array(this.#bytes.subarray(this.at - length, this.at))
  }

  #take(length: number): boolean {
    if (this.failed || this.at + length > this.limit) {
      this.fault ??= 'truncated'
      return false
    }
    this.at += length
    return true
  }
}
