/** The server as a gateway: so the scripts of `specs/coap/scripts` perform on it, and any listener can carry it. */
import type { CloseReason, Link, Session } from '#sdk'
import { defineGateway } from '#sdk'
import type { EndpointContext } from '#stacks/coap/endpoint'
import { PlugtestPeer } from './peer.ts'
import { type PlugtestConfig, plugtestConfig } from './settings.ts'
import { PlugtestSite } from './site.ts'

const TIMER = 1

class LinkSession implements Session, EndpointContext {
  readonly #link: Link
  readonly #peer: PlugtestPeer

  constructor(site: PlugtestSite, link: Link, config: PlugtestConfig) {
    this.#link = link
    const events = {
      malformed: (fault: Parameters<Link['malformed']>[0]) => link.malformed(fault),
      count: (name: string, by?: number) => link.count(name, by),
    }
    this.#peer = new PlugtestPeer(site, this, events, config)
  }

  onBytes(datagram: Uint8Array): void {
    this.#peer.endpoint.receive(datagram)
  }

  onTimer(): void {
    this.#peer.endpoint.onTimer()
  }

  onConnect(): void {}

  onDeliver(): void {}

  onClose(_reason: CloseReason): void {
    this.#peer.close()
  }

  now(): number {
    return this.#link.now()
  }

  random(bytes: number): Uint8Array {
    return this.#link.random(bytes)
  }

  send(datagram: Uint8Array): void {
    this.#link.send(datagram)
  }

  arm(delayMs: number): void {
    this.#link.arm(TIMER, delayMs)
  }

  disarm(): void {
    this.#link.disarm(TIMER)
  }
}

export default defineGateway<PlugtestConfig>({
  name: 'coap-plugtest-server',
  title: 'CoAP plugtest server',
  spec: 'coap',
  transports: ['udp'],
  listeners: [{ type: 'udp', port: 5683 }],
  config: plugtestConfig,
  create: ({ config }) => {
    const site = new PlugtestSite()
    return { open: (link) => new LinkSession(site, link, config) }
  },
})
