/** A map for what is mostly one entry, as observations of a device and clients of an address are: that one costs no table. */
export class FewMap<K, V> {
  #key: K | undefined = undefined
  #value: V | undefined = undefined
  /** All of them, from the second on. */
  #all: Map<K, V> | undefined = undefined

  get size(): number {
    if (this.#all !== undefined) return this.#all.size
    return this.#key === undefined ? 0 : 1
  }

  get(key: K): V | undefined {
    if (this.#all !== undefined) return this.#all.get(key)
    return this.#key === key ? this.#value : undefined
  }

  has(key: K): boolean {
    return this.#all === undefined ? this.#key === key : this.#all.has(key)
  }

  /** `key` is never undefined. */
  set(key: K, value: V): void {
    if (this.#all !== undefined) {
      this.#all.set(key, value)
    } else if (this.#key === undefined || this.#key === key) {
      this.#key = key
      this.#value = value
    } else {
      this.#all = new Map([
        [this.#key, this.#value as V],
        [key, value],
      ])
      this.#key = undefined
      this.#value = undefined
    }
  }

  /** True when there was one. */
  delete(key: K): boolean {
    if (this.#all !== undefined) {
      const deleted = this.#all.delete(key)
      if (this.#all.size === 0) this.#all = undefined
      return deleted
    }
    if (this.#key !== key) return false
    this.#key = undefined
    this.#value = undefined
    return true
  }

  /** As they are now: changes do not disturb whoever walks them. */
  values(): readonly V[] {
    if (this.#all !== undefined) return [...this.#all.values()]
    return this.#key === undefined ? [] : [this.#value as V]
  }
}
