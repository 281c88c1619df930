/** A peer without a socket: what the device sends goes straight to the host, what the gateway sends is recorded. */
import type { Peer } from '../sdk.ts'
import type { Wire, WireCloseCause, WireHandler } from '../transport/wire.ts'

const NOBODY: WireHandler = { onBytes() {}, onDrain() {}, onClosed() {} }

/** Sees what goes over a wire: `up` from the device, `down` from the gateway. */
export type Tap = (bytes: Uint8Array, way: 'up' | 'down', peer: Peer) => void

export class FakeWire implements Wire {
  readonly peer: Peer
  handler: WireHandler = NOBODY
  /** Set to simulate a receiver that does not read. */
  congested = false
  readonly queuedBytes = 0
  paused = false
  /** How the wire ended: by us (`local`) or by the peer. */
  ended: WireCloseCause | undefined = undefined
  #sent: Uint8Array[] = []

  readonly #tap: Tap | undefined

  constructor(peer: Peer, tap?: Tap) {
    this.peer = peer
    this.#tap = tap
  }

  /** The device sends one chunk or one datagram. */
  receive(bytes: Uint8Array): void {
    if (this.ended !== undefined) return
    this.#tap?.(bytes, 'up', this.peer)
    this.handler.onBytes(bytes.slice())
  }

  /** The device closes or vanishes. */
  hangUp(cause: WireCloseCause = 'peer'): void {
    this.#end(cause)
  }

  /** The receiver caught up. */
  drain(): void {
    this.congested = false
    this.handler.onDrain()
  }

  /** What the gateway sent since the last take, one entry a call. */
  take(): Uint8Array[] {
    const sent = this.#sent
    this.#sent = []
    return sent
  }

  send(bytes: Uint8Array, start: number, end: number): void {
    if (this.ended !== undefined) return
    this.#tap?.(bytes.subarray(start, end), 'down', this.peer)
    this.#sent.push(bytes.slice(start, end))
  }

  close(): void {
    this.#end('local')
  }

  destroy(): void {
    this.#end('local')
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  #end(cause: WireCloseCause): void {
    if (this.ended !== undefined) return
    this.ended = cause
    this.handler.onClosed(cause)
  }
}
