/** One datagram peer. Small, since there may be a million: no buffer, no timer, no closure. */
import type { Peer } from '../sdk.ts'
import { plainAddress } from './address.ts'
import type { TablePeer } from './peer-table.ts'
import { TokenBucket } from './token-bucket.ts'
import type { Wire, WireCloseCause, WireHandler } from './wire.ts'

/** What a datagram wire needs of its socket. */
export interface DatagramPort {
  transmit(bytes: Uint8Array, start: number, end: number, address: string, port: number): void
  /** The wire is closed: its place is free. */
  forget(wire: UdpWire): void
}

const CLOSED: WireHandler = { onBytes() {}, onDrain() {}, onClosed() {} }

export class UdpWire implements Wire, TablePeer, Peer {
  /** As the socket knows it: its place in the table, and where datagrams are sent. */
  readonly host: string
  readonly port: number
  handler: WireHandler = CLOSED
  /** Sweep in which the peer was last heard. */
  heardAt = 0
  /** Undefined when it is closed. */
  #socket: DatagramPort | undefined
  #bucket: TokenBucket | undefined = undefined

  constructor(host: string, port: number, socket: DatagramPort) {
    this.host = host
    this.port = port
    this.#socket = socket
  }

  /** The wire is all that is known of the peer: another object would cost more than what it says. */
  get peer(): Peer {
    return this
  }

  /** As it is shown. */
  get address(): string {
    return plainAddress(this.host)
  }

  get secure(): boolean {
    return false
  }

  get datagram(): boolean {
    return true
  }

  /** The socket's queue is shared and bounded as a whole; what does not fit is dropped, as the network does. */
  get queuedBytes(): number {
    return 0
  }

  get congested(): boolean {
    return false
  }

  send(bytes: Uint8Array, start: number, end: number): void {
    this.#socket?.transmit(bytes, start, end, this.host, this.port)
  }

  close(): void {
    this.end('local')
  }

  destroy(): void {
    this.end('local')
  }

  pause(): void {}

  resume(): void {}

  get open(): boolean {
    return this.#socket !== undefined
  }

  /** Ends the wire; the handler learns of it after the current call. */
  end(cause: WireCloseCause): void {
    const socket = this.#socket
    if (socket === undefined) return
    this.#socket = undefined
    socket.forget(this)
    process.nextTick(tellClosed, this, cause)
  }

  /** True when `bytes` more do not exceed `rate` bytes a second. */
  isWithin(rate: number, bytes: number): boolean {
    const nowMs = performance.now()
    this.#bucket ??= new TokenBucket(rate, nowMs, Math.max(rate, LARGEST_DATAGRAM_BYTES))
    return this.#bucket.take(bytes, nowMs)
  }
}

/** To an address that nothing comes from. */
export class GroupWire extends UdpWire {
  get group(): boolean {
    return true
  }
}

/** A burst of one datagram of any size is within every rate. */
const LARGEST_DATAGRAM_BYTES = 65_535

function tellClosed(wire: UdpWire, cause: WireCloseCause): void {
  const handler = wire.handler
  wire.handler = CLOSED
  handler.onClosed(cause)
}
