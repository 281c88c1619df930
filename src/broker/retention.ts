/** Which retained messages are kept: bounded in number and in bytes, and told to the store. */
import type { Message } from '../sdk.ts'
import type { Journal } from './journal.ts'
import type { CoreLimits } from './port.ts'
import type { RetainedStore } from './retained.ts'

export class Retention {
  readonly #store: RetainedStore
  readonly #limits: CoreLimits
  readonly #journal: Journal | undefined

  constructor(store: RetainedStore, limits: CoreLimits, journal: Journal | undefined) {
    this.#store = store
    this.#limits = limits
    this.#journal = journal
  }

  /** Keeps a retained message in the place of its predecessor; an empty one only removes it. False: there is no room. */
  keep(message: Message): boolean {
    const { topic, size } = message
    if (size === 0) {
      if (this.#store.delete(topic)) this.#journal?.unretained(topic) // [OASIS 3.3.1-6]
      return true
    }
    const { maxRetained, maxRetainedBytes, maxRetainedPayload } = this.#limits
    const store = this.#store
    if (size > maxRetainedPayload) return false
    if (store.bytes + size > maxRetainedBytes || (store.size >= maxRetained && !store.get(topic, 0))) return false
    store.set(message)
    this.#journal?.retained(message)
    return true
  }
}
