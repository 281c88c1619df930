/** Which sessions the journal knows: those that outlive their connection, each by a number of its own. */
import type { Client } from './client.ts'
import type { Journal } from './journal.ts'
import { Memory } from './memory.ts'
import type { Outbox } from './outbox.ts'

export class StoredSessions {
  /** The newest session's number. */
  lastNumber = 0
  readonly #journal: Journal | undefined
  readonly #outbox: Outbox

  constructor(journal: Journal | undefined, outbox: Outbox) {
    this.#journal = journal
    this.#outbox = outbox
  }

  /** The client has connected: its session is stored from now on, or not any more. */
  begin(client: Client): void {
    if (this.#journal === undefined) return
    if (client.expiryMs <= 0) {
      this.end(client)
      return
    }
    if (client.number === 0) client.number = ++this.lastNumber
    this.#journal.session(client)
  }

  /** Facts of the session changed: connected, expiry, will. */
  changed(client: Client): void {
    if (client.number !== 0) this.#journal?.session(client)
  }

  /** Keeps a value; `undefined` forgets it. */
  remember(client: Client, key: string, value: string | undefined): void {
    if (client.number === 0) return
    if (value === undefined) {
      if (client.memory?.delete(key) !== true) return
      if (client.memory.size === 0) client.memory = undefined
    } else {
      client.memory ??= new Memory()
      client.memory.set(key, value)
    }
    this.#journal?.remembered(client, key, value)
  }

  end(client: Client): void {
    if (client.number === 0) return
    this.#journal?.ended(client)
    client.number = 0
    client.memory = undefined
    this.#outbox.forget(client)
  }
}
