/**
 * What may be handed out at a stretch: a chunk from the network can hold hundreds of messages, each for ten thousand receivers.
 * Whoever published when the share was used up goes on in a later turn, one after the other, and others are served in between.
 * A share lasts over quiet turns, too: a rest after ten thousand copies costs less than a callback in each turn.
 */

/** Copies of messages: some milliseconds. */
const COPIES = 10_000

export class FanOutShare {
  readonly #later: (work: () => void) => void
  readonly #copies: number
  readonly #turn = (): void => this.#refill()
  #left: number
  #resting: (() => void)[] = []
  #isDue = false

  /** `later` does work in a turn of its own. */
  constructor(later: (work: () => void) => void, copies = COPIES) {
    this.#later = later
    this.#copies = copies
    this.#left = copies
  }

  /** Copies were handed out, or queued. False: the share is used up. */
  spend(copies: number): boolean {
    this.#left -= copies
    return this.#left > 0
  }

  /** Calls `resume` in a later turn, once there is a share again. */
  rest(resume: () => void): void {
    this.#resting.push(resume)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isDue) return
    this.#isDue = true
    this.#later(this.#turn)
  }

  #refill(): void {
    this.#isDue = false
    this.#left = this.#copies
    const resting = this.#resting
    this.#resting = []
    let next = 0
    while (next < resting.length && this.#left > 0) (resting[next++] as () => void)()
    // Those that rest again did so behind the others.
    this.#resting = [...resting.slice(next), ...this.#resting]
    if (this.#resting.length > 0) this.#schedule()
  }
}
