/**
 * The topic ids of one client (MQTT-SN 1.2, 6.5): one map for both directions, part of its session. Ids count up from 1,
 * so an array holds them; most clients have a few, and are searched faster than hashed.
 */

/** From so many names on, an index is worth its memory. */
const INDEXED = 16

const NONE: string[] = []

export class TopicIds {
  /** The name of id n stands at n - 1. */
  #names: string[] = NONE
  #index: Map<string, number> | undefined = undefined
  /** Ids that the client has not agreed to yet, or has said it does not know. */
  #unknown: Set<number> | undefined = undefined

  get size(): number {
    return this.#names.length
  }

  name(id: number): string | undefined {
    return this.#names[id - 1]
  }

  /** The id of a name that the client knows; else undefined. */
  known(name: string): number | undefined {
    const id = this.#find(name)
    return id === undefined || this.#unknown?.has(id) === true ? undefined : id
  }

  /** The client has named it, so it knows what it stands for. Undefined: there are `limit` already. */
  learn(name: string, limit: number): number | undefined {
    const id = this.#find(name) ?? this.#add(name, limit)
    if (id !== undefined) this.confirm(id)
    return id
  }

  /** An id that the client is still to be told. Undefined: there are `limit` already. */
  propose(name: string, limit: number): number | undefined {
    const id = this.#find(name) ?? this.#add(name, limit)
    if (id !== undefined) this.forget(id)
    return id
  }

  confirm(id: number): void {
    if (this.#unknown?.delete(id) === true && this.#unknown.size === 0) this.#unknown = undefined
  }

  /** The client does not know it, or not any more. */
  forget(id: number): void {
    if (this.name(id) === undefined) return
    this.#unknown ??= new Set()
    this.#unknown.add(id)
  }

  /** Of an earlier process. */
  restore(id: number, name: string): void {
    const names = Array.from({ length: Math.max(this.#names.length, id) }, (_, at) => this.#names[at] ?? '')
    names[id - 1] = name
    this.#names = names
    if (names.length >= INDEXED) this.#index = new Map(names.map((each, at) => [each, at + 1]))
  }

  #find(name: string): number | undefined {
    if (this.#index !== undefined) return this.#index.get(name)
    const at = this.#names.indexOf(name)
    return at < 0 ? undefined : at + 1
  }

  #add(name: string, limit: number): number | undefined {
    if (this.#names.length >= limit) return undefined
    const id = this.#names.length + 1
    // A short list is made anew in its exact size: room to grow would cost a million sleeping clients more than a copy.
    if (id < INDEXED) this.#names = this.#names.concat(name)
    else this.#names.push(name)
    if (this.#index !== undefined) this.#index.set(name, id)
    else if (id >= INDEXED) this.#index = new Map(this.#names.map((each, i) => [each, i + 1]))
    return id
  }
}
