/** Publishes of one client that the broker has not decided yet. Almost always it decides at once: that one needs no map. */
import type { Call } from './call.ts'

export class Undecided {
  #current: Call | undefined = undefined
  #later: Map<number, Call> | undefined = undefined
  #lastTag = 0

  get size(): number {
    return (this.#later?.size ?? 0) + (this.#current === undefined ? 0 : 1)
  }

  /** Keeps `call` until the outcome of what `publish` publishes under its tag is there. */
  add(call: Call, publish: (tag: number) => void): void {
    const tag = ++this.#lastTag
    this.#current = call
    publish(tag)
    if (this.#current === undefined) return
    this.#current = undefined
    this.#later ??= new Map()
    this.#later.set(tag, call)
  }

  /** The outcome of this tag is there. */
  take(tag: number): Call | undefined {
    let call = this.#current
    if (call !== undefined && tag === this.#lastTag) {
      this.#current = undefined
    } else {
      call = this.#later?.get(tag)
      this.#later?.delete(tag)
    }
    return call
  }

  all(): readonly Call[] {
    return [...(this.#later?.values() ?? []), ...(this.#current === undefined ? [] : [this.#current])]
  }
}
