/** A wire over a TCP or TLS socket. One set of listener functions serves every connection: no closure belongs to one. */
import type { Socket } from 'node:net'
import type { Peer } from '../sdk.ts'
import { FlushQueue } from './flush-queue.ts'
import { StreamWire, type WireShare } from './stream-wire.ts'

/** Sockets whose peer has gone, to be closed: ten thousand at once are hundreds of milliseconds. */
const departures = new FlushQueue<Departure>()

const WIRE = Symbol('wire')
const NOTHING = Buffer.alloc(0)

interface WiredSocket extends Socket {
  [WIRE]: SocketWire
}

export class SocketWire extends StreamWire {
  readonly #socket: Socket
  readonly #synchronous: boolean
  /** Calls `drained`; made for the first write that the kernel does not take at once. */
  #written: (() => void) | undefined = undefined

  /** Reading starts with `start`. */
  constructor(socket: Socket, peer: Peer, share: WireShare) {
    super(peer, share)
    this.#socket = socket
    this.#synchronous = share.synchronous
    ;(socket as WiredSocket)[WIRE] = this
  }

  start(): void {
    const socket = this.#socket
    // TCP is closed by us when the peer has ended; TLS has a goodbye of its own to say.
    if (this.#synchronous) socket.allowHalfOpen = true
    socket.prependListener('end', onEnd) // before the socket answers the end, so that what is queued goes out
    socket.on('error', onError)
    socket.on('data', onData)
  }

  protected override write(buffer: Buffer): void {
    const socket = this.#socket
    if (!this.#synchronous) {
      socket.write(buffer, this.#onWritten())
      return
    }
    socket.write(buffer)
    if (socket.writableLength > 0) socket.write(NOTHING, this.#onWritten()) // done when all before it is
  }

  protected override writeMany(buffers: Buffer[]): void {
    const socket = this.#socket
    socket.cork()
    for (const buffer of buffers) socket.write(buffer)
    socket.uncork()
    if (socket.writableLength > 0) socket.write(NOTHING, this.#onWritten())
  }

  protected override unsent(): number {
    return this.#socket.writableLength
  }

  protected override isWritable(): boolean {
    return this.#socket.writable
  }

  protected override finish(): void {
    this.#socket.end()
  }

  protected override abort(): void {
    this.#socket.destroy()
  }

  protected override stopReading(): void {
    this.#socket.pause()
  }

  protected override startReading(): void {
    this.#socket.resume()
  }

  #onWritten(): () => void {
    this.#written ??= () => this.drained()
    return this.#written
  }
}

function onData(this: WiredSocket, chunk: Buffer): void {
  this[WIRE].received(chunk)
}

function onEnd(this: WiredSocket): void {
  this[WIRE].ended()
  if (!this.allowHalfOpen) return
  if (this.writableLength > 0) this.end()
  else departures.add(new Departure(this))
}

class Departure {
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
  }

  flush(): void {
    this.#socket.destroy()
  }
}

function onError(this: WiredSocket, error: NodeJS.ErrnoException): void {
  this[WIRE].failed(isReset(error) ? 'peer' : 'error', error)
}

/** To be called when the socket has closed; whoever made the wire listens, since it may have reasons of its own. */
export function socketClosed(socket: Socket): void {
  ;(socket as Partial<WiredSocket>)[WIRE]?.closed()
}

/** The peer is gone without a goodbye: everyday life, not a fault. */
export function isReset(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE' || error.code === 'ECONNABORTED'
}
