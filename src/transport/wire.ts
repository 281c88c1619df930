/**
 * The contract between a transport and whoever drives it: bytes of one device, in and out. A wire is one stream
 * connection, or one datagram peer (an address and port that the listener's socket has heard from).
 */
import type { Peer } from '../sdk.ts'

export interface Wire {
  /** As the device is seen: behind a load balancer, the address that the PROXY header names. */
  readonly peer: Peer
  /** May be replaced at any time: that is how a session moves to a new address. */
  handler: WireHandler
  /**
   * Queues `bytes[start, end)`, which must not change afterwards. Streams flush once per loop turn, and ranges of one
   * buffer that touch become one range. A datagram wire sends one datagram, now. After `close` it does nothing.
   */
  send(bytes: Uint8Array, start: number, end: number): void
  /** Flushes what was queued, then closes; `onClosed('local')` follows. From now on `onBytes` is not called. */
  close(): void
  /** Drops everything now; `onClosed('local')` follows. */
  destroy(): void
  /** Stops reading the stream, so that the device's own window fills. Datagrams: nothing happens. */
  pause(): void
  resume(): void
  /** Bytes queued here and in the socket that the kernel has not taken. Cheap enough to read for each message. */
  readonly queuedBytes: number
  /** More waits than `highWaterBytes`: whoever sends should stop, until `onDrain`. */
  readonly congested: boolean
}

/** No call comes from inside a call on the wire: a handler is never re-entered by what it does. */
export interface WireHandler {
  /**
   * A stream chunk, or one datagram. The octets are the handler's from then on and never change. The buffer beneath may hold
   * other chunks too: what is kept for long is copied.
   */
  onBytes(bytes: Uint8Array): void
  /** A wire that was `congested` has room again: `queuedBytes` fell to half of `highWaterBytes`. */
  onDrain(): void
  /** Exactly once, as the last call. */
  onClosed(cause: WireCloseCause, error?: Error): void
  /** A datagram peer was silent for `idlePeerTimeoutMs`: true keeps it for as long again. Absent is false. */
  onIdle?(): boolean
}

export type WireCloseCause =
  | 'peer' // the device closed or reset the connection
  | 'error' // the socket failed; the error comes with it
  | 'local' // `close` or `destroy`, or the listener was closed
  | 'congested' // more than `maxQueuedBytes` waited for a device that does not read
  | 'idle' // datagram peer without traffic
  | 'malformed' // broke the rules of the transport itself (a WebSocket text message, an oversized one)
  | 'rate-limited'
  | 'unavailable' // what the output waited for could not be stored
