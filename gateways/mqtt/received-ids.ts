/** Packet identifiers of QoS 2 messages received and not yet released: part of the session state (MQTT 5.0 section 4.1). */
import type { Link } from '#sdk'

export class ReceivedIds {
  readonly #ids = new Set<number>()

  /** Those of the client's session, kept across its connections. */
  static of(link: Link): ReceivedIds {
    if (!(link.kept instanceof ReceivedIds)) link.kept = new ReceivedIds()
    return link.kept as ReceivedIds
  }

  get size(): number {
    return this.#ids.size
  }

  has(id: number): boolean {
    return this.#ids.has(id)
  }

  add(id: number): void {
    this.#ids.add(id)
  }

  delete(id: number): boolean {
    return this.#ids.delete(id)
  }
}
