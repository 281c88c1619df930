/** Counts the PUBACKs a publisher receives; four bytes each in MQTT 3.1.1 (3.4), and nothing else may come. */
import { PUBACK, PUBACK_BYTES } from './packets.ts'

export class AckCounter {
  acks = 0
  #offset = 0

  read(chunk: Buffer, length: number): void {
    for (let at = (PUBACK_BYTES - this.#offset) % PUBACK_BYTES; at < length; at += PUBACK_BYTES) {
      if (chunk[at] !== PUBACK) throw new Error(`the publisher received 0x${chunk[at]?.toString(16)} where a PUBACK was due`)
    }
    this.acks += Math.floor((this.#offset + length) / PUBACK_BYTES)
    this.#offset = (this.#offset + length) % PUBACK_BYTES
  }
}
