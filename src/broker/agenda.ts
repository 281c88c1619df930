/** What the core has to look at later, under one alarm: absent clients, and messages that wait for their time. */
import type { Client } from './client.ts'
import { Deadlines } from './deadlines.ts'
import { DelayedMessages } from './delayed.ts'
import type { CoreLimits, Surroundings } from './port.ts'

export class Agenda {
  readonly delayed: DelayedMessages
  readonly #absent = new Deadlines<Client>()
  readonly #surroundings: Surroundings

  constructor(surroundings: Surroundings, limits: CoreLimits) {
    this.#surroundings = surroundings
    this.delayed = new DelayedMessages(limits, () => this.wake())
  }

  /** Looks at an absent client again when its will or the end of its session is due. */
  schedule(client: Client): void {
    const at = client.will === undefined ? client.endsAt : Math.min(client.willAt, client.endsAt)
    if (at === Number.POSITIVE_INFINITY || (client.scheduledAt !== 0 && client.scheduledAt <= at)) return
    client.scheduledAt = at
    this.#absent.add(at, client)
    if (this.#absent.next === at) this.wake()
  }

  /** A client to look at; it may be back, or gone, meanwhile. */
  takeDue(now: number): Client | undefined {
    const client = this.#absent.takeDue(now)
    if (client !== undefined) client.scheduledAt = 0
    return client
  }

  wake(): void {
    const next = Math.min(this.#absent.next ?? Number.POSITIVE_INFINITY, this.delayed.next ?? Number.POSITIVE_INFINITY)
    if (next !== Number.POSITIVE_INFINITY) this.#surroundings.wake(next)
  }
}
