/** The timers of one session. Most arm exactly one (keep-alive), so the first costs no list. */
import type { TimerWheel } from './timer-wheel.ts'
import { WheelTimer } from './timer-wheel.ts'

interface TimerOwner {
  onWheelTimer(timer: number): void
}

export class SessionTimers {
  readonly #owner: TimerOwner
  readonly #wheel: TimerWheel
  #first: WheelTimer | undefined = undefined
  #more: WheelTimer[] | undefined = undefined

  constructor(owner: TimerOwner, wheel: TimerWheel) {
    this.#owner = owner
    this.#wheel = wheel
  }

  arm(timer: number, delayMs: number): void {
    this.#wheel.arm(this.#find(timer) ?? this.#add(timer), delayMs)
  }

  disarm(timer: number): void {
    const node = this.#find(timer)
    if (node !== undefined) this.#wheel.disarm(node)
  }

  /** True when nothing is kept that another arm would need. */
  get idle(): boolean {
    return this.#more === undefined && this.#first?.isArmed !== true
  }

  clear(): void {
    if (this.#first !== undefined) this.#wheel.disarm(this.#first)
    if (this.#more !== undefined) for (const node of this.#more) this.#wheel.disarm(node)
  }

  #find(timer: number): WheelTimer | undefined {
    if (this.#first?.id === timer) return this.#first
    return this.#more?.find((node) => node.id === timer)
  }

  #add(timer: number): WheelTimer {
    const node = new WheelTimer(this.#owner, timer)
    if (this.#first === undefined) this.#first = node
    else {
      this.#more ??= []
      this.#more.push(node)
    }
    return node
  }
}
