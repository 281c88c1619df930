/**
 * What stands under the levels of one place in a tree of topics. A map of a million entries takes tens of milliseconds to
 * grow, all at once; past a few thousand this is many maps instead, each of which grows by itself.
 */

/** Entries of the one map; with more they are spread. */
const SPREAD_ABOVE = 4096
const MAPS = 256
/** Characters, from the end, that decide where a level goes: there, siblings differ. */
const HASHED = 16

export class Levels<T> {
  #one: Map<string, T> | undefined = new Map()
  #many: readonly Map<string, T>[] | undefined = undefined
  size = 0

  get(level: string): T | undefined {
    return this.#map(level).get(level)
  }

  set(level: string, value: T): void {
    const map = this.#map(level)
    const before = map.size
    map.set(level, value)
    this.size += map.size - before
    if (this.#one !== undefined && this.size > SPREAD_ABOVE) this.#spread(this.#one)
  }

  delete(level: string): void {
    if (this.#map(level).delete(level)) this.size--
  }

  /** Survives changes in between: an entry that is there all the time is found once. */
  *entries(): Generator<readonly [level: string, value: T], undefined> {
    const one = this.#one
    for (const entry of one ?? []) {
      // What was spread meanwhile has its newest values elsewhere.
      const value = this.#one === one ? entry[1] : this.get(entry[0])
      if (value !== undefined) yield [entry[0], value]
    }
    if (one === undefined) for (const map of this.#many ?? []) yield* map
  }

  #map(level: string): Map<string, T> {
    return this.#one ?? (this.#many?.[place(level)] as Map<string, T>)
  }

  #spread(all: ReadonlyMap<string, T>): void {
    const many = Array.from({ length: MAPS }, () => new Map<string, T>())
    for (const [level, value] of all) (many[place(level)] as Map<string, T>).set(level, value)
    this.#many = many
    this.#one = undefined
  }
}

function place(level: string): number {
  let hash = level.length
  for (let i = Math.max(0, level.length - HASHED); i < level.length; i++) hash = (Math.imul(hash, 31) + level.charCodeAt(i)) | 0
  return (hash ^ (hash >>> 8) ^ (hash >>> 16)) & (MAPS - 1)
}
