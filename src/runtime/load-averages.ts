/** Rates per minute, averaged over 1, 5 and 15 minutes, each sample weighing less the older it is. */

const MINUTES = [1, 5, 15] as const

type Averages = [one: number, five: number, fifteen: number]

export class LoadAverages {
  readonly #averages = new Map<string, { count: number; rates: Averages }>()
  #atMs: number

  /** `counts` are totals since some start, as in `sample`. */
  constructor(counts: Readonly<Record<string, number>>, nowMs: number) {
    this.#atMs = nowMs
    for (const [name, count] of Object.entries(counts)) this.#averages.set(name, { count, rates: [0, 0, 0] })
  }

  /** A total that fell (its source was restarted) counts as no load. */
  sample(counts: Readonly<Record<string, number>>, nowMs: number): void {
    const elapsedMin = (nowMs - this.#atMs) / 60_000
    if (elapsedMin <= 0) return
    this.#atMs = nowMs
    for (const [name, count] of Object.entries(counts)) {
      const average = this.#averages.get(name)
      if (average === undefined) continue
      const rate = Math.max(0, count - average.count) / elapsedMin
      average.count = count
      for (const [index, minutes] of MINUTES.entries()) {
        const weight = Math.exp(-elapsedMin / minutes)
        average.rates[index] = rate + weight * ((average.rates[index] as number) - rate)
      }
    }
  }

  *entries(): Generator<readonly [name: string, minutes: number, perMinute: number], undefined> {
    for (const [name, { rates }] of this.#averages) {
      for (const [index, minutes] of MINUTES.entries()) yield [name, minutes, rates[index] as number]
    }
  }
}
