/**
 * Enhanced authentication of MQTT-SN 2.0: AUTH packets between a client and the method that it named in CONNECT, before
 * CONNACK, and again whenever the client asks for it. What the data mean is the method's own business.
 */
import type { AuthenticationOutcome, ConnectRequest, Link } from '#sdk'
import { type PacketOf, Reason } from '../codec/v2/index.ts'
import type { Speaker } from './downlink.ts'

export class Authenticating {
  readonly method: string
  readonly #link: Link
  readonly #request: ConnectRequest
  readonly #speaker: Speaker
  /** Whose turn it is. */
  #turn: 'method' | 'client' | 'nobody' = 'method'
  /** Of the packet that is being answered. */
  #packetId: number

  /** Behind the CONNECT that named the method. */
  constructor(link: Link, request: ConnectRequest, { packetId, auth }: PacketOf<'connect'>, speaker: Speaker) {
    this.method = auth?.method ?? ''
    this.#link = link
    this.#request = request
    this.#speaker = speaker
    this.#packetId = packetId
  }

  challenge(data: Uint8Array | undefined): void {
    this.#turn = 'client'
    this.#say(Reason.continueAuthentication, data)
  }

  /** The method has accepted: CONNACK says so. */
  accepted(): void {
    this.#turn = 'nobody'
  }

  /** The method has judged a client that was connected before; false: it is out. */
  judged(outcome: AuthenticationOutcome): boolean {
    this.#turn = 'nobody'
    if (outcome.ok) this.#say(Reason.success, outcome.data)
    return outcome.ok
  }

  /** False for an AUTH that may not come now, or with another method. */
  onAuth({ packetId, reason, method, data }: PacketOf<'auth'>): boolean {
    if (method !== this.method) return false
    const isAnswer = reason === Reason.continueAuthentication && this.#turn === 'client'
    const isAgain = reason === Reason.reauthenticate && this.#turn === 'nobody'
    if (!isAnswer && !isAgain) return false
    this.#packetId = packetId
    this.#turn = 'method'
    const said = new Uint8Array(data)
    if (isAnswer) this.#link.respond(said)
    else this.#link.authenticate({ ...this.#request, authentication: { method, data: said } })
    return true
  }

  #say(reason: number, data: Uint8Array | undefined): void {
    const { method } = this
    this.#speaker.send({ type: 'auth', packetId: this.#packetId, reason, method, data: data ?? new Uint8Array(0) })
  }
}
