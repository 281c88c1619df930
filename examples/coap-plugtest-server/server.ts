/** The server on a UDP socket, without a broker: one message layer for each address, bounded in number. */
import { randomBytes } from 'node:crypto'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { EndpointContext } from '#stacks/coap/endpoint'
import { type PeerEvents, PlugtestPeer } from './peer.ts'
import { type PlugtestConfig, plugtestConfig } from './settings.ts'
import { PlugtestSite } from './site.ts'

/** Addresses that are known at a time; when there are more, a quiet one is forgotten, or the newcomer is ignored. */
const MAX_PEERS = 10_000
const SWEEP_MS = 60_000

export interface PlugtestServerOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly config?: PlugtestConfig | undefined
  /** Told of everything worth a counter, and of malformed input by its reason. */
  readonly counted?: ((name: string, by: number) => void) | undefined
}

export class PlugtestServer {
  readonly #options: PlugtestServerOptions
  readonly #config: PlugtestConfig
  readonly #site = new PlugtestSite()
  readonly #socket: Socket
  readonly #peers = new Map<string, SocketPeer>()
  readonly #events: PeerEvents
  #sweep: NodeJS.Timeout | undefined = undefined

  constructor(options: PlugtestServerOptions) {
    this.#options = options
    this.#config = options.config ?? plugtestConfig.parse({})
    const { counted = () => {} } = options
    this.#events = {
      malformed: ({ malformed }) => counted(`malformed-${malformed}`, 1),
      count: (name, by = 1) => counted(name, by),
    }
    this.#socket = createSocket(isIPv6(options.host) ? 'udp6' : 'udp4')
    this.#socket.on('message', (datagram, from) => this.#peer(from)?.peer.endpoint.receive(datagram))
  }

  /** Resolves with the port that it listens on. */
  async start(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('error', reject)
      this.#socket.bind(this.#options.port, this.#options.host, () => {
        this.#socket.off('error', reject)
        resolve()
      })
    })
    // An address where nobody listens shows as silence.
    this.#socket.on('error', () => {})
    this.#sweep = setInterval(() => this.#forgetQuiet(), SWEEP_MS)
    return this.#socket.address().port
  }

  stop(): void {
    clearInterval(this.#sweep)
    for (const { peer } of this.#peers.values()) peer.close()
    this.#peers.clear()
    this.#socket.close()
  }

  #peer(from: RemoteInfo): SocketPeer | undefined {
    const key = `${from.address} ${from.port}`
    const known = this.#peers.get(key)
    if (known !== undefined) return known
    if (this.#peers.size >= MAX_PEERS) this.#forgetQuiet()
    if (this.#peers.size >= MAX_PEERS) {
      this.#events.count('peer-refused')
      return undefined
    }
    const created = new SocketPeer(this.#site, this.#socket, from, this.#events, this.#config)
    this.#peers.set(key, created)
    return created
  }

  #forgetQuiet(): void {
    for (const [key, { peer }] of this.#peers) {
      if (!peer.isQuiet) continue
      peer.close()
      this.#peers.delete(key)
    }
  }
}

/** The world of one peer's message layer: its address on the common socket, and a timer. */
class SocketPeer implements EndpointContext {
  readonly peer: PlugtestPeer
  readonly #socket: Socket
  readonly #to: RemoteInfo
  #timer: NodeJS.Timeout | undefined = undefined

  constructor(site: PlugtestSite, socket: Socket, to: RemoteInfo, events: PeerEvents, config: PlugtestConfig) {
    this.#socket = socket
    this.#to = to
    this.peer = new PlugtestPeer(site, this, events, config)
  }

  now(): number {
    return Date.now()
  }

  random(bytes: number): Uint8Array {
    return randomBytes(bytes)
  }

  send(datagram: Uint8Array): void {
    // What cannot be sent now is repeated by the message layer.
    this.#socket.send(datagram, this.#to.port, this.#to.address, () => {})
  }

  arm(delayMs: number): void {
    this.disarm()
    this.#timer = setTimeout(() => this.peer.endpoint.onTimer(), delayMs)
  }

  disarm(): void {
    clearTimeout(this.#timer)
  }
}
