/**
 * Topic aliases toward one client (MQTT 5.0 section 3.3.2.3.4): first come, first served. A topic that comes when all
 * are given away goes by its name; nothing is ever moved, so that a client of many topics costs no more than one of few.
 */
export class OutgoingAliases {
  readonly #maximum: number
  readonly #aliases = new Map<string, number>()

  /** At most `maximum` topics [MQTT-3.1.2-26]. */
  constructor(maximum: number) {
    this.#maximum = maximum
  }

  /** The alias that the client knows for this topic; 0 is none. */
  known(topic: string): number {
    return this.#aliases.get(topic) ?? 0
  }

  /** An alias that may be given to a topic now; 0 is none. */
  get free(): number {
    return this.#aliases.size < this.#maximum ? this.#aliases.size + 1 : 0
  }

  /** The client was told the free alias with this topic. */
  told(topic: string): void {
    this.#aliases.set(topic, this.#aliases.size + 1)
  }
}
