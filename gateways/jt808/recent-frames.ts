/**
 * The last frames of one terminal, to recognise one that it repeats because our answer was lost. A repetition is the
 * same frame, octet for octet (JT/T 808 6.1.2), so a device that never counts its serial numbers is
 * not mistaken for one that repeats itself. Bounded: the oldest frame gives way and would be taken as new.
 */

/** Lowest bit of a fingerprint as kept: the frame was accepted. */
const ACCEPTED = 1

export class RecentFrames {
  /** A ring of pairs: key, fingerprint. The key 0 is an empty place. */
  readonly #ring: Uint32Array
  #next = 0

  constructor(size: number) {
    this.#ring = new Uint32Array(2 * size)
  }

  /**
   * Notes a frame. `key` is its message id and serial number, never 0; `print` a fingerprint of all of it. `pending`: it
   * repeats a frame whose outcome is still open; `accepted`: one that was accepted.
   */
  note(key: number, print: number): 'new' | 'pending' | 'accepted' {
    const ring = this.#ring
    const pending = (print & ~ACCEPTED) >>> 0
    for (let i = 0; i < ring.length; i += 2) {
      if (ring[i] === key && ((ring[i + 1] as number) & ~ACCEPTED) >>> 0 === pending) {
        return ring[i + 1] === pending ? 'pending' : 'accepted'
      }
    }
    if (ring.length > 0) {
      ring[this.#next] = key
      ring[this.#next + 1] = pending
      this.#next = (this.#next + 2) % ring.length
    }
    return 'new'
  }

  /** The outcome of the frames noted under `key`: one that was not accepted may come again as new. */
  settle(key: number, accepted: boolean): void {
    const ring = this.#ring
    for (let i = 0; i < ring.length; i += 2) {
      if (ring[i] !== key || ((ring[i + 1] as number) & ACCEPTED) !== 0) continue
      if (accepted) ring[i + 1] = (ring[i + 1] as number) | ACCEPTED
      else ring[i] = 0
    }
  }
}
