/**
 * Wires to flush at the end of the loop turn, for a few milliseconds: a fan-out to ten thousand connections is as many
 * system calls, and everybody else would wait for them. Answers to what a wire itself sent go first. Those that are over
 * are flushed in the turns that follow; what becomes dirty then still goes out in its own turn, ahead of them.
 */

interface Flushable {
  flush(): void
}

/** What a turn spends on answers, and as much each on what else is new and on those that waited. */
const SLICE_MS = 4
/** Wires between two looks at the clock. */
const STRIDE = 8

export class FlushQueue<Wire extends Flushable> {
  readonly #now: () => number
  #answers: Wire[] = []
  #fresh: Wire[] = []
  #spare: Wire[] = []
  /** When the first of these became dirty. */
  #sinceMs = 0
  /** Those before `#done` are flushed. */
  #late: Wire[] = []
  #done = 0
  #isScheduled = false
  #isHurried = false
  readonly #turn = (): void => {
    this.#isScheduled = false
    this.#flush()
  }

  /** `now` in ms, from any origin. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Each time that a wire is added it is flushed, though it may have nothing to write by then. */
  add(wire: Wire, isAnswer = false): void {
    if (this.#fresh.length === 0 && this.#answers.length === 0) this.#sinceMs = this.#now()
    if (isAnswer) this.#answers.push(wire)
    else this.#fresh.push(wire)
    this.#schedule()
  }

  /** Whatever is dirty is flushed in this turn: the next one may find other conditions. */
  hurry(): void {
    this.#isHurried = true
  }

  /**
   * The next event of this turn begins. A turn may hold thousands of them: what became dirty by those before, and has
   * waited for as long as a slice lasts, goes out now.
   */
  relieve(): void {
    const isClean = this.#fresh.length === 0 && this.#answers.length === 0
    if (!isClean && this.#now() - this.#sinceMs >= SLICE_MS) this.#flush()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#turn)
  }

  #flush(): void {
    const answers = this.#answers
    if (answers.length > 0) {
      this.#answers = []
      const answered = this.#slice(answers, 0)
      this.#answers = answers.slice(answered)
    }
    const batch = this.#fresh
    this.#fresh = this.#spare
    let next = this.#slice(batch, 0)
    if (this.#done < this.#late.length) this.#flushLate()
    for (; next < batch.length; next++) this.#late.push(batch[next] as Wire)
    if (this.#isHurried && this.#done < this.#late.length) this.#flushLate()
    if (this.#isHurried && this.#answers.length > 0) this.#answers.splice(0, this.#slice(this.#answers, 0))
    this.#isHurried = false
    batch.length = 0
    this.#spare = batch
    if (this.#late.length > 0 || this.#answers.length > 0) this.#schedule()
  }

  #flushLate(): void {
    this.#done = this.#slice(this.#late, this.#done)
    // Under a load that never lets it run empty, it must not grow either.
    if (this.#done * 2 < this.#late.length) return
    this.#late.splice(0, this.#done)
    this.#done = 0
  }

  /** Flushes those from `first` on while the slice lasts, in a hurry all of them; says where it stopped. */
  #slice(wires: readonly Wire[], first: number): number {
    const endMs = this.#now() + SLICE_MS
    let next = first
    while (next < wires.length) {
      const stop = Math.min(next + STRIDE, wires.length)
      while (next < stop) (wires[next++] as Wire).flush()
      if (!this.#isHurried && this.#now() >= endMs) break
    }
    return next
  }
}
