/**
 * One running gateway instance: its module's gateway, its listeners, its sessions, and the port through which the
 * core reaches them. What happens inside one instance (a throw, a full listener, a restart) stays inside it.
 */
import type { Client } from '../broker/client.ts'
import type { Port } from '../broker/port.ts'
import type { GatewayInstance, ListenerConfig } from '../config/effective.ts'
import type {
  Answer,
  CloseReason,
  Delivery,
  Gateway,
  GatewayModule,
  Link,
  Log,
  SaveOutcome,
  Session,
  SessionLimits,
} from '../sdk.ts'
import type { Listener, TotalLimits } from '../transport/listener.ts'
import { createListener } from '../transport/listener.ts'
import { TokenBucket } from '../transport/token-bucket.ts'
import type { Wire } from '../transport/wire.ts'
import { systemCrypto } from './crypto.ts'
import { GatewayCounters } from './gateway-counters.ts'
import { SessionHost } from './host.ts'
import type { GatewayOutside } from './outside.ts'
import { peerName } from './peer-name.ts'
import { PublishQuotas } from './publish-quotas.ts'
import type { Shared, Turn } from './surroundings.ts'

export interface RunningListener {
  readonly config: ListenerConfig
  readonly listener: Listener
}

export class GatewayRuntime implements Port {
  readonly name: string
  readonly module: GatewayModule
  readonly shared: Shared
  readonly turn: Turn
  readonly log: Log
  readonly counters = new GatewayCounters()
  readonly hosts = new Set<SessionHost>()
  readonly listeners: RunningListener[] = []
  limits: SessionLimits
  /** Undefined when clients may publish as much as they can. */
  quotas: PublishQuotas | undefined
  mountpoint: string
  /** The first session on a wire. */
  readonly open: (link: Link) => Session
  readonly #total: TotalLimits
  readonly #instance: Gateway
  readonly #outside: GatewayOutside
  #accepting = true

  constructor(config: GatewayInstance, module: GatewayModule, shared: Shared, turn: Turn, total: TotalLimits, log: Log) {
    this.name = config.name
    this.module = module
    this.shared = shared
    this.turn = turn
    this.log = log
    this.limits = config.session
    this.quotas = PublishQuotas.of(config.session)
    this.mountpoint = config.mountpoint
    this.#total = total
    this.#outside = shared.outside(config.name, (counter, by) => this.counters.add(this.counters.named, counter, by))
    const { keys, notebook } = this.#outside
    this.#instance = module.create({
      name: config.name,
      config: config.own,
      log,
      limits: config.session,
      keys,
      crypto: systemCrypto,
      notebook,
    })
    this.open = (link) => this.#instance.open(link)
  }

  // ---- Port ----------------------------------------------------------------------------------------------------

  get gateway(): string {
    return this.name
  }

  deliver(client: Client, delivery: Delivery): boolean {
    return (client.ref as SessionHost).deliver(delivery)
  }

  evict(client: Client, reason: CloseReason): void {
    ;(client.ref as SessionHost | undefined)?.close(reason)
  }

  peer(client: Client): string {
    const host = client.ref as SessionHost | undefined
    return host === undefined ? '' : peerName(host.peer)
  }

  // ---- the world beyond devices --------------------------------------------------------------------------------

  /** `done` is always called later. */
  ask(name: string, question: unknown, done: (answer: Answer) => void): void {
    const service = this.#instance.services?.[name]
    if (service === undefined) throw new Error(`the gateway declares no service '${name}'`)
    this.#outside.ask(name, service, question, done)
  }

  /** `done` is always called later. */
  save(path: readonly string[], bytes: Uint8Array, done: (outcome: SaveOutcome) => void): void {
    const { files } = this.#instance
    if (files === undefined) throw new Error('the gateway declares no bounds for its files')
    this.#outside.save(files, path, bytes, done)
  }

  // ---- lifecycle -----------------------------------------------------------------------------------------------

  /** Binds a listener; rejects with the listener's own error. */
  async listen(config: ListenerConfig): Promise<void> {
    const listener = createListener(config, this.#total)
    const { maxMessageRate } = config.limits
    await listener.listen((wire) => this.accept(wire, maxMessageRate, listener))
    this.listeners.push({ config, listener })
  }

  /** A session for a new connection or datagram peer; undefined refuses it. */
  accept(wire: Wire, maxMessageRate = 0, listener?: Listener): SessionHost | undefined {
    if (!this.#accepting) return undefined
    try {
      const rate = maxMessageRate > 0 ? new TokenBucket(maxMessageRate, this.turn.time()) : undefined
      this.counters.sessions++
      return new SessionHost(this, wire, this.open, { rate, listener })
    } catch (error) {
      this.counters.faults++
      this.log.error({ peer: peerName(wire.peer), error: String(error) }, 'a session failed to open')
      return undefined
    }
  }

  /** `applied` in place, or `restart` needed. */
  reload(config: GatewayInstance): 'applied' | 'restart' {
    const answer = this.#instance.reload?.(config.own) ?? 'restart'
    if (answer === 'applied') {
      this.limits = config.session
      this.quotas = PublishQuotas.of(config.session)
      this.mountpoint = config.mountpoint
    }
    return answer
  }

  /** Says goodbye to the sessions of one listener, and closes it. */
  async closeListener(running: RunningListener, reason: CloseReason, timeoutMs: number): Promise<void> {
    this.listeners.splice(this.listeners.indexOf(running), 1)
    await this.#drain([running.listener], reason, timeoutMs)
  }

  /** Stops accepting, says goodbye to every session, waits for what was queued (bounded), closes. */
  async drain(reason: CloseReason, timeoutMs: number): Promise<void> {
    this.#accepting = false
    // One that wakes another to say goodbye adds it behind itself.
    for (const host of this.hosts) host.close(reason)
    await this.#drain(
      this.listeners.splice(0).map(({ listener }) => listener),
      reason,
      timeoutMs,
    )
    this.#instance.close?.()
  }

  async #drain(listeners: readonly Listener[], reason: CloseReason, timeoutMs: number): Promise<void> {
    for (const listener of listeners) listener.stopAccepting()
    for (const host of this.hosts) if (host.listener !== undefined && listeners.includes(host.listener)) host.close(reason)
    const deadline = this.shared.clock.monotonic() + timeoutMs
    while (listeners.some(({ stats }) => stats.current > 0) && this.shared.clock.monotonic() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await Promise.all(listeners.map((listener) => listener.close()))
  }
}
