/** Latency samples in bounded memory: when full, every other sample goes and from then on half as many are taken. */

const CAPACITY = 1 << 18

export class Latency {
  readonly #samples = new Float64Array(CAPACITY)
  #count = 0
  #stride = 1
  #skip = 0
  /** Of all, also those that are not kept. */
  #maxMs = 0

  add(ms: number): void {
    if (ms > this.#maxMs) this.#maxMs = ms
    if (this.#skip > 0) {
      this.#skip--
      return
    }
    if (this.#count === CAPACITY) this.#thin()
    this.#samples[this.#count++] = ms
    this.#skip = this.#stride - 1
  }

  clear(): void {
    this.#count = 0
    this.#stride = 1
    this.#skip = 0
    this.#maxMs = 0
  }

  /** In ms; null without samples. */
  get maxMs(): number | null {
    return this.#count === 0 ? null : this.#maxMs
  }

  /** The value that `share` of the samples do not exceed, in ms; null without samples. */
  percentile(share: number): number | null {
    if (this.#count === 0) return null
    const sorted = this.#samples.slice(0, this.#count).sort()
    return sorted[Math.min(this.#count - 1, Math.floor(this.#count * share))] ?? null
  }

  #thin(): void {
    for (let i = 0; i < CAPACITY / 2; i++) this.#samples[i] = this.#samples[2 * i] ?? 0
    this.#count = CAPACITY / 2
    this.#stride *= 2
  }
}
