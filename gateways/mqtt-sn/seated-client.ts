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
  /** When an unheard client is lost, ms since the epoch; 0 is never. */
  protected lostAt = 0
  /** When something is to be sent again; 0 is never. */
  protected repeatAt = 0
  #armedAt = 0
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
    if (at === 0 || (this.#armedAt !== 0 && this.#armedAt <= at)) return
    this.#armedAt = at
    this.link.arm(TIMER, Math.max(0, at - this.link.now()))
  }

  /** The timer rang: whoever waits for something arms it again. */
  protected rang(): void {
    this.#armedAt = 0
  }
}

function earlier(a: number, b: number): number {
  return a === 0 ? b : b === 0 ? a : Math.min(a, b)
}
