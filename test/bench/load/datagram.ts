/** What a device of a datagram workload says. */

export interface DatagramSource {
  /** Where the stamped payload begins. */
  readonly payloadAt: number
  /** No further message can be told from an earlier one. */
  readonly exhausted: boolean
  /** The next message; valid until the call after it. */
  next(nowMs: number): Buffer
  /** True for an answer that says that it was taken. */
  isSuccess(answer: Uint8Array): boolean
}

/** Sends a datagram and resolves with what comes back. */
export type Ask = (datagram: Uint8Array) => Promise<Uint8Array>
