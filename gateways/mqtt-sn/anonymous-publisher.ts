/**
 * Publishes for senders that have no connection (QoS -1; MQTT-SN 1.2, 6.8), under a client id of its own so that it can
 * be authorized like any other. It lives at the address that needed it first, until nobody has needed it for a while.
 */
import {
  type CloseReason,
  type ConnectOutcome,
  isAccepted,
  type Link,
  type Message,
  type PublishOutcome,
  type Session,
} from '#sdk'
import type { Seats, Sitter } from './seats.ts'
import type { Shared } from './shared.ts'

const SILENCE = 1
/** Publishes that wait for the broker to admit the client; more are dropped and counted. */
const MAX_WAITING = 16
/** Publishes are tagged so that their outcome is told. */
const TAG = 0

export class AnonymousPublisher implements Session {
  readonly #shared: Shared
  readonly #link: Link
  readonly #clientId: string
  readonly #left: () => void
  #state: 'connecting' | 'online' | 'refused' = 'connecting'
  #waiting: Message[] = []

  constructor(shared: Shared, link: Link, clientId: string, left: () => void) {
    this.#shared = shared
    this.#link = link
    this.#clientId = clientId
    this.#left = left
    shared.publishers.set(clientId, this)
    link.arm(SILENCE, shared.config.qosMinus1.idleTimeout)
    link.connect({
      clientId,
      protocol: 'mqtt-sn',
      version: '1.2',
      cleanStart: true,
      expiryMs: 0,
      keepAliveMs: 0,
    })
  }

  publish(message: Message): void {
    this.#link.arm(SILENCE, this.#shared.config.qosMinus1.idleTimeout)
    if (this.#state === 'online') this.#link.publish(message, TAG)
    else if (this.#state === 'refused') this.#link.count('qos-minus-1-refused')
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(message)
    else this.#link.count('qos-minus-1-dropped')
  }

  onConnect(outcome: ConnectOutcome): void {
    this.#state = outcome.ok ? 'online' : 'refused'
    const waiting = this.#waiting
    this.#waiting = []
    if (outcome.ok) for (const message of waiting) this.#link.publish(message, TAG)
    else this.#link.count('qos-minus-1-refused', waiting.length)
  }

  onPublished(_tag: number, outcome: PublishOutcome): void {
    this.#link.count(isAccepted(outcome) ? 'qos-minus-1' : 'qos-minus-1-refused')
  }

  onTimer(): void {
    this.#link.close('disconnected')
  }

  onClose(_reason: CloseReason): void {
    // Its going may close the address, which closes what is on it.
    if (this.#shared.publishers.get(this.#clientId) !== this) return
    this.#shared.publishers.delete(this.#clientId)
    this.#left()
  }

  /** It subscribes to nothing, and its wire belongs to the address. */
  onDeliver(): void {}
  onBytes(): void {}
}

/** Who publishes for senders at this address; a new one lives on a branch of it. */
export function publisherFor(shared: Shared, link: Link, seats: Seats<Sitter>): AnonymousPublisher {
  const { peer, gateway } = link
  const values: Readonly<Record<string, string>> = { peerhost: peer.address, peerport: String(peer.port), gateway }
  const clientId = shared.config.qosMinus1.clientId.replace(/\$\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)
  const known = shared.publishers.get(clientId)
  if (known !== undefined) return known
  return link.branch((branch) => {
    seats.guests++
    return new AnonymousPublisher(shared, branch, clientId, () => {
      seats.guests--
      seats.leaveIfEmpty()
    })
  }) as AnonymousPublisher
}
