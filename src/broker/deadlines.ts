/** What is due when: a binary heap. Nothing is removed early: whoever takes an entry sees whether it still counts. */

export interface Deadline<T> {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Sequence of adding: what is due at the same time comes out as it went in. */
  readonly order: number
  readonly item: T
}

export class Deadlines<T> {
  readonly #heap: Deadline<T>[] = []
  #order = 0

  /** The earliest entry, ms since the epoch; undefined when there is none. */
  get next(): number | undefined {
    return this.#heap[0]?.at
  }

  add(at: number, item: T): void {
    const heap = this.#heap
    let i = heap.push({ at, order: ++this.#order, item }) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if ((heap[parent] as Deadline<T>).at <= at) break
      this.#swap(i, parent)
      i = parent
    }
  }

  /** Removes and returns the earliest item due by `now`. */
  takeDue(now: number): T | undefined {
    const heap = this.#heap
    const first = heap[0]
    if (first === undefined || first.at > now) return undefined
    const last = heap.pop() as Deadline<T>
    if (heap.length > 0) {
      heap[0] = last
      this.#sink()
    }
    return first.item
  }

  /** All entries, in no particular order. */
  entries(): Iterable<Deadline<T>> {
    return this.#heap
  }

  #sink(): void {
    const heap = this.#heap
    let i = 0
    for (;;) {
      let smallest = i
      for (const kid of [2 * i + 1, 2 * i + 2]) {
        if (kid < heap.length && isBefore(heap[kid] as Deadline<T>, heap[smallest] as Deadline<T>)) smallest = kid
      }
      if (smallest === i) return
      this.#swap(i, smallest)
      i = smallest
    }
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap
    const held = heap[a] as Deadline<T>
    heap[a] = heap[b] as Deadline<T>
    heap[b] = held
  }
}

function isBefore(a: Deadline<unknown>, b: Deadline<unknown>): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
