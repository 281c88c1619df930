/** A bare TCP connection: sends what it is told, keeps what comes, and knows when the other side has closed. */
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { Cleanup } from './child.ts'
import { until, within } from './waiting.ts'

export class TcpPeer {
  readonly socket: Socket
  #chunks: Buffer[] = []
  #closed = false
  #taken: (chunk: Buffer) => void = (chunk) => void this.#chunks.push(chunk)
  readonly #opened: Promise<void>

  constructor(port: number, cleanup: Cleanup) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket = socket
    socket.on('data', (chunk) => this.#taken(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#closed = true
    })
    this.#opened = new Promise((resolve) => {
      socket.once('connect', resolve)
      socket.once('close', resolve)
    })
    cleanup.after(() => socket.resetAndDestroy())
  }

  static async open(port: number, cleanup: Cleanup): Promise<TcpPeer> {
    const peer = new TcpPeer(port, cleanup)
    await within(`a connection to port ${port}`, peer.#opened)
    return peer
  }

  /** From now on what comes goes there, and is not kept. */
  take(taken: (chunk: Buffer) => void): void {
    this.#taken = taken
  }

  /** All that came so far. */
  get received(): Buffer {
    const whole = Buffer.concat(this.#chunks)
    this.#chunks = [whole]
    return whole
  }

  get closed(): boolean {
    return this.#closed
  }

  /** `ip:port` of this end, as a status names it. */
  get name(): string {
    return `${this.socket.localAddress}:${this.socket.localPort}`
  }

  send(bytes: Uint8Array | string): void {
    this.socket.write(bytes)
  }

  async sendByteByByte(bytes: Uint8Array): Promise<void> {
    for (const byte of bytes) {
      await new Promise((resolve) => this.socket.write(Uint8Array.of(byte), resolve))
      // Each in a segment of its own, most likely: the loop turns in between.
      await new Promise(setImmediate)
    }
  }

  async untilClosed(what = 'the server to close the connection'): Promise<void> {
    await until(
      () => `${what}; received ${this.received.toString('hex')}`,
      () => this.#closed,
    )
  }
}
