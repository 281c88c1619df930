/**
 * Wires to flush at the end of the loop turn, a bounded number of them: a fan-out to ten thousand connections is as many
 * system calls, and everybody else would wait for them. Those that are over are flushed in the turns that follow; what
 * becomes dirty then still goes out in its own turn, ahead of them, so that an answer does not wait for a fan-out.
 */

interface Flushable {
  flush(): void
}

/** New ones a turn, and as many that waited: a few milliseconds each. */
const FLUSHES = 1000

export class FlushQueue<Wire extends Flushable> {
  #fresh: Wire[] = []
  #spare: Wire[] = []
  /** Those before `#done` are flushed. */
  #late: Wire[] = []
  #done = 0
  #isScheduled = false
  #isHurried = false
  readonly #turn = (): void => this.#flush()

  /** A wire must not be added again before it was flushed. */
  add(wire: Wire): void {
    this.#fresh.push(wire)
    this.#schedule()
  }

  /** Whatever is dirty is flushed in this turn: the next one may find other conditions. */
  hurry(): void {
    this.#isHurried = true
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#turn)
  }

  #flush(): void {
    this.#isScheduled = false
    const batch = this.#fresh
    this.#fresh = this.#spare
    let now = 0
    for (; now < batch.length && (now < FLUSHES || this.#isHurried); now++) (batch[now] as Wire).flush()
    if (this.#done < this.#late.length) this.#flushLate()
    for (; now < batch.length; now++) this.#late.push(batch[now] as Wire)
    if (this.#isHurried && this.#done < this.#late.length) this.#flushLate()
    this.#isHurried = false
    batch.length = 0
    this.#spare = batch
    if (this.#late.length > 0) this.#schedule()
  }

  #flushLate(): void {
    const late = this.#late
    const end = this.#done + FLUSHES
    while (this.#done < late.length && (this.#done < end || this.#isHurried)) (late[this.#done++] as Wire).flush()
    // Under a load that never lets it run empty, it must not grow either.
    if (this.#done * 2 < late.length) return
    late.splice(0, this.#done)
    this.#done = 0
  }
}
