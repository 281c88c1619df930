/**
 * Enhanced authentication (MQTT 5.0 sections 3.15 and 4.12): AUTH packets between a client and the method that it named in
 * CONNECT, before CONNACK, and again whenever the client asks for it. What the data mean is the method's own business.
 */
import type { IAuthPacket, Packet } from 'mqtt-packet'
import type { Authentication, ConnectRequest, Link } from '#sdk'
import { CONTINUE_AUTHENTICATION, REAUTHENTICATE } from './codec/reasons.ts'

const SUCCESS = 0

/** Whose turn it is. */
type Turn = 'method' | 'client' | 'nobody'

export class Authenticating {
  readonly #link: Link
  readonly #request: ConnectRequest
  readonly #method: string
  readonly #send: (packet: Packet) => void
  #turn: Turn = 'method'

  /** Behind the CONNECT that named the method. */
  constructor(link: Link, request: ConnectRequest, { method }: Authentication, send: (packet: Packet) => void) {
    this.#link = link
    this.#request = request
    this.#method = method
    this.#send = send
  }

  /** The client has to answer: it is the only one who may speak before CONNACK. */
  get isChallenged(): boolean {
    return this.#turn === 'client'
  }

  /** [MQTT-4.12.0-2] */
  challenge(data: Uint8Array | undefined): void {
    this.#turn = 'client'
    this.#say(CONTINUE_AUTHENTICATION, data)
  }

  /** The method has accepted: CONNACK says so. */
  accepted(): void {
    this.#turn = 'nobody'
  }

  /** The method has accepted a client that was connected before (section 4.12.1). */
  acceptedAgain(data: Uint8Array | undefined): void {
    this.#turn = 'nobody'
    this.#say(SUCCESS, data)
  }

  /** False for an AUTH that may not come now, or with another method [MQTT-4.12.0-5], [MQTT-4.12.1-1]. */
  onAuth({ reasonCode, properties }: IAuthPacket): boolean {
    if (properties?.authenticationMethod !== this.#method) return false
    const data = properties.authenticationData
    if (reasonCode === CONTINUE_AUTHENTICATION && this.#turn === 'client') {
      this.#turn = 'method'
      this.#link.respond(data)
      return true
    }
    if (reasonCode !== REAUTHENTICATE || this.#turn !== 'nobody') return false
    this.#turn = 'method'
    const authentication = { method: this.#method, ...(data !== undefined && { data }) }
    this.#link.authenticate({ ...this.#request, authentication })
    return true
  }

  #say(reasonCode: number, data: Uint8Array | undefined): void {
    const properties = {
      authenticationMethod: this.#method,
      ...(data !== undefined && { authenticationData: Buffer.from(data) }),
    }
    this.#send({ cmd: 'auth', reasonCode, properties })
  }
}
