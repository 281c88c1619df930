/** One Confirmable message of ours: retransmission with exponential back-off, RFC 7252 4.2. */
import type { Timed } from './deadlines.ts'

/**
 * `acknowledged`: the peer has it. `reset`: the peer rejected it. `timeout`: it was retransmitted in vain, or the peer
 * was found unreachable before its turn came. `cancelled`: we gave it up.
 */
export type TransmissionOutcome = 'acknowledged' | 'reset' | 'timeout' | 'cancelled'

/** A message that becomes bytes when its turn comes: NSTART may make it wait. */
export interface Confirmable {
  encode(messageId: number): Uint8Array
  settled(outcome: TransmissionOutcome): void
}

export interface TransmissionHost {
  /** Retransmits, or gives up. */
  overdue(transmission: Transmission, now: number): void
  /** Takes it back; does nothing when it is settled. */
  cancel(transmission: Transmission): void
}

export class Transmission implements Timed {
  dueAt = 0
  heapIndex = -1

  readonly source: Confirmable
  messageId = -1
  /** Undefined while it waits for its turn. */
  bytes: Uint8Array | undefined = undefined
  timeoutMs = 0
  retransmissions = 0

  readonly #host: TransmissionHost

  constructor(host: TransmissionHost, source: Confirmable) {
    this.#host = host
    this.source = source
  }

  cancel(): void {
    this.#host.cancel(this)
  }

  onDeadline(now: number): void {
    this.#host.overdue(this, now)
  }
}
