/**
 * Clients to which retained messages of a new subscription are still to be sent: the first few with the event that subscribed, the
 * rest in turns of their own, which all of them share.
 */
import type { Client } from './client.ts'

/** Messages that an event sends at once. */
const FIRST = 16
/** Messages of one turn, and what a client gets of them before the next has its share. */
const TURN = 1000
const SHARE = 100

interface Pump {
  /** Sends at most `budget` messages; `add` is called if that was not all though the client would take more. */
  pump(client: Client, budget: number): void
}

export class Replays {
  readonly #fresh = new Set<Client>()
  /** In the order in which they get their next share. */
  readonly #waiting = new Set<Client>()
  readonly #outbox: Pump
  readonly #more: () => void

  /** `more` asks for `proceed`. */
  constructor(outbox: Pump, more: () => void) {
    this.#outbox = outbox
    this.#more = more
  }

  /** The client has subscribed. */
  begin(client: Client): void {
    if (client.replays !== undefined) this.#fresh.add(client)
  }

  /** The client takes more, in a later turn. */
  add(client: Client): void {
    this.#waiting.add(client)
    this.#more()
  }

  delete(client: Client): void {
    this.#fresh.delete(client)
    this.#waiting.delete(client)
  }

  /** The event ends. */
  settle(): void {
    for (const client of this.#fresh) {
      this.#fresh.delete(client)
      this.#outbox.pump(client, FIRST)
    }
  }

  /** A turn for those that wait. */
  proceed(): void {
    for (let left = TURN; left > 0; left -= SHARE) {
      const { value: client } = this.#waiting.values().next()
      if (client === undefined) return
      this.#waiting.delete(client)
      this.#outbox.pump(client, SHARE)
    }
    if (this.#waiting.size > 0) this.#more()
  }
}
