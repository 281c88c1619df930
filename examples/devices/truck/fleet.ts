/** Many simulated trucks in one process: they start one after the other within one interval, and end together. */
import { Truck, type TruckOptions } from './vehicle.ts'

export class Fleet {
  readonly #trucks: Truck[]
  readonly #spreadMs: number
  #starting: NodeJS.Timeout | undefined = undefined
  /** True when every truck ended as it should. */
  readonly finished: Promise<boolean>

  /** `trucks` of them; their phones, and their phases, are counted up from the one in `options`. */
  constructor(trucks: number, options: TruckOptions) {
    const first = BigInt(options.phone)
    this.#trucks = Array.from({ length: trucks }, (_, i) => {
      const phone = String(first + BigInt(i)).padStart(options.phone.length, '0')
      return new Truck({ ...options, phone, phase: (options.phase ?? 0) + i })
    })
    this.#spreadMs = options.intervalMs ?? 1000
    this.finished = Promise.all(this.#trucks.map((truck) => truck.finished)).then((ends) => ends.every(Boolean))
  }

  isOnline(index: number): boolean {
    return this.#trucks[index]?.online === true
  }

  get online(): number {
    return this.#trucks.filter((truck) => truck.online).length
  }

  /** Of all trucks. */
  get totals(): { readonly acknowledged: number; readonly refused: number; readonly photos: number } {
    let [acknowledged, refused, photos] = [0, 0, 0]
    for (const truck of this.#trucks) {
      acknowledged += truck.acknowledged
      refused += truck.refused
      photos += truck.photosAcknowledged
    }
    return { acknowledged, refused, photos }
  }

  start(): this {
    const began = Date.now()
    let started = 0
    const startSome = (): void => {
      const due = Math.min(this.#trucks.length, Math.ceil(((Date.now() - began + 1) / this.#spreadMs) * this.#trucks.length))
      for (; started < due; started++) this.#trucks[started]?.start()
      if (started < this.#trucks.length) this.#starting = setTimeout(startSome, 10)
    }
    startSome()
    return this
  }

  stop(): void {
    clearTimeout(this.#starting)
    for (const truck of this.#trucks) truck.stop()
  }
}
