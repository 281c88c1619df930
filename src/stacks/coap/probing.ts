/**
 * How much may go to a peer that does not respond, where nothing is acknowledged: PROBING_RATE, RFC 7252 4.7. What is sent
 * within ACK_TIMEOUT of the first message without a response is free, since nobody can know yet; it counts afterwards.
 */
import type { TransmissionParameters } from './parameters.ts'

export class Probing {
  readonly #parameters: TransmissionParameters
  #bytes = 0
  #since = 0

  constructor(parameters: TransmissionParameters) {
    this.#parameters = parameters
  }

  /** Whether something may be sent now. */
  permits(now: number): boolean {
    const { ackTimeoutMs, probingRate } = this.#parameters
    const elapsedMs = now - this.#since
    return this.#bytes === 0 || elapsedMs < ackTimeoutMs || this.#bytes * 1000 <= probingRate * elapsedMs
  }

  sent(bytes: number, now: number): void {
    if (this.#bytes === 0) this.#since = now
    this.#bytes += bytes
  }

  /** The peer responded: its answers bound what it is sent. */
  heard(): void {
    this.#bytes = 0
  }
}
