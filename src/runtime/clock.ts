/** Where time comes from: the system's, or a virtual one in tests. */

export interface Clock {
  /** Milliseconds since the epoch; may jump when the system's clock is set. */
  now(): number
  /** Milliseconds since some start; never goes back. */
  monotonic(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}
