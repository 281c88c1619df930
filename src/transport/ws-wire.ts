/**
 * A wire over a WebSocket (RFC 6455), binary messages only. Message boundaries mean nothing: it is a stream in chunks.
 * Unless the peer is `delimited`: then each message is one chunk, both ways.
 */
import type { RawData, WebSocket } from 'ws'
import type { Peer } from '../sdk.ts'
import { isReset } from './socket-wire.ts'
import { StreamWire, type WireShare } from './stream-wire.ts'

const WIRE = Symbol('wire')
const BINARY = { binary: true }

/** RFC 6455 7.4.1 */
const NORMAL_CLOSURE = 1000
const UNSUPPORTED_DATA = 1003

interface WiredWebSocket extends WebSocket {
  [WIRE]: WsWire
}

export class WsWire extends StreamWire {
  readonly #ws: WebSocket
  readonly #written = () => this.drained()
  /** Messages of the chunk during which reading was stopped. Bounded: no further chunk is read. */
  readonly #parked: Uint8Array[] = []
  #reading = true
  #closeCode = NORMAL_CLOSURE

  constructor(ws: WebSocket, peer: Peer, share: WireShare) {
    super(peer, share)
    this.#ws = ws
    ;(ws as WiredWebSocket)[WIRE] = this
  }

  start(): void {
    this.#ws.on('message', onMessage as (this: WebSocket, data: RawData, isBinary: boolean) => void) // `nodebuffer` is the default
    this.#ws.on('error', onError)
    this.#ws.on('close', onClose)
  }

  message(data: Uint8Array, isBinary: boolean): void {
    if (!isBinary) {
      this.failed('malformed', new Error('a WebSocket text message'))
      this.#closeCode = UNSUPPORTED_DATA
      this.close()
    } else if (this.#reading && this.#parked.length === 0) {
      this.received(data)
    } else {
      this.#parked.push(data)
    }
  }

  override send(bytes: Uint8Array, start: number, end: number): void {
    if (this.peer.delimited === true) this.sendMessage(bytes, start, end)
    else super.send(bytes, start, end)
  }

  /** Hands over what was parked, then reads on. */
  unpark(): void {
    while (this.#reading && this.#parked.length > 0) this.received(this.#parked.shift() as Uint8Array)
    if (this.#reading) this.#ws.resume()
  }

  protected override write(buffer: Buffer): void {
    this.#ws.send(buffer, BINARY, this.#written)
  }

  protected override writeMany(buffers: Buffer[]): void {
    for (const buffer of buffers) this.write(buffer)
  }

  protected override unsent(): number {
    return this.#ws.bufferedAmount
  }

  protected override isWritable(): boolean {
    return this.#ws.readyState === this.#ws.OPEN
  }

  protected override finish(): void {
    this.#ws.close(this.#closeCode)
  }

  protected override abort(): void {
    this.#ws.terminate()
  }

  protected override stopReading(): void {
    this.#reading = false
    this.#ws.pause()
  }

  protected override startReading(): void {
    this.#reading = true
    if (this.#parked.length === 0) this.#ws.resume()
    else process.nextTick(unpark, this)
  }
}

function unpark(wire: WsWire): void {
  wire.unpark()
}

function onMessage(this: WebSocket, data: Uint8Array, isBinary: boolean): void {
  ;(this as WiredWebSocket)[WIRE].message(data, isBinary)
}

function onError(this: WebSocket, error: NodeJS.ErrnoException): void {
  const broken = error.code?.startsWith('WS_ERR_') === true
  const wire = (this as WiredWebSocket)[WIRE]
  wire.failed(broken ? 'malformed' : isReset(error) ? 'peer' : 'error', error)
  wire.close() // the WebSocket is closing already; this sees to it that it ends
}

function onClose(this: WebSocket): void {
  ;(this as WiredWebSocket)[WIRE].closed()
}
