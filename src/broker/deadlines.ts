/** When absent clients expire and their wills are due: a binary heap, with stale entries skipped when they surface. */
import type { Client } from './client.ts'

interface Deadline {
  readonly at: number
  readonly client: Client
}

export class Deadlines {
  readonly #heap: Deadline[] = []

  /** The earliest entry, ms since the epoch; undefined when there is none. */
  get next(): number | undefined {
    return this.#heap[0]?.at
  }

  add(at: number, client: Client): void {
    const heap = this.#heap
    let i = heap.push({ at, client }) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if ((heap[parent] as Deadline).at <= at) break
      this.#swap(i, parent)
      i = parent
    }
  }

  /** Removes and returns the earliest client due by `now`. */
  takeDue(now: number): Client | undefined {
    const heap = this.#heap
    const first = heap[0]
    if (first === undefined || first.at > now) return undefined
    const last = heap.pop() as Deadline
    if (heap.length > 0) {
      heap[0] = last
      this.#sink()
    }
    return first.client
  }

  #sink(): void {
    const heap = this.#heap
    let i = 0
    for (;;) {
      let smallest = i
      for (const kid of [2 * i + 1, 2 * i + 2]) {
        if (kid < heap.length && (heap[kid] as Deadline).at < (heap[smallest] as Deadline).at) smallest = kid
      }
      if (smallest === i) return
      this.#swap(i, smallest)
      i = smallest
    }
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap
    const held = heap[a] as Deadline
    heap[a] = heap[b] as Deadline
    heap[b] = held
  }
}
