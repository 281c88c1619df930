/** An address whose version of MQTT-SN is not known before it has spoken: from then on, a session of that version. */
import type {
  AuthenticationOutcome,
  CloseReason,
  ConnectOutcome,
  Delivery,
  Link,
  PublishOutcome,
  Session,
  SubscribeOutcome,
} from '#sdk'
import { AddressSession } from './address-session.ts'
import { type Version, versionOf } from './codec/v2/index.ts'
import type { Shared } from './shared.ts'
import { AddressSession as AddressSession2 } from './v2/address-session.ts'

export class VersionSession implements Session {
  readonly #shared: Shared
  readonly #link: Link
  #version: Version | undefined = undefined
  #session: AddressSession | AddressSession2 | undefined = undefined

  constructor(shared: Shared, link: Link) {
    this.#shared = shared
    this.#link = link
  }

  onBytes(datagram: Uint8Array): void {
    if (datagram.length > 0 && (this.#session === undefined || this.#session.isEmpty)) this.#choose(versionOf(datagram))
    this.#session?.onBytes(datagram)
  }

  #choose(version: Version): void {
    if (this.#version === version) return
    this.#version = version
    this.#session =
      version === '1.2' ? new AddressSession(this.#shared, this.#link) : new AddressSession2(this.#shared, this.#link)
  }

  onTimer(timer: number): void {
    this.#session?.onTimer(timer)
  }

  onConnect(outcome: ConnectOutcome): void {
    this.#session?.onConnect(outcome)
  }

  onChallenge(data: Uint8Array | undefined): void {
    if (this.#session instanceof AddressSession2) this.#session.onChallenge(data)
  }

  onAuthenticated(outcome: AuthenticationOutcome): void {
    if (this.#session instanceof AddressSession2) this.#session.onAuthenticated(outcome)
  }

  onDeliver(delivery: Delivery): void {
    this.#session?.onDeliver(delivery)
  }

  onPublished(tag: number, outcome: PublishOutcome): void {
    this.#session?.onPublished(tag, outcome)
  }

  onSubscribed(tag: number, outcome: SubscribeOutcome): void {
    this.#session?.onSubscribed(tag, outcome)
  }

  onClose(reason: CloseReason): void {
    this.#session?.onClose(reason)
  }

  describe(): Readonly<Record<string, unknown>> {
    return { version: this.#version, ...this.#session?.describe() }
  }
}
