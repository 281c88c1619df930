/** An endpoint under test: virtual time, even randomness, and everything that it sent and said. */
import type { Malformed } from '#sdk'
import {
  DEFAULT_SETTINGS,
  Endpoint,
  type EndpointContext,
  type EndpointEvents,
  type EndpointSettings,
} from '#stacks/coap/endpoint'
import type { Exchange } from '#stacks/coap/exchange'
import type { CoapMessage } from '#stacks/coap/message'

export class FakePeer implements EndpointContext, EndpointEvents {
  readonly endpoint: Endpoint
  readonly counts = new Map<string, number>()
  readonly malformed: string[] = []
  readonly requests: { request: CoapMessage; exchange: Exchange }[] = []
  /** What to do with a request; by default it is left open. */
  handle: (exchange: Exchange, request: CoapMessage) => void = () => {}
  respondTo: (response: CoapMessage) => boolean = () => false
  /** Every random byte. */
  randomByte: number
  alive = 0
  #now = 1_000_000
  #armedFor = Number.POSITIVE_INFINITY
  #sent: Uint8Array[] = []

  constructor(settings: Partial<EndpointSettings> = {}, randomByte = 0) {
    this.randomByte = randomByte
    this.endpoint = new Endpoint(this, this, { ...DEFAULT_SETTINGS, ...settings })
  }

  now(): number {
    return this.#now
  }

  send(datagram: Uint8Array): void {
    this.#sent.push(datagram)
  }

  random(bytes: number): Uint8Array {
    return new Uint8Array(bytes).fill(this.randomByte)
  }

  arm(delayMs: number): void {
    this.#armedFor = this.#now + delayMs
  }

  disarm(): void {
    this.#armedFor = Number.POSITIVE_INFINITY
  }

  get armed(): boolean {
    return this.#armedFor !== Number.POSITIVE_INFINITY
  }

  onRequest(request: CoapMessage, exchange: Exchange): void {
    this.requests.push({ request, exchange })
    this.handle(exchange, request)
  }

  onResponse(response: CoapMessage): boolean {
    return this.respondTo(response)
  }

  onAlive(): void {
    this.alive++
  }

  onMalformed(fault: Malformed): void {
    this.malformed.push(fault.malformed)
  }

  count(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
  }

  /** What was sent since the last look, in hex. */
  take(): string[] {
    return this.takeBytes().map((bytes) => Buffer.from(bytes).toString('hex'))
  }

  takeBytes(): Uint8Array[] {
    const sent = this.#sent
    this.#sent = []
    return sent
  }

  advance(ms: number): void {
    const end = this.#now + ms
    while (this.#armedFor <= end) {
      this.#now = this.#armedFor
      this.#armedFor = Number.POSITIVE_INFINITY
      this.endpoint.onTimer()
    }
    this.#now = end
  }

  /** The clock is set. */
  jump(ms: number): void {
    this.#now += ms
    this.#armedFor += ms
  }

  receive(hex: string): void {
    this.endpoint.receive(new Uint8Array(Buffer.from(hex.replace(/\s+/g, ''), 'hex')))
  }
}
