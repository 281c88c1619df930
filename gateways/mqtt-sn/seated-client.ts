/** What a client is apart from what it says: its place, the way to it, and its timers (MQTT-SN 1.2, 6.13, 7.2). */
import type { Link } from '#sdk'
import { encode, type Message } from './codec/index.ts'
import type { Place } from './place.ts'
import type { Shared, Speaker } from './shared.ts'

/** Supervision: the client has been silent for too long. */
export const LOST = 1
/** Something is to be sent again. */
const REPEAT = 2

export abstract class SeatedClient implements Speaker {
  readonly clientId: string
  readonly link: Link
  place: Place
  #encapsulation: Uint8Array | undefined

  /** `encapsulation`: what goes in front of every message to this client; undefined without a forwarder. */
  constructor(link: Link, place: Place, clientId: string, encapsulation: Uint8Array | undefined) {
    this.link = link
    this.place = place
    this.clientId = clientId
    this.#encapsulation = encapsulation
  }

  protected get shared(): Shared {
    return this.place.shared
  }

  /** It has moved to `place`, link and all. */
  moved(place: Place, encapsulation: Uint8Array | undefined): void {
    this.place = place
    this.#encapsulation = encapsulation
  }

  get isForwarded(): boolean {
    return this.#encapsulation !== undefined
  }

  send(message: Message): void {
    const bytes = encode(message)
    this.link.send(this.#encapsulation === undefined ? bytes : Buffer.concat([this.#encapsulation, bytes]))
  }

  /** Lost when it is not heard for so long; 0 is never. */
  protected supervise(patienceMs: number): void {
    if (patienceMs === 0) this.link.disarm(LOST)
    else this.link.arm(LOST, patienceMs)
  }

  /** At `dueAt`, ms since the epoch; undefined is never. */
  protected repeatAt(dueAt: number | undefined): void {
    if (dueAt === undefined) this.link.disarm(REPEAT)
    else this.link.arm(REPEAT, Math.max(0, dueAt - this.link.now()))
  }

  /** Its place reads the datagrams. */
  onBytes(): void {}
}
