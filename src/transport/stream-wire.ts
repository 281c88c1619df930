/**
 * One stream connection. Output is collected for the rest of the loop turn, then written with one call; what the kernel
 * does not take waits in a backlog behind at most one write in flight, so that what waits is what is counted, and is
 * bounded. Idle, a wire owns no buffer and no timer.
 */
import type { Peer } from '../sdk.ts'
import { Backlog } from './backlog.ts'
import { FlushQueue } from './flush-queue.ts'
import { gatherMany, gatherOne, surrenderScratch } from './gather.ts'
import type { ListenerLimits, TotalLimits } from './listener.ts'
import type { ListenerStats } from './listener-stats.ts'
import { NONE, RangePool } from './range-pool.ts'
import { TokenBucket } from './token-bucket.ts'
import type { Wire, WireCloseCause, WireHandler } from './wire.ts'

/** What all wires of a listener share. */
export interface WireShare {
  readonly limits: ListenerLimits
  readonly total: TotalLimits
  readonly stats: ListenerStats
  /** True when the kernel often takes a write before the call returns (not through TLS). */
  readonly synchronous: boolean
  /** The listener is being closed: every close from now on is `local`. */
  closing: boolean
  /** A wire is closed and its handler knows. */
  closed(): void
}

/** More than this in one turn is flushed at once. */
const FLUSH_BYTES = 262_144
/** Bytes of a backlog that are written at a time. */
const BACKLOG_WRITE_BYTES = 262_144
/** How long a closing wire may take to flush and to see the peer close, before it is cut. */
const CLOSE_TIMEOUT_MS = 5000

/** Something was sent that is not flushed. */
const DIRTY = 1
/** Queued bytes reached the high-water mark, and `onDrain` is owed. */
const HIGH = 2
const CLOSING = 4
const DEAD = 8
const PAUSED = 16
const THROTTLED = 32
/** Something was sent in answer to what came in, and is not flushed. */
const ANSWERED = 64

const pool = new RangePool()

/** Wires of the process for which bytes wait that the kernel did not take. */
let waiting = 0

const flushes = new FlushQueue<StreamWire>()

/** The wire whose input is being handled. */
let current: StreamWire | undefined

const REFUSED: WireHandler = { onBytes() {}, onDrain() {}, onClosed() {} }

export abstract class StreamWire implements Wire {
  readonly peer: Peer
  handler: WireHandler = REFUSED
  readonly #share: WireShare
  #flags = 0
  #head = NONE
  #tail = NONE
  /** Bytes of the list: sent in this turn, not flushed yet. */
  #pending = 0
  /** Bytes that a flush could not hand to the kernel: backlog, and write in flight. */
  #stuck = 0
  #backlog: Backlog | undefined = undefined
  #bucket: TokenBucket | undefined = undefined
  #timer: NodeJS.Timeout | undefined = undefined
  #cause: WireCloseCause | undefined = undefined
  #error: Error | undefined = undefined

  constructor(peer: Peer, share: WireShare) {
    this.peer = peer
    this.#share = share
  }

  /** Listens to the connection. */
  abstract start(): void
  /** Hands a buffer to the connection. */
  protected abstract write(buffer: Buffer): void
  /** Hands several to it, with one system call where that is possible. */
  protected abstract writeMany(buffers: Buffer[]): void
  /** Bytes written that the kernel has not taken. */
  protected abstract unsent(): number
  protected abstract isWritable(): boolean
  /** Everything is written: says goodbye and waits for the peer's. */
  protected abstract finish(): void
  /** Cuts the connection; `closed` follows later. */
  protected abstract abort(): void
  protected abstract stopReading(): void
  protected abstract startReading(): void

  get congested(): boolean {
    return (this.#flags & HIGH) !== 0
  }

  get queuedBytes(): number {
    return this.#pending + this.#stuck
  }

  send(bytes: Uint8Array, start: number, end: number): void {
    const size = end - start
    const flags = this.#flags
    if (size <= 0 || (flags & (CLOSING | DEAD)) !== 0) return
    const tail = pool.append(this.#tail, bytes, start, end)
    if (this.#head === NONE) this.#head = tail
    this.#tail = tail
    const pending = this.#pending + size
    this.#pending = pending
    if ((flags & DIRTY) === 0 || (current === this && (flags & ANSWERED) === 0)) this.#markDirty()
    // A burst within a turn is no congestion: the kernel is asked first.
    if (this.#stuck > 0 && pending + this.#stuck >= this.#share.limits.highWaterBytes) this.#flags |= HIGH
    if (pending >= FLUSH_BYTES) this.#hand()
  }

  /** Hands these bytes over as they are, not joined with others: they are one message of the connection. */
  protected sendMessage(bytes: Uint8Array, start: number, end: number): void {
    if (end <= start || (this.#flags & (CLOSING | DEAD)) !== 0 || !this.isWritable()) return
    this.#share.stats.bytesOut += end - start
    this.write(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start))
    if (this.unsent() > 0) this.#account()
  }

  close(): void {
    if ((this.#flags & (CLOSING | DEAD)) !== 0) return
    this.#cause ??= 'local'
    if (this.#pending > 0) this.#hand()
    if ((this.#flags & DEAD) !== 0) return
    this.#flags |= CLOSING
    this.#expect()
    if (this.#stuck === 0) this.#finish()
  }

  destroy(): void {
    this.#cut('local')
  }

  pause(): void {
    if ((this.#flags & (PAUSED | CLOSING | DEAD)) !== 0) return
    this.#flags |= PAUSED
    if ((this.#flags & THROTTLED) === 0) this.stopReading()
  }

  resume(): void {
    if ((this.#flags & PAUSED) === 0) return
    this.#flags &= ~PAUSED
    if ((this.#flags & (THROTTLED | DEAD)) === 0) this.startReading()
  }

  /** Called once, in the same turn or a later one, after something was sent. */
  flush(): void {
    this.#flags &= ~(DIRTY | ANSWERED)
    if (this.#pending > 0) this.#hand()
    this.#relax()
  }

  /** The byte rate allows reading again. */
  readAgain(): void {
    this.#flags &= ~THROTTLED
    if ((this.#flags & (PAUSED | DEAD)) === 0) this.startReading()
  }

  // What the connection tells.

  received(chunk: Uint8Array): void {
    if ((this.#flags & (CLOSING | DEAD)) !== 0) return
    const share = this.#share
    share.stats.bytesIn += chunk.length
    if (share.limits.maxByteRate > 0) this.#meter(chunk.length)
    flushes.relieve()
    current = this
    this.handler.onBytes(chunk)
    current = undefined
  }

  /** The writes in flight are done. */
  drained(): void {
    if (this.#stuck === 0 || (this.#flags & DEAD) !== 0) return
    const backlog = this.#backlog
    while (backlog !== undefined && backlog.bytes > 0 && this.unsent() === 0) {
      this.writeMany(backlog.take(BACKLOG_WRITE_BYTES))
    }
    this.#account()
    if (this.#stuck === 0) {
      this.#backlog = undefined
      if ((this.#flags & CLOSING) !== 0) this.#finish()
    }
    this.#relax()
  }

  /** The peer will send no more. What is queued for it goes out, if it reads. */
  ended(): void {
    flushes.relieve()
    if ((this.#flags & DEAD) !== 0) return
    this.#cause ??= 'peer'
    if (this.#pending > 0) this.#hand()
    if ((this.#flags & DEAD) !== 0) return
    if (this.#backlog !== undefined) this.writeMany(this.#backlog.take(Number.POSITIVE_INFINITY))
    this.#account()
    if ((this.#flags & CLOSING) !== 0) return
    this.#flags |= CLOSING
    if (this.#stuck > 0) this.#expect()
  }

  failed(cause: WireCloseCause, error: Error): void {
    if (this.#cause !== undefined) return
    this.#cause = cause
    this.#error = error
    if (cause === 'error') this.#share.stats.socketErrors++
    if (cause === 'malformed') this.#share.stats.malformed++
  }

  closed(): void {
    this.#drop()
    this.#timer = undefined
    const cause = this.#share.closing ? 'local' : (this.#cause ?? 'peer')
    const handler = this.handler
    this.handler = REFUSED
    handler.onClosed(cause, this.#error)
    this.#share.closed()
  }

  /** Cuts the connection for `cause`. */
  #cut(cause: WireCloseCause): void {
    if ((this.#flags & DEAD) !== 0) return
    this.#cause ??= cause
    this.#drop()
    this.abort()
  }

  /** Forgets all that is queued; nothing is sent or received from now on. */
  #drop(): void {
    this.#flags |= DEAD
    pool.release(this.#head)
    this.#head = this.#tail = NONE
    this.#pending = 0
    this.#backlog = undefined
    this.#setStuck(0)
    clearTimeout(this.#timer)
  }

  #markDirty(): void {
    const isAnswer = current === this
    this.#flags |= isAnswer ? DIRTY | ANSWERED : DIRTY
    flushes.add(this, isAnswer)
  }

  /** Writes the list, or adds it to the backlog while a write is in flight. */
  #hand(): void {
    const head = this.#head
    const total = this.#pending
    if (!this.isWritable()) {
      this.#empty(head)
      return
    }
    const { gate } = this.#share.total
    if (gate?.closed === true && !gate.open()) {
      this.#cut('unavailable')
      flushes.hurry() // what else waits must not leave either
      return
    }
    this.#share.stats.bytesOut += total
    if (this.#stuck > 0) {
      this.#backlog ??= new Backlog()
      for (let index = head; index !== NONE; index = pool.next[index] as number) {
        this.#backlog.append(pool.bytes[index] as Uint8Array, pool.start[index] as number, pool.end[index] as number)
      }
      this.#empty(head)
      this.#account()
      return
    }
    const buffer = gatherOne(pool, head, total, this.#share.synchronous)
    if (buffer === undefined) this.writeMany(gatherMany(pool, head, total))
    else this.write(buffer)
    this.#empty(head)
    if (this.unsent() === 0) return
    if (buffer !== undefined) surrenderScratch(buffer)
    this.#account()
  }

  #empty(head: number): void {
    pool.release(head)
    this.#head = this.#tail = NONE
    this.#pending = 0
  }

  /** Brings the counts up to date, and holds the bounds. */
  #account(): void {
    const share = this.#share
    const stuck = this.unsent() + (this.#backlog?.bytes ?? 0)
    const before = this.#stuck
    const grew = stuck > before
    this.#setStuck(stuck)
    if (!grew) return
    if (stuck >= share.limits.highWaterBytes) this.#flags |= HIGH
    const { total } = share
    const isOverShare = total.queuedBytes > total.maxQueuedBytes && stuck * waiting >= total.maxQueuedBytes
    // What one turn sends to a wire where nothing waited may exceed the bound: one large message must get through.
    if ((stuck > share.limits.maxQueuedBytes && before > 0) || isOverShare) {
      share.stats.congested++
      this.#cut('congested')
    }
  }

  #setStuck(bytes: number): void {
    this.#share.total.queuedBytes += bytes - this.#stuck
    if (this.#stuck === 0 && bytes > 0) waiting++
    if (this.#stuck > 0 && bytes === 0) waiting--
    this.#stuck = bytes
  }

  /** Tells the handler, once, that it may send again. */
  #relax(): void {
    if ((this.#flags & (HIGH | DEAD | CLOSING)) !== HIGH) return
    if (this.#pending + this.#stuck > this.#share.limits.highWaterBytes / 2) return
    this.#flags &= ~HIGH
    this.handler.onDrain()
  }

  #finish(): void {
    if ((this.#flags & (PAUSED | THROTTLED)) !== 0) this.startReading() // else the peer's goodbye is never seen
    this.finish()
  }

  /** A closing peer that does not read, or does not close, is cut. */
  #expect(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(cutLate, CLOSE_TIMEOUT_MS, this)
  }

  #meter(bytes: number): void {
    const rate = this.#share.limits.maxByteRate
    const nowMs = performance.now()
    this.#bucket ??= new TokenBucket(rate, nowMs)
    const waitMs = this.#bucket.spend(bytes, nowMs)
    if (waitMs === 0 || (this.#flags & THROTTLED) !== 0) return
    this.#flags |= THROTTLED
    this.#share.stats.throttled++
    if ((this.#flags & PAUSED) === 0) this.stopReading()
    this.#timer = setTimeout(endThrottle, waitMs, this)
  }
}

function cutLate(wire: StreamWire): void {
  wire.destroy()
}

function endThrottle(wire: StreamWire): void {
  wire.readAgain()
}
