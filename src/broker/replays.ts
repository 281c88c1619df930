/** Clients to which retained messages of a new subscription are still to be sent, a budget of them at a time. */
import type { Client } from './client.ts'
import type { Outbox } from './outbox.ts'

export class Replays {
  readonly #waiting = new Set<Client>()
  readonly #outbox: Outbox
  readonly #more: () => void

  /** `more` asks for another call of `settle`. */
  constructor(outbox: Outbox, more: () => void) {
    this.#outbox = outbox
    this.#more = more
  }

  add(client: Client): void {
    if (client.replays !== undefined) this.#waiting.add(client)
  }

  delete(client: Client): void {
    this.#waiting.delete(client)
  }

  settle(budget: number): void {
    if (this.#waiting.size === 0) return
    for (const client of [...this.#waiting]) {
      this.#outbox.pump(client, budget)
      if (client.replays === undefined || client.held) this.#waiting.delete(client)
    }
    for (const client of this.#waiting) {
      // A full window continues by itself when an acknowledgement arrives.
      if (client.unacknowledged >= client.window) this.#waiting.delete(client)
    }
    if (this.#waiting.size > 0) this.#more()
  }
}
