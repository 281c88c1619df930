/** The client's half above the message layer: bodies of any size both ways (RFC 7959), and observations (RFC 7641). */
import { ClientObservation, type ObservationEvents } from './client-observation.ts'
import { ClientTransfer, type TransferResult } from './client-transfer.ts'
import type { Request, Requester, RequestHandle, RequestSender } from './requester.ts'

export interface ClientSettings {
  /** The largest block in either direction, in bytes. */
  readonly maxBlockSize: number
  /** A larger answer fails as `too-large`. */
  readonly maxBodyBytes: number
}

export const DEFAULT_CLIENT_SETTINGS: ClientSettings = { maxBlockSize: 1024, maxBodyBytes: 1024 * 1024 }

export class Client {
  readonly #requester: Requester
  readonly #settings: ClientSettings
  readonly #random: (bytes: number) => Uint8Array

  constructor(requester: Requester, random: (bytes: number) => Uint8Array, settings = DEFAULT_CLIENT_SETTINGS) {
    this.#requester = requester
    this.#random = random
    this.#settings = settings
  }

  /**
   * Sends a request with a body of any size, through `sender` where it is to be protected; `done` is called once, with
   * the whole answer or why there is none.
   */
  request(request: Request, done: (result: TransferResult) => void, sender: RequestSender = this.#requester): RequestHandle {
    const transfer = new ClientTransfer(sender, this.#settings, request, this.#random, done)
    transfer.start()
    return transfer
  }

  /** Observes what a GET or FETCH asks for, until it ends or is cancelled. */
  observe(request: Request, events: ObservationEvents): ClientObservation {
    const observation = new ClientObservation(this.#requester, this.#settings, request, this.#random, events)
    observation.register()
    return observation
  }
}
