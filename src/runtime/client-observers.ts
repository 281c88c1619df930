/** Who hears of what clients do: the events on `$SYS`, if they are wanted, and the watch for flapping. */
import type { Client } from '../broker/client.ts'
import type { ClientObserver } from '../broker/port.ts'
import type { CloseReason, ConnectRequest, SubscribeOptions } from '../sdk.ts'
import type { Flapping } from './flapping.ts'
import { SessionHost } from './host.ts'

export class ClientObservers implements ClientObserver {
  readonly #events: ClientObserver | undefined
  readonly #flapping: Flapping
  readonly #now: () => number

  constructor(events: ClientObserver | undefined, flapping: Flapping, now: () => number) {
    this.#events = events
    this.#flapping = flapping
    this.#now = now
  }

  connected(client: Client, request: ConnectRequest): void {
    this.#events?.connected(client, request)
  }

  disconnected(client: Client, reason: CloseReason): void {
    this.#events?.disconnected(client, reason)
    const address = client.ref instanceof SessionHost ? client.ref.peer.address : undefined
    this.#flapping.disconnected(client, address, reason, this.#now())
  }

  subscribed(client: Client, filter: string, options: SubscribeOptions): void {
    this.#events?.subscribed(client, filter, options)
  }

  unsubscribed(client: Client, filter: string): void {
    this.#events?.unsubscribed(client, filter)
  }
}
