/**
 * The 64 payload bytes of every message. The first message of a burst is stamped: who sent it, the how-manieth burst it
 * opens, and when. The receiver checks that bursts of one publisher arrive in order and none is missing, and samples latency.
 *
 *   0 stamped (1) or not (0) | 1 unused | 2 publisher, uint16 | 4 burst, uint32 | 8 sent at, double, ms | 16 filler
 */
export const PAYLOAD_BYTES = 64

const PUBLISHER = 2
const BURST = 4
const SENT_AT = 8
const FILLER = 16

export function blankPayload(): Buffer {
  return Buffer.alloc(PAYLOAD_BYTES, 'x').fill(0, 0, FILLER)
}

export function stamp(bytes: Buffer, at: number, publisher: number, burst: number, sentAtMs: number): void {
  bytes[at] = 1
  bytes.writeUInt16LE(publisher, at + PUBLISHER)
  bytes.writeUInt32LE(burst, at + BURST)
  bytes.writeDoubleLE(sentAtMs, at + SENT_AT)
}

/** The one path of a receiver: from each publisher, burst 1, 2, 3, ... */
export class StampReader {
  readonly #bursts: Uint32Array
  readonly #sample: (sentAtMs: number) => void

  constructor(publishers: number, sample: (sentAtMs: number) => void) {
    this.#bursts = new Uint32Array(publishers)
    this.#sample = sample
  }

  /** Reads a stamped payload. Throws when the burst is not the next one of its publisher. */
  read(bytes: Buffer, at: number): void {
    const publisher = bytes.readUInt16LE(at + PUBLISHER)
    const burst = bytes.readUInt32LE(at + BURST)
    const expected = (this.#bursts[publisher] ?? Number.NaN) + 1
    if (burst !== expected) {
      throw new Error(`messages lost or out of order: publisher ${publisher} burst ${burst} where ${expected} was due`)
    }
    this.#bursts[publisher] = burst
    this.#sample(bytes.readDoubleLE(at + SENT_AT))
  }
}
