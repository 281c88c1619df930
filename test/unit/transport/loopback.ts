/** What the listener tests share: limits that do not interfere, a handler that records, and waiting without sleeping. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import {
  createListener,
  type Listener,
  type ListenerLimits,
  type ListenerOptions,
  type TotalLimits,
} from '../../../src/transport/listener.ts'
import type { Wire, WireCloseCause, WireHandler } from '../../../src/transport/wire.ts'

export const LIMITS: ListenerLimits = {
  maxConnections: 100,
  maxConnectRate: 0,
  maxByteRate: 0,
  maxMessageRate: 0,
  maxQueuedBytes: 1024 ** 2,
  highWaterBytes: 256 * 1024,
  idlePeerTimeoutMs: 0,
  maxFrameBytes: 1024 ** 2,
}

export function makeTotal(limits: Partial<TotalLimits> = {}): TotalLimits {
  return { maxConnections: 1000, maxQueuedBytes: 64 * 1024 ** 2, current: 0, queuedBytes: 0, ...limits }
}

/** Turns "not yet" into a promise: `until` resolves as soon as what it waits for is true after some event. */
export class Waiter {
  #waiting: (() => void)[] = []

  changed(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
  }
}

/** A handler that keeps what it is told. */
export class Recorder extends Waiter implements WireHandler {
  readonly wire: Wire
  readonly chunks: Uint8Array[] = []
  readonly closes: { cause: WireCloseCause; error: Error | undefined }[] = []
  drains = 0
  idle: boolean | undefined
  /** Answers each chunk. */
  reply: ((bytes: Uint8Array) => void) | undefined

  constructor(wire: Wire) {
    super()
    this.wire = wire
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks)
  }

  get text(): string {
    return this.bytes.toString('latin1')
  }

  onBytes(bytes: Uint8Array): void {
    assert.equal(this.closes.length, 0, 'no bytes after onClosed')
    this.chunks.push(bytes)
    this.reply?.(bytes)
    this.changed()
  }

  onDrain(): void {
    this.drains++
    this.changed()
  }

  onClosed(cause: WireCloseCause, error?: Error): void {
    this.closes.push({ cause, error })
    this.changed()
  }

  onIdle(): boolean {
    this.changed()
    return this.idle === true
  }

  async closed(): Promise<WireCloseCause> {
    await this.until(() => this.closes.length > 0)
    return this.closes[0]?.cause as WireCloseCause
  }
}

export interface Bound {
  readonly listener: Listener
  readonly host: string
  readonly port: number
  readonly total: TotalLimits
  readonly peers: Recorder[]
  readonly accepted: Waiter
  /** The handler of the nth wire, once there is one. */
  peer(index?: number): Promise<Recorder>
}

export interface BindOptions extends Partial<Omit<ListenerOptions, 'limits'>> {
  readonly limits?: Partial<ListenerLimits>
  readonly total?: Partial<TotalLimits>
  readonly refuse?: (wire: Wire) => boolean
}

/** A listener on a free port, closed when the test ends. */
export async function bind(t: TestContext, options: BindOptions = {}): Promise<Bound> {
  const { limits, total: totalLimits, refuse, ...rest } = options
  const total = makeTotal(totalLimits)
  const listener = createListener(
    { type: 'tcp', host: '127.0.0.1', port: 0, proxyProtocol: false, ...rest, limits: { ...LIMITS, ...limits } },
    total,
  )
  t.after(() => listener.close())
  const peers: Recorder[] = []
  const accepted = new Waiter()
  await listener.listen((wire) => {
    if (refuse?.(wire) === true) return undefined
    const recorder = new Recorder(wire)
    peers.push(recorder)
    accepted.changed()
    return recorder
  })
  const colon = listener.address.lastIndexOf(':')
  const host = listener.address.slice(0, colon).replace(/[[\]]/g, '')
  return {
    listener,
    host,
    port: Number(listener.address.slice(colon + 1)),
    total,
    peers,
    accepted,
    async peer(index = 0) {
      await accepted.until(() => peers.length > index)
      return peers[index] as Recorder
    },
  }
}

/** Collects what a stream client receives. */
export class Received extends Waiter {
  readonly chunks: Buffer[] = []
  length = 0
  ended = false
  closed = false

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1')
  }

  constructor(socket: Socket) {
    super()
    socket.on('data', (chunk) => {
      this.chunks.push(chunk)
      this.length += chunk.length
      this.changed()
    })
    socket.on('end', () => {
      this.ended = true
      this.changed()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.closed = true
      this.changed()
    })
  }
}

/** A TCP client, destroyed when the test ends. */
export async function dial(t: TestContext, bound: Bound): Promise<Socket> {
  const socket = connect({ host: bound.host, port: bound.port, noDelay: true })
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  socket.on('error', () => {})
  return socket
}

/** Resolves when the socket has closed, with an error or without; what it still receives is not looked at. */
export function closed(socket: Socket): Promise<void> {
  socket.resume()
  return new Promise((resolve) => {
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })
}

export function sendText(wire: Wire, text: string): void {
  const bytes = Buffer.from(text, 'latin1')
  wire.send(bytes, 0, bytes.length)
}

/** Lets the loop turn until all that was started has been seen by both sides. */
export async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}
