/** What a client is apart from what it says: its place, the way to it, and its only timer (MQTT-SN 1.2, 6.13, 7.2). */
import type { Link } from '#sdk'
import { encode, type Message } from './codec/index.ts'
import type { Place } from './place.ts'
import type { Speaker } from './shared.ts'

/** Rings at the earlier of supervision and repetition. */
const TIMER = 1

export abstract class SeatedClient implements Speaker {
  readonly clientId: string
  readonly link: Link
  place: Place
  // Times are ms since the epoch. What is not awaited is undefined: a field that once held 0 keeps a boxed number in each
  // of a million sleeping clients.
  /** When an unheard client is lost; undefined is never. */
  protected lostAt: number | undefined = undefined
  /** When something is to be sent again; undefined is never. */
  protected repeatAt: number | undefined = undefined
  #armedAt: number | undefined = undefined
  #encapsulation: Uint8Array | undefined

  /** `encapsulation`: what goes in front of every message to this client; undefined without a forwarder. */
  constructor(link: Link, place: Place, clientId: string, encapsulation: Uint8Array | undefined) {
    this.link = link
    this.place = place
    this.clientId = clientId
    this.#encapsulation = encapsulation
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

  /** Its place reads the datagrams. */
  onBytes(): void {}

  /** An armed timer that is early is left alone, and arms itself again: to be heard must cost nothing. */
  protected schedule(): void {
    const at = earlier(this.lostAt, this.repeatAt)
    if (at === undefined || (this.#armedAt !== undefined && this.#armedAt <= at)) return
    this.#armedAt = at
    this.link.arm(TIMER, Math.max(0, at - this.link.now()))
  }

  /** The timer rang: whoever waits for something arms it again. */
  protected rang(): void {
    this.#armedAt = undefined
  }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a
}
