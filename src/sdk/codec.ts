/** Framing and decoding: pure functions and small state, never an exception for what a peer sent. */

/** What hostile or broken bytes become: a counted value. `reason` is a short kebab-case name, used as a metric label. */
export interface Malformed {
  readonly malformed: string
  /** Byte offset in the frame (or stream chunk) at which the fault was seen. */
  readonly offset: number
  /** True when the stream cannot be followed any further and the connection must close. */
  readonly fatal: boolean
}

export function malformed(reason: string, offset = 0, fatal = false): Malformed {
  return { malformed: reason, offset, fatal }
}

export function isMalformed(value: unknown): value is Malformed {
  return typeof value === 'object' && value !== null && 'malformed' in value
}

export interface FrameSink {
  /**
   * A frame, valid until this call returns: copy what is kept. Answering `false` stops the framer, which keeps the
   * rest for the next push (an empty chunk will do): a session answers so while its connect is pending.
   */
  frame(bytes: Uint8Array): boolean | undefined
  malformed(error: Malformed): void
}

/** Cuts a byte stream into frames. Owns only its remainder. */
export interface Framer {
  push(chunk: Uint8Array, sink: FrameSink): void
  /** Bytes kept for the next chunk; bounded by the framer's limit. */
  readonly buffered: number
  reset(): void
}

/** Turns one frame into one typed message and back. */
export interface Codec<M> {
  decode(frame: Uint8Array): M | Malformed
  encode(message: M): Uint8Array
}

/**
 * What `gateways/<name>/codec/index.ts` exports as `wire`, so that the universal property tests can drive any
 * gateway that they find on disk. `framer` is absent where each datagram is one frame.
 */
export interface WireFormat<M> {
  readonly codec: Codec<M>
  framer?(): Framer
}
