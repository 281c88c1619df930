/**
 * Hierarchical timer wheel (G. Varghese and T. Lauck, "Hashed and Hierarchical Timing Wheels", 1987, scheme 7), pure:
 * time is passed in. Arming and disarming cost a few pointer writes, whatever the number of timers. A timer never fires
 * early, and at most one tick late. One that is moved to a later time stays in its slot, and moves on when that slot
 * comes up: so a keep-alive that is pushed back by each message costs one write.
 */

/** Who learns that a timer fired. One object may own many timers and tells them apart by id. */
export interface TimerOwner {
  onWheelTimer(id: number): void
}

export class WheelTimer {
  readonly owner: TimerOwner
  readonly id: number
  /** Another timer of the same owner: one that has several keeps them as a chain. */
  readonly sibling: WheelTimer | undefined
  // The wheel's own, below: the tick at which the timer fires, and its neighbours in a slot's ring while it is armed.
  due = 0
  previous: WheelTimer | undefined = undefined
  next: WheelTimer | undefined = undefined

  constructor(owner: TimerOwner, id: number, sibling?: WheelTimer) {
    this.owner = owner
    this.id = id
    this.sibling = sibling
  }

  get isArmed(): boolean {
    return this.next !== undefined
  }
}

const SLOT_BITS = 6
const SLOTS = 1 << SLOT_BITS
const SLOT_MASK = SLOTS - 1
const LEVELS = 5
/** Slots reach this many ticks ahead; a timer further away waits in the furthest slot and is placed again from there. */
const REACH = 2 ** (SLOT_BITS * LEVELS)
const REACH_MASK = REACH - 1

const NOBODY: TimerOwner = { onWheelTimer() {} }

/** An empty ring. */
function makeRing(): WheelTimer {
  const ring = new WheelTimer(NOBODY, 0)
  ring.previous = ring
  ring.next = ring
  return ring
}

export class TimerWheel {
  readonly tickMs: number
  /** Called when a timer was armed that is due before what `nextDueMs` last said: a driver must wake up earlier. */
  onSooner: (() => void) | undefined = undefined
  readonly #originMs: number
  readonly #monotonic: (() => number) | undefined
  /** Slot `level * SLOTS + index`: a ring whose head is no timer. */
  readonly #slots: WheelTimer[] = Array.from({ length: LEVELS * SLOTS }, makeRing)
  /** One bit a slot, two words a level. A bit may be left over from a slot that has become empty. */
  readonly #occupied = new Int32Array(LEVELS * 2)
  readonly #firing = makeRing()
  #nowMs: number
  /** Ticks since the origin that have been fired; and the same modulo `REACH`, from which slots are computed. */
  #tick = 0
  #position = 0
  #promised = Number.POSITIVE_INFINITY
  #size = 0

  /**
   * `startMs` and all other times are on one monotonic clock, in ms. Without `monotonic`, delays count from the last
   * `advance` (virtual time); with it, from what it says when a timer is armed.
   */
  constructor(startMs: number, tickMs = 8, monotonic?: () => number) {
    this.tickMs = tickMs
    this.#originMs = Math.floor(startMs) // a whole number, so that ticks and milliseconds convert exactly
    this.#nowMs = startMs
    this.#monotonic = monotonic
  }

  /** Armed timers. */
  get size(): number {
    return this.#size
  }

  /** Arms the timer to fire in `delayMs`, or moves it when it is armed. */
  arm(timer: WheelTimer, delayMs: number): void {
    const nowMs = this.#monotonic === undefined ? this.#nowMs : this.#monotonic()
    const dueMs = delayMs > 0 ? nowMs + delayMs : nowMs
    const due = Math.max(this.#tick + 1, Math.ceil((dueMs - this.#originMs) / this.tickMs))
    if (timer.next === undefined) {
      this.#size++
    } else {
      if (due >= timer.due) {
        timer.due = due
        return
      }
      unlink(timer)
    }
    timer.due = due
    this.#place(timer)
  }

  disarm(timer: WheelTimer): void {
    if (timer.next === undefined) return
    unlink(timer)
    this.#size--
  }

  /** Fires what is due, tick by tick. Timers that are armed meanwhile, and are due by now, fire as well. */
  advance(nowMonotonicMs: number): void {
    if (nowMonotonicMs > this.#nowMs) this.#nowMs = nowMonotonicMs
    const target = Math.floor((this.#nowMs - this.#originMs) / this.tickMs)
    while (this.#tick < target) {
      const step = Math.min(this.#distance(), target - this.#tick)
      this.#tick += step
      this.#position = (this.#position + step) & REACH_MASK
      this.#turn()
    }
    this.#promised = Number.POSITIVE_INFINITY
  }

  /**
   * When `advance` has something to do next, undefined when no timer is armed. No timer fires before; that one does
   * then is not certain, since it may have been moved to a later time, or be so far away that its slot spans many ticks.
   */
  nextDueMs(): number | undefined {
    if (this.#size === 0) {
      this.#promised = Number.POSITIVE_INFINITY
      return undefined
    }
    this.#promised = this.#tick + this.#distance()
    return this.#originMs + this.#promised * this.tickMs
  }

  /** Puts the timer into the slot that comes up at its time, or, when that is far away, on the way there. */
  #place(timer: WheelTimer): void {
    const ahead = Math.min(timer.due - this.#tick, REACH_MASK)
    const at = this.#position + ahead
    const level = ahead < SLOTS ? 0 : Math.floor((31 - Math.clz32(ahead)) / SLOT_BITS)
    const shift = level * SLOT_BITS
    const index = (at >>> shift) & SLOT_MASK
    append(this.#slots[level * SLOTS + index] as WheelTimer, timer)
    const word = level * 2 + (index >>> 5)
    this.#occupied[word] = (this.#occupied[word] as number) | (1 << (index & 31))
    if (this.onSooner === undefined) return
    const visit = this.#tick + ((at >>> shift) << shift) - this.#position
    if (visit < this.#promised) {
      this.#promised = visit
      this.onSooner()
    }
  }

  /** The wheel stands at a new tick: brings timers down from the levels whose slot begins here, then fires. */
  #turn(): void {
    const position = this.#position
    let level = 1
    while (level < LEVELS && (position & ((1 << (level * SLOT_BITS)) - 1)) === 0) level++
    while (--level >= 0) this.#visit(level, (position >>> (level * SLOT_BITS)) & SLOT_MASK)
  }

  /** Empties one slot: what is due fires or goes down to the slot that fires in this same turn, the rest is placed anew. */
  #visit(level: number, index: number): void {
    const word = level * 2 + (index >>> 5)
    this.#occupied[word] = (this.#occupied[word] as number) & ~(1 << (index & 31))
    const ring = this.#slots[level * SLOTS + index] as WheelTimer
    if (ring.next === ring) return
    const firing = this.#firing
    splice(ring, firing)
    for (let timer = firing.next as WheelTimer; timer !== firing; timer = firing.next as WheelTimer) {
      unlink(timer)
      if (timer.due > this.#tick || level > 0) {
        this.#place(timer)
      } else {
        this.#size--
        timer.owner.onWheelTimer(timer.id)
      }
    }
  }

  /** Ticks to the next slot that holds something, at most `REACH`. */
  #distance(): number {
    let nearest = REACH
    for (let level = 0; level < LEVELS; level++) {
      const shift = level * SLOT_BITS
      const current = this.#position >>> shift
      const slots = this.#nextOccupied(level, current & SLOT_MASK)
      if (slots > 0) nearest = Math.min(nearest, ((current + slots) << shift) - this.#position)
    }
    return nearest
  }

  /** Slots from `index` to the next occupied one of the level, 1 to `SLOTS`; 0 when all are empty. */
  #nextOccupied(level: number, index: number): number {
    if (this.#occupied[level * 2] === 0 && this.#occupied[level * 2 + 1] === 0) return 0
    for (let ahead = 1; ahead <= SLOTS; ahead++) {
      const slot = (index + ahead) & SLOT_MASK
      const word = level * 2 + (slot >>> 5)
      const bit = 1 << (slot & 31)
      if (((this.#occupied[word] as number) & bit) === 0) continue
      const ring = this.#slots[level * SLOTS + slot] as WheelTimer
      if (ring.next !== ring) return ahead
      this.#occupied[word] = (this.#occupied[word] as number) & ~bit
    }
    return 0
  }
}

function append(ring: WheelTimer, timer: WheelTimer): void {
  const last = ring.previous as WheelTimer
  timer.previous = last
  timer.next = ring
  last.next = timer
  ring.previous = timer
}

function unlink(timer: WheelTimer): void {
  const { previous, next } = timer as { previous: WheelTimer; next: WheelTimer }
  previous.next = next
  next.previous = previous
  timer.previous = undefined
  timer.next = undefined
}

/** Moves all timers of a ring to the end of another. */
function splice(from: WheelTimer, to: WheelTimer): void {
  const first = from.next as WheelTimer
  const last = from.previous as WheelTimer
  const end = to.previous as WheelTimer
  end.next = first
  first.previous = end
  last.next = to
  to.previous = last
  from.next = from
  from.previous = from
}
