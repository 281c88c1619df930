/** A bad network: what becomes of each datagram is drawn by a seeded generator, so that a run can be repeated. */

export interface ImpairmentOptions {
  /** Part of the datagrams that are lost, 0 to 1. */
  readonly loss: number
  /** How long each takes, in ms. */
  readonly delayMs: number
  /** Whether later ones may overtake: each then takes up to twice as long again, at random. */
  readonly reorder: boolean
  /** Part of the datagrams that arrive twice, 0 to 1. */
  readonly duplicate: number
  readonly seed: number
}

export const PERFECT: ImpairmentOptions = { loss: 0, delayMs: 0, reorder: false, duplicate: 0, seed: 1 }

/** Where nothing takes any time, reordering needs some. */
const MIN_JITTER_MS = 20

export class Impairment {
  readonly #options: ImpairmentOptions
  #state: number

  constructor(options: ImpairmentOptions) {
    this.#options = options
    this.#state = options.seed >>> 0
  }

  /** When each copy of the next datagram arrives, in ms from now: none, one or two of them. */
  next(): number[] {
    const { loss, duplicate } = this.#options
    if (this.random() < loss) return []
    return this.random() < duplicate ? [this.#delay(), this.#delay()] : [this.#delay()]
  }

  /** Evenly from 0 up to 1. Mulberry32. */
  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  #delay(): number {
    const { delayMs, reorder } = this.#options
    return reorder ? delayMs + Math.round(this.random() * Math.max(2 * delayMs, MIN_JITTER_MS)) : delayMs
  }
}
