/** Which sequence numbers of the peer were seen. RFC 8613 3.2.2, 7.4, and after a loss appendix B.1.2 */

const WINDOW = 32 // RFC 8613 3.2.2

export interface SeenNumbers {
  /** -1 where none was. */
  readonly highest: number
  /** Bit i: the highest less i was seen. */
  readonly seen: number
}

export const NONE_SEEN: SeenNumbers = { highest: -1, seen: 0 }

export class ReplayWindow {
  #highest: number
  #seen: number
  #isLost: boolean

  /** `lost`: what was seen is not known any more. */
  constructor(state: SeenNumbers | 'lost' = NONE_SEEN) {
    this.#isLost = state === 'lost'
    const { highest, seen } = state === 'lost' ? NONE_SEEN : state
    this.#highest = highest
    this.#seen = seen
  }

  /** Until `restart` nobody can tell which requests are replays. */
  get isLost(): boolean {
    return this.#isLost
  }

  get state(): SeenNumbers {
    return { highest: this.#highest, seen: this.#seen }
  }

  /** False when the number was seen, or is too old to tell. */
  permits(sequence: number): boolean {
    const age = this.#highest - sequence
    return age < 0 || (age < WINDOW && ((this.#seen >>> age) & 1) === 0)
  }

  /** Call when the message has proved to be genuine. */
  add(sequence: number): void {
    const ahead = sequence - this.#highest
    if (ahead > 0) {
      this.#seen = ahead >= WINDOW ? 1 : ((this.#seen << ahead) | 1) >>> 0
      this.#highest = sequence
    } else {
      this.#seen = (this.#seen | (1 << -ahead)) >>> 0
    }
  }

  /** The message with this number has proved to be fresh: it is the lower limit from now on. RFC 8613 B.1.2 */
  restart(sequence: number): void {
    this.#isLost = false
    this.#highest = sequence
    this.#seen = 0xffff_ffff
  }
}
