/** Two nodes, each server and client, on a bad network in virtual time. */
import type { Malformed } from '#sdk'
import { Client, type ClientSettings, DEFAULT_CLIENT_SETTINGS } from '#stacks/coap/client'
import {
  DEFAULT_SETTINGS,
  Endpoint,
  type EndpointContext,
  type EndpointEvents,
  type EndpointSettings,
} from '#stacks/coap/endpoint'
import type { Exchange } from '#stacks/coap/exchange'
import type { CoapMessage } from '#stacks/coap/message'
import { Requester } from '#stacks/coap/requester'
import { type Inquiry, Responder, type ResponderEvents, type ResponderSettings } from '#stacks/coap/responder'
import { ByteBudget } from '#stacks/coap/uploads'
import { Impairment, type ImpairmentOptions, PERFECT } from '../../../examples/devices/impairment.ts'

export interface NodeOptions {
  readonly endpoint?: Partial<EndpointSettings>
  readonly responder?: ResponderSettings
  readonly client?: Partial<ClientSettings>
}

const RESPONDER: ResponderSettings = {
  blockwise: { maxBlockSize: 1024, maxBodySize: 64 * 1024, maxTransfers: 16 },
  echo: 'off',
}

/** Everything is caused by a call of `advance`, or happens before the call returns that caused it. */
export class Network {
  readonly nodes: readonly [Node, Node]
  /** Each datagram that was sent, with its sender, arrived or not. */
  readonly wire: { readonly from: Node; readonly bytes: Uint8Array }[] = []
  impairment: Impairment
  #now = 1_000_000
  #order = 0
  readonly #flying: { readonly at: number; readonly order: number; readonly to: Node; readonly bytes: Uint8Array }[] = []

  constructor(impairment: Partial<ImpairmentOptions> = {}, options: readonly [NodeOptions, NodeOptions] = [{}, {}]) {
    this.impairment = new Impairment({ ...PERFECT, delayMs: 10, ...impairment })
    this.nodes = [new Node(this, options[0]), new Node(this, options[1])]
  }

  now(): number {
    return this.#now
  }

  carry(from: Node, bytes: Uint8Array): void {
    this.wire.push({ from, bytes })
    const to = from === this.nodes[0] ? this.nodes[1] : this.nodes[0]
    for (const delayMs of this.impairment.next()) {
      this.#flying.push({ at: this.#now + delayMs, order: this.#order++, to, bytes })
    }
  }

  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      this.#flying.sort((a, b) => a.at - b.at || a.order - b.order)
      const arrival = this.#flying[0]?.at ?? Number.POSITIVE_INFINITY
      const timer = Math.min(this.nodes[0].armedFor, this.nodes[1].armedFor)
      const next = Math.min(arrival, timer)
      if (next > end) break
      this.#now = Math.max(this.#now, next)
      if (arrival <= timer) {
        const datagram = this.#flying.shift()
        datagram?.to.endpoint.receive(datagram.bytes)
      } else {
        for (const node of this.nodes) if (node.armedFor <= this.#now) node.fire()
      }
    }
    this.#now = end
  }
}

export class Node implements EndpointContext, EndpointEvents, ResponderEvents {
  readonly endpoint: Endpoint
  readonly responder: Responder
  readonly requester: Requester
  readonly client: Client
  readonly counts = new Map<string, number>()
  readonly malformed: string[] = []
  /** How requests are served. */
  serve: (inquiry: Inquiry) => void = () => {}
  armedFor = Number.POSITIVE_INFINITY
  readonly #network: Network

  constructor(network: Network, { endpoint = {}, responder = RESPONDER, client = {} }: NodeOptions) {
    const random = (bytes: number): Uint8Array => this.random(bytes)
    this.#network = network
    this.endpoint = new Endpoint(this, this, { ...DEFAULT_SETTINGS, ...endpoint })
    this.responder = new Responder(this.endpoint, responder, new ByteBudget(1024 * 1024), this, random)
    this.requester = new Requester(this.endpoint, random)
    this.client = new Client(this.requester, random, { ...DEFAULT_CLIENT_SETTINGS, ...client })
  }

  now(): number {
    return this.#network.now()
  }

  random(bytes: number): Uint8Array {
    return Uint8Array.from({ length: bytes }, () => this.#network.impairment.random() * 256)
  }

  send(datagram: Uint8Array): void {
    this.#network.carry(this, datagram)
  }

  arm(delayMs: number): void {
    this.armedFor = this.#network.now() + delayMs
  }

  disarm(): void {
    this.armedFor = Number.POSITIVE_INFINITY
  }

  fire(): void {
    this.armedFor = Number.POSITIVE_INFINITY
    this.endpoint.onTimer()
  }

  onRequest(request: CoapMessage, exchange: Exchange): void {
    this.responder.onRequest(request, exchange)
  }

  onInquiry(inquiry: Inquiry): void {
    this.serve(inquiry)
  }

  onResponse(response: CoapMessage): boolean {
    return this.requester.onResponse(response)
  }

  onMalformed(fault: Malformed): void {
    this.malformed.push(fault.malformed)
  }

  count(name: string, by = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by)
  }
}
