/**
 * The topic ids of one client (MQTT-SN 1.2, 6.5): one map for both directions, part of its session. Ids count up from 1,
 * so an array holds them; most clients have a few, and are searched faster than hashed. A million sleeping clients have
 * one each: no private methods, whose brand every instance would carry, and one field for what few need.
 */

/** From so many names on, an index is worth its memory. */
const INDEXED = 16

const NONE: string[] = []

/** What few clients need. */
interface Extras {
  readonly index: Map<string, number> | undefined
  /** Ids that the client has not agreed to yet, or has said it does not know. */
  readonly unknown: Set<number> | undefined
}

export class TopicIds {
  /** The name of id n stands at n - 1. */
  #names: string[] = NONE
  #extras: Extras | undefined = undefined

  get size(): number {
    return this.#names.length
  }

  name(id: number): string | undefined {
    return this.#names[id - 1]
  }

  /** Known to the client or not. */
  id(name: string): number | undefined {
    const index = this.#extras?.index
    if (index !== undefined) return index.get(name)
    const at = this.#names.indexOf(name)
    return at < 0 ? undefined : at + 1
  }

  /** The id of a name that the client knows; else undefined. */
  known(name: string): number | undefined {
    const id = this.id(name)
    return id === undefined || this.#extras?.unknown?.has(id) === true ? undefined : id
  }

  /** The client has named it, so it knows what it stands for. Undefined: there are `limit` already. */
  learn(name: string, limit: number): number | undefined {
    const known = this.id(name)
    if (known !== undefined) {
      this.confirm(known)
      return known
    }
    if (this.#names.length >= limit) return undefined
    const id = this.#names.length + 1
    // A short list is made anew in its exact size: room to grow would cost a million sleeping clients more than a copy.
    if (id < INDEXED) this.#names = this.#names.concat(name)
    else this.#names.push(name)
    const { index, unknown } = this.#extras ?? {}
    if (index !== undefined) index.set(name, id)
    else if (id >= INDEXED) this.#extras = extrasOf(indexOf(this.#names), unknown)
    return id
  }

  confirm(id: number): void {
    const { index, unknown } = this.#extras ?? {}
    if (unknown?.delete(id) === true && unknown.size === 0) this.#extras = extrasOf(index, undefined)
  }

  /** The client does not know it, or not any more. */
  forget(id: number): void {
    if (this.name(id) === undefined) return
    const { index, unknown } = this.#extras ?? {}
    if (unknown === undefined) this.#extras = extrasOf(index, new Set([id]))
    else unknown.add(id)
  }

  clear(): void {
    this.#names = NONE
    this.#extras = undefined
  }

  /** Of an earlier process. */
  restore(id: number, name: string): void {
    const names = Array.from({ length: Math.max(this.#names.length, id) }, (_, at) => this.#names[at] ?? '')
    names[id - 1] = name
    this.#names = names
    if (names.length >= INDEXED) this.#extras = extrasOf(indexOf(names), this.#extras?.unknown)
  }
}

function extrasOf(index: Map<string, number> | undefined, unknown: Set<number> | undefined): Extras | undefined {
  return index === undefined && unknown === undefined ? undefined : { index, unknown }
}

function indexOf(names: readonly string[]): Map<string, number> {
  return new Map(names.map((name, at) => [name, at + 1]))
}
