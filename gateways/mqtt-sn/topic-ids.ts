/**
 * The topic ids of one client (MQTT-SN 1.2, 6.5): one map for both directions, part of its session. Ids count up from the
 * first that is not left to predefined topics, so an array holds them; most clients have a few, and are searched faster
 * than hashed. A million sleeping clients have one each: no private methods, whose brand every instance would carry, and
 * one field for what few need.
 */

/**
 * Lower ids are left to predefined topics: clients confuse the two, since REGACK and SUBACK do not tell which an id is.
 * A predefined topic that a client names is told to it by its predefined id.
 */
export const FIRST_TOPIC_ID = 1025

/** From so many names on, an index is worth its memory. */
const INDEXED = 16

const NONE: string[] = []

/** What few clients need. */
interface Extras {
  readonly index: Map<string, number> | undefined
  /** Ids that the client has not agreed to yet, or has said it does not know. */
  readonly unknown: Set<number> | undefined
  /** Predefined topics that the client has named, by their ids. */
  readonly predefined: Map<number, string> | undefined
}

const NOTHING: Extras = { index: undefined, unknown: undefined, predefined: undefined }

export class TopicIds {
  /** In the order of their ids. */
  #names: string[] = NONE
  #extras: Extras | undefined = undefined

  get size(): number {
    return this.#names.length + (this.#extras?.predefined?.size ?? 0)
  }

  /** All ids. */
  ids(): number[] {
    return [...(this.#extras?.predefined?.keys() ?? []), ...this.#names.map((_, at) => at + FIRST_TOPIC_ID)]
  }

  name(id: number): string | undefined {
    return id < FIRST_TOPIC_ID ? this.#extras?.predefined?.get(id) : this.#names[id - FIRST_TOPIC_ID]
  }

  /** Known to the client or not. */
  id(name: string): number | undefined {
    const { index, predefined } = this.#extras ?? NOTHING
    if (predefined !== undefined) for (const [id, each] of predefined) if (each === name) return id
    if (index !== undefined) return index.get(name)
    const at = this.#names.indexOf(name)
    return at < 0 ? undefined : at + FIRST_TOPIC_ID
  }

  /** The id of a name that the client knows; else undefined. */
  known(name: string): number | undefined {
    const id = this.id(name)
    return id === undefined || this.#extras?.unknown?.has(id) === true ? undefined : id
  }

  /**
   * The client has named it, so it knows what it stands for: by the id that it has, by `predefinedId` if that is left to
   * predefined topics, else by the next. Undefined: there are `limit` already.
   */
  learn(name: string, limit: number, predefinedId = FIRST_TOPIC_ID): number | undefined {
    const known = this.id(name)
    if (known !== undefined) {
      this.confirm(known)
      return known
    }
    if (this.size >= limit) return undefined
    if (predefinedId < FIRST_TOPIC_ID && this.name(predefinedId) === undefined) {
      this.restore(predefinedId, name)
      return predefinedId
    }
    const id = this.#names.length + FIRST_TOPIC_ID
    // A short list is made anew in its exact size: room to grow would cost a million sleeping clients more than a copy.
    if (this.#names.length < INDEXED) this.#names = this.#names.concat(name)
    else this.#names.push(name)
    const extras = this.#extras ?? NOTHING
    if (extras.index !== undefined) extras.index.set(name, id)
    else if (this.#names.length >= INDEXED) this.#extras = { ...extras, index: indexOf(this.#names) }
    return id
  }

  confirm(id: number): void {
    const extras = this.#extras
    if (extras?.unknown?.delete(id) === true && extras.unknown.size === 0)
      this.#extras = lessened({ ...extras, unknown: undefined })
  }

  /** The client does not know it, or not any more. */
  forget(id: number): void {
    if (this.name(id) === undefined) return
    const extras = this.#extras ?? NOTHING
    if (extras.unknown === undefined) this.#extras = { ...extras, unknown: new Set([id]) }
    else extras.unknown.add(id)
  }

  /** It knows none of them, as far as we know: each is told again before it is used. */
  forgetAll(): void {
    for (const id of this.ids()) this.forget(id)
  }

  clear(): void {
    this.#names = NONE
    this.#extras = undefined
  }

  /** Of an earlier process, or of a predefined topic. */
  restore(id: number, name: string): void {
    const extras = this.#extras ?? NOTHING
    if (id < FIRST_TOPIC_ID) {
      this.#extras = { ...extras, predefined: new Map(extras.predefined).set(id, name) }
      return
    }
    const at = id - FIRST_TOPIC_ID
    const names = Array.from({ length: Math.max(this.#names.length, at + 1) }, (_, i) => this.#names[i] ?? '')
    names[at] = name
    this.#names = names
    if (names.length >= INDEXED) this.#extras = { ...extras, index: indexOf(names) }
  }
}

/** Nothing is kept of it when it holds nothing. */
function lessened({ index, unknown, predefined }: Extras): Extras | undefined {
  return index === undefined && unknown === undefined && predefined === undefined ? undefined : { index, unknown, predefined }
}

function indexOf(names: readonly string[]): Map<string, number> {
  return new Map(names.map((name, at) => [name, at + FIRST_TOPIC_ID]))
}
