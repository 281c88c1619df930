/**
 * Bounds the log: everything that is still alive is recorded anew at its head, slice by slice, and then what is older
 * is deleted. A process that ends in between reads both, which is the same state.
 */
import type { Client } from '../broker/client.ts'
import type { Delayed } from '../broker/delayed.ts'
import type { DeliveryRecord } from '../broker/delivery.ts'
import type { Message } from '../sdk.ts'
import type { StoreJournal } from './journal.ts'
import type { Log } from './log.ts'
import type { Note } from './notebooks.ts'

/** What is alive, as the core holds it. */
export interface Living {
  clients(): Iterator<Client>
  retained(): Iterator<Message>
  delayed(): Iterable<Delayed>
}

/** Octets that one slice records, about: a few milliseconds. */
const SLICE_BYTES = 128 * 1024
/** Clients that one slice looks at, stored or not. */
const SLICE_CLIENTS = 2000

export class Checkpoint {
  readonly #log: Log
  readonly #journal: StoreJournal
  readonly #clients: Iterator<Client>
  readonly #retained: Iterator<Message>
  readonly #delayed: Delayed[]
  readonly #notes: Iterator<Note, undefined>
  readonly #from: number
  #clientsLeft = true
  /** Whose deliveries are being recorded. */
  #client: Client | undefined = undefined
  /** The number of its session. */
  #number = 0
  #deliveries: DeliveryRecord[] = []
  #next = 0
  #written = 0

  constructor(log: Log, journal: StoreJournal, living: Living, notes: Iterator<Note, undefined>) {
    this.#log = log
    this.#journal = journal
    this.#clients = living.clients()
    this.#retained = living.retained()
    // The heap that it comes from is in another order after each change.
    this.#delayed = [...living.delayed()]
    this.#notes = notes
    this.#from = log.head
    journal.restart()
  }

  /** Octets of what is alive, once it has ended. */
  get written(): number {
    return this.#written
  }

  /** Records the next slice. False when everything alive is recorded. */
  next(): boolean {
    const before = this.#log.pending
    const more = this.#slice(before)
    this.#written += this.#log.pending - before
    return more
  }

  /** Everything is recorded and stored: what is older goes, one file a call. False when there is none. Throws StoreError. */
  drop(): boolean {
    if (this.#log.oldest >= this.#from) return false
    this.#log.dropOldest()
    return true
  }

  #slice(before: number): boolean {
    let clients = 0
    // Between two slices a receiver may be done: what a receiver refers to stands in its own slice.
    const known = new Set<number>()
    while (this.#log.pending - before < SLICE_BYTES) {
      if (this.#client !== undefined) {
        this.#deliver(this.#client, known)
        continue
      }
      if (this.#clientsLeft) {
        if (++clients > SLICE_CLIENTS) return true
        const { value, done } = this.#clients.next()
        if (done === true) this.#clientsLeft = false
        else if (value.number !== 0) this.#open(value)
        continue
      }
      const delayed = this.#delayed.pop()
      if (delayed !== undefined) {
        if (delayed.stored !== 0) this.#journal.delayed(delayed)
        continue
      }
      const note = this.#notes.next().value
      if (note !== undefined) {
        this.#journal.noted(note.gateway, note.key, note.value)
        continue
      }
      const { value, done } = this.#retained.next()
      if (done === true) return false
      this.#journal.retained(value)
    }
    return true
  }

  #open(client: Client): void {
    const journal = this.#journal
    journal.session(client)
    for (const subscription of client.allSubscriptions()) journal.subscribed(client, subscription)
    for (const [key, value] of client.memory?.entries() ?? []) journal.remembered(client, key, value)
    this.#client = client
    this.#number = client.number
    // As they are now: those that come are recorded as they come, and in the queue others move up.
    this.#deliveries = client.inflight?.inOrder() ?? []
    client.queue?.each((record) => this.#deliveries.push(record))
    this.#next = 0
  }

  /** Records the next delivery of the client, if that is not over, and the session has not ended in the meantime. */
  #deliver(client: Client, known: Set<number>): void {
    const record = client.number === this.#number ? this.#deliveries[this.#next++] : undefined
    if (record === undefined) {
      // Once more: nothing older will be there when one of the two is damaged.
      if (client.number === this.#number) this.#journal.session(client)
      this.#client = undefined
      this.#deliveries = []
      return
    }
    if (record.stored === 0) return
    this.#journal.delivery(client, record, known.has(record.stored))
    known.add(record.stored)
  }
}
