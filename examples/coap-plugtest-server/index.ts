/** The server as a gateway: so the scripts of `specs/coap/scripts` perform on it, and any listener can carry it. */
import * as z from 'zod'
import type { CloseReason, Link, Session } from '#sdk'
import { defineGateway } from '#sdk'
import type { EndpointContext } from '#stacks/coap/endpoint'
import { PlugtestPeer } from './peer.ts'
import { DEFAULT_BLOCK_SIZE, MAX_BODY_SIZE, responderSettings } from './settings.ts'
import { PlugtestSite } from './site.ts'

const TIMER = 1

const config = z.strictObject({
  /** Largest block in either direction, in bytes. */
  blockSize: z.literal([16, 32, 64, 128, 256, 512, 1024]).default(DEFAULT_BLOCK_SIZE),
  /** Largest request body, in bytes. */
  bodySize: z.int().min(1).max(MAX_BODY_SIZE).default(MAX_BODY_SIZE),
  echo: z.enum(['off', 'amplification', 'always']).default('off'),
})

class LinkSession implements Session, EndpointContext {
  readonly #link: Link
  readonly #peer: PlugtestPeer

  constructor(site: PlugtestSite, link: Link, { blockSize, bodySize, echo }: z.output<typeof config>) {
    this.#link = link
    const events = {
      malformed: (fault: Parameters<Link['malformed']>[0]) => link.malformed(fault),
      count: (name: string, by?: number) => link.count(name, by),
    }
    this.#peer = new PlugtestPeer(site, this, events, responderSettings(blockSize, echo, bodySize))
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

export default defineGateway<z.output<typeof config>>({
  name: 'coap-plugtest-server',
  title: 'CoAP plugtest server',
  spec: 'coap',
  transports: ['udp'],
  listeners: [{ type: 'udp', port: 5683 }],
  config,
  create: ({ config: settings }) => {
    const site = new PlugtestSite()
    return { open: (link) => new LinkSession(site, link, settings) }
  },
})
