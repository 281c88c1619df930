/**
 * Packet identifiers of QoS 2 messages received and not yet released: part of the session state (MQTT 5.0 section 4.1),
 * also over a restart, or a message would be published twice, or an identifier used anew be taken for a repetition.
 */
import type { Link } from '#sdk'

export class ReceivedIds {
  readonly #ids: Set<number>

  constructor(ids: Iterable<number>) {
    this.#ids = new Set(ids)
  }

  /** Those of the client's session, kept across its connections. */
  static of(link: Link): ReceivedIds {
    if (!(link.kept instanceof ReceivedIds)) link.kept = new ReceivedIds([...link.remembered()].map(([id]) => Number(id)))
    return link.kept as ReceivedIds
  }

  get size(): number {
    return this.#ids.size
  }

  has(id: number): boolean {
    return this.#ids.has(id)
  }

  add(id: number, link: Link): void {
    this.#ids.add(id)
    link.remember(String(id), '')
  }

  delete(id: number, link: Link): boolean {
    if (!this.#ids.delete(id)) return false
    link.forget(String(id))
    return true
  }
}
