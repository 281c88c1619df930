/** Many deadlines on one timer: a binary heap whose items know their own place, so that clearing one costs no search. */

export interface Timed {
  /** Milliseconds on the endpoint's clock; set by `Deadlines`. */
  dueAt: number
  /** Place in the heap, -1 when not set. Only `Deadlines` writes it; start with -1. */
  heapIndex: number
  /** The deadline has passed, and is no longer set. */
  onDeadline(now: number): void
}

export interface DeadlineTimer {
  now(): number
  /** Calls `Deadlines.run` after `delayMs`; replaces what was armed before. */
  arm(delayMs: number): void
  disarm(): void
}

export class Deadlines {
  readonly #timer: DeadlineTimer
  readonly #heap: Timed[] = []
  #armedFor = Number.POSITIVE_INFINITY

  constructor(timer: DeadlineTimer) {
    this.#timer = timer
  }

  get size(): number {
    return this.#heap.length
  }

  /** Sets or moves the deadline of `item`. */
  set(item: Timed, dueAt: number): void {
    item.dueAt = dueAt
    if (item.heapIndex < 0) {
      item.heapIndex = this.#heap.length
      this.#heap.push(item)
    }
    this.#up(item.heapIndex)
    this.#down(item.heapIndex)
    this.#rearm()
  }

  clear(item: Timed): void {
    const index = item.heapIndex
    if (index < 0) return
    item.heapIndex = -1
    const last = this.#heap.pop() as Timed
    if (last === item) return
    this.#place(last, index)
    this.#up(index)
    this.#down(last.heapIndex)
  }

  clearAll(): void {
    for (const item of this.#heap) item.heapIndex = -1
    this.#heap.length = 0
    this.#rearm()
  }

  /** Call when the timer fires: everything due runs once, and the timer is armed for the rest. */
  run(): void {
    const now = this.#timer.now()
    // The timer has waited as long as it was told. Where the clock says less, it was set back: so are the deadlines.
    const setBack = this.#armedFor - now
    if (setBack > 0 && setBack !== Number.POSITIVE_INFINITY) for (const item of this.#heap) item.dueAt -= setBack
    this.#armedFor = Number.POSITIVE_INFINITY
    for (let left = this.#heap.length; left > 0; left--) {
      const first = this.#heap[0]
      if (first === undefined || first.dueAt > now) break
      this.clear(first)
      first.onDeadline(now)
    }
    this.#rearm()
    // What fired may be forgotten by whoever keeps it.
    if (this.#heap.length === 0) this.#timer.disarm()
  }

  /** A timer that fires too early does no harm, so it is moved only when the next deadline is earlier. */
  #rearm(): void {
    const first = this.#heap[0]
    if (first === undefined) {
      if (this.#armedFor !== Number.POSITIVE_INFINITY) this.#timer.disarm()
      this.#armedFor = Number.POSITIVE_INFINITY
    } else if (first.dueAt < this.#armedFor) {
      this.#armedFor = first.dueAt
      this.#timer.arm(Math.max(1, first.dueAt - this.#timer.now()))
    }
  }

  #place(item: Timed, index: number): void {
    this.#heap[index] = item
    item.heapIndex = index
  }

  #up(from: number): void {
    const item = this.#heap[from] as Timed
    let index = from
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = this.#heap[parentIndex] as Timed
      if (parent.dueAt <= item.dueAt) break
      this.#place(parent, index)
      index = parentIndex
    }
    this.#place(item, index)
  }

  #down(from: number): void {
    const item = this.#heap[from] as Timed
    let index = from
    for (;;) {
      let childIndex = 2 * index + 1
      if (childIndex >= this.#heap.length) break
      const right = this.#heap[childIndex + 1]
      if (right !== undefined && right.dueAt < (this.#heap[childIndex] as Timed).dueAt) childIndex++
      const child = this.#heap[childIndex] as Timed
      if (child.dueAt >= item.dueAt) break
      this.#place(child, index)
      index = childIndex
    }
    this.#place(item, index)
  }
}
