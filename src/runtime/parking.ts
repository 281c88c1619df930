/** Bytes that arrive while a connect is being authenticated. Streams are paused meanwhile, so little comes. */

/** Datagrams kept for one pending connect; more are dropped and counted. */
const MAX_DATAGRAMS = 16
/** A paused stream still hands over what the kernel had read. */
const MAX_STREAM_BYTES = 256 * 1024

export class Parking {
  /** What has been asked elsewhere and not been answered. */
  waits = 0
  readonly #datagram: boolean
  #chunks: Uint8Array[] = []
  #bytes = 0

  constructor(datagram: boolean) {
    this.#datagram = datagram
  }

  /** False when there is no room: the bytes are lost, which only a datagram peer can take. */
  keep(bytes: Uint8Array): boolean {
    if (this.#datagram ? this.#chunks.length >= MAX_DATAGRAMS : this.#bytes + bytes.length > MAX_STREAM_BYTES) return false
    this.#chunks.push(bytes)
    this.#bytes += bytes.length
    return true
  }

  take(): Uint8Array[] {
    const chunks = this.#chunks
    this.#chunks = []
    this.#bytes = 0
    return chunks
  }
}
