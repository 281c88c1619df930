/**
 * Small values by key that a gateway keeps with a session. Most sessions have none or a few, and there may be a
 * million: a flat list of keys and values, and a map only where there are many.
 */

/** More pairs than this are looked up by hash. */
const MAX_LISTED = 8

export class Memory {
  #held: string[] | Map<string, string> = []

  get size(): number {
    return this.#held instanceof Map ? this.#held.size : this.#held.length / 2
  }

  get(key: string): string | undefined {
    const held = this.#held
    if (held instanceof Map) return held.get(key)
    const at = find(held, key)
    return at < 0 ? undefined : held[at + 1]
  }

  set(key: string, value: string): void {
    const held = this.#held
    if (held instanceof Map) {
      held.set(key, value)
      return
    }
    const at = find(held, key)
    if (at >= 0) held[at + 1] = value
    else if (held.length < 2 * MAX_LISTED) held.push(key, value)
    else this.#held = new Map([...pairs(held), [key, value]])
  }

  delete(key: string): boolean {
    const held = this.#held
    if (held instanceof Map) return held.delete(key)
    const at = find(held, key)
    if (at >= 0) held.splice(at, 2)
    return at >= 0
  }

  entries(): Iterable<readonly [key: string, value: string]> {
    return this.#held instanceof Map ? this.#held.entries() : pairs(this.#held)
  }
}

function find(held: readonly string[], key: string): number {
  for (let i = 0; i < held.length; i += 2) if (held[i] === key) return i
  return -1
}

function* pairs(held: readonly string[]): Generator<[key: string, value: string], undefined> {
  for (let i = 0; i < held.length; i += 2) yield [held[i] as string, held[i + 1] as string]
}
