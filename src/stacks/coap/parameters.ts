/** Transmission parameters, RFC 7252 4.8, and the times derived from them, 4.8.2. All in milliseconds. */

export interface TransmissionParameters {
  readonly ackTimeoutMs: number
  readonly ackRandomFactor: number
  readonly maxRetransmit: number
  readonly nstart: number
  readonly maxLatencyMs: number
  /** Bytes a second to a peer that does not respond. */
  readonly probingRate: number
}

export const DEFAULT_PARAMETERS: TransmissionParameters = {
  ackTimeoutMs: 2000, // RFC 7252 4.8 ACK_TIMEOUT
  ackRandomFactor: 1.5, // ACK_RANDOM_FACTOR
  maxRetransmit: 4, // MAX_RETRANSMIT
  nstart: 1, // NSTART
  maxLatencyMs: 100_000, // RFC 7252 4.8.2 MAX_LATENCY
  probingRate: 1, // RFC 7252 4.8 PROBING_RATE
}

export interface DerivedTimes {
  readonly maxTransmitSpanMs: number
  readonly maxTransmitWaitMs: number
  readonly processingDelayMs: number
  readonly exchangeLifetimeMs: number
  readonly nonLifetimeMs: number
}

/** RFC 7252 4.8.2: recomputed whenever a base value is configured. */
export function deriveTimes(parameters: TransmissionParameters): DerivedTimes {
  const { ackTimeoutMs, ackRandomFactor, maxRetransmit, maxLatencyMs } = parameters
  const maxTransmitSpanMs = ackTimeoutMs * (2 ** maxRetransmit - 1) * ackRandomFactor
  const processingDelayMs = ackTimeoutMs
  return {
    maxTransmitSpanMs,
    maxTransmitWaitMs: ackTimeoutMs * (2 ** (maxRetransmit + 1) - 1) * ackRandomFactor,
    processingDelayMs,
    exchangeLifetimeMs: maxTransmitSpanMs + 2 * maxLatencyMs + processingDelayMs,
    nonLifetimeMs: maxTransmitSpanMs + maxLatencyMs,
  }
}
