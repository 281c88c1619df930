/**
 * The product without sockets: the real broker core and session hosts, virtual time, seeded randomness. Everything
 * that happens is caused by a call in the test, and happens before that call returns.
 */
import type { Access } from '../auth/access.ts'
import { openAccess } from '../auth/access.ts'
import { BrokerCore } from '../broker/core.ts'
import type { ClientObserver, CoreLimits, DropReason } from '../broker/port.ts'
import type { SlowSubscribers } from '../broker/slow-subscribers.ts'
import type { BrokerConfig } from '../config/broker-schema.ts'
import { absentPorts } from '../runtime/absent-port.ts'
import { Bans } from '../runtime/bans.ts'
import { FanOutShare } from '../runtime/fan-out-share.ts'
import { GatewayRuntime } from '../runtime/gateway-runtime.ts'
import { SessionHost } from '../runtime/host.ts'
import type { Shared } from '../runtime/surroundings.ts'
import { Turn } from '../runtime/surroundings.ts'
import { TimerWheel } from '../runtime/timer-wheel.ts'
import { TopicRules } from '../runtime/topic-rules.ts'
import { UndeliveredCommands } from '../runtime/undelivered-commands.ts'
import type { CloseReason, GatewayModule, Log, Peer, SessionLimits } from '../sdk.ts'
import { Store } from '../store/store.ts'
import type { AppOptions } from './app-client.ts'
import { AppClient } from './app-client.ts'
import { FakeOutside, type ServiceDouble } from './fake-outside.ts'
import { FakeWire, type Tap } from './fake-wire.ts'
import { TEST_CORE_LIMITS, TEST_LIMITS } from './limits.ts'

/** 2026-11-22T08:00:00Z: where virtual time starts. */
const EPOCH_MS = 1_795_334_400_000

export interface WorldOptions {
  readonly seed?: number
  readonly access?: Access
  readonly limits?: Partial<CoreLimits>
  /** Where sessions are kept: another World on the same directory, after `close`, is this one after a restart. */
  readonly dataDir?: string
  /** Virtual ms that went by before, for a World after a restart. */
  readonly elapsedMs?: number
  readonly broker?: Partial<BrokerConfig>
  /** Sees what goes over every wire. */
  readonly tap?: Tap
  /** Answers for the services that gateways ask; without it none can be reached. */
  readonly services?: ServiceDouble
  readonly willOnShutdown?: boolean
  readonly bans?: Bans
  /** Copies of messages that a turn hands out. */
  readonly copiesPerTurn?: number
  readonly slow?: SlowSubscribers
  readonly observer?: (world: World) => ClientObserver
}

export interface GatewayOptions {
  readonly name?: string
  readonly session?: Partial<SessionLimits>
  readonly mountpoint?: string
}

export class World {
  readonly core: BrokerCore
  readonly wheel: TimerWheel
  readonly dropped: { reason: DropReason; topic: string; client: string | undefined }[] = []
  readonly errors: object[] = []
  readonly tap: Tap | undefined
  readonly outside: FakeOutside
  readonly #shared: Shared
  readonly #turn: Turn
  readonly #runtimes: GatewayRuntime[] = []
  readonly store: Store | undefined
  #elapsedMs: number
  #wakeAt = Number.POSITIVE_INFINITY
  #more = false
  /** Work for turns of its own. */
  #later: (() => void)[] = []
  #random: number

  constructor(options: WorldOptions = {}) {
    this.#random = options.seed ?? 1
    const { access = openAccess, dataDir, elapsedMs = 0 } = options
    this.#elapsedMs = elapsedMs
    this.wheel = new TimerWheel(elapsedMs, 1)
    this.store = dataDir === undefined ? undefined : Store.open(dataDir, 'os', this.#log())
    this.tap = options.tap
    const undelivered = new UndeliveredCommands(() => this.core)
    const random = (bytes: number): Uint8Array => this.random(bytes)
    this.core = new BrokerCore(
      {
        now: () => this.now(),
        random,
        authorize:
          access.authorize === undefined
            ? undefined
            : (client, action, topic) => access.authorize?.(client, action, topic) ?? true,
        dropped: (reason, message, client) => {
          this.dropped.push({ reason, topic: message.topic, client: client?.id })
          undelivered.dropped(reason, message)
        },
        unaddressed: (message, device) => undelivered.unaddressed(message, device),
        observer: options.observer?.(this),
        slow: options.slow,
        wake: (atMs) => {
          this.#wakeAt = atMs
        },
        more: () => {
          this.#more = true
        },
        journal: this.store?.journal,
      },
      { ...TEST_CORE_LIMITS, ...options.limits },
    )
    const clock = { now: () => this.now(), monotonic: () => this.#elapsedMs }
    const rules = new TopicRules({ rewrite: [], autoSubscribe: [], bridges: [], ...options.broker })
    this.outside = new FakeOutside(options.services, this.store?.notebooks)
    const outside = (gateway: string) => this.outside.of(gateway)
    const { willOnShutdown = true, bans = new Bans(1000) } = options
    const fanOut = new FanOutShare((work) => void this.#later.push(work), options.copiesPerTurn)
    this.#shared = { clock, wheel: this.wheel, core: this.core, access, rules, bans, fanOut, willOnShutdown, random, outside }
    this.#turn = new Turn(clock, () => this.core.settle())
    if (this.store === undefined) return
    this.core.restore(
      this.store.recovery.state,
      absentPorts(() => TEST_LIMITS),
    )
    this.store.start({
      clients: () => this.core.clients(),
      delayed: () => this.core.delayed.entries(),
      retained: () => this.core.retainedStore.all(() => this.now()),
    })
  }

  /** The process ends, as by a crash after what was recorded was stored: nobody is told. */
  close(): void {
    this.store?.close()
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return EPOCH_MS + this.#elapsedMs
  }

  random(bytes: number): Uint8Array {
    const out = new Uint8Array(bytes)
    for (let i = 0; i < bytes; i++) {
      this.#random = (Math.imul(this.#random, 1_103_515_245) + 12_345) >>> 0
      out[i] = this.#random >>> 16
    }
    return out
  }

  /** Creates a gateway from its manifest; the config input goes through its own schema. */
  async gateway<C>(module: GatewayModule<C>, config: unknown = {}, options: GatewayOptions = {}): Promise<TestGateway> {
    const parsed = await module.config['~standard'].validate(config)
    if (parsed.issues !== undefined) throw new Error(`config of ${module.name}: ${JSON.stringify(parsed.issues)}`)
    const name = options.name ?? module.name
    const runtime = new GatewayRuntime(
      {
        name,
        use: module.name,
        enabled: true,
        module: module as GatewayModule,
        fault: undefined,
        mountpoint: options.mountpoint ?? '',
        session: { ...TEST_LIMITS, ...options.session },
        listeners: [],
        own: parsed.value,
      },
      module as GatewayModule,
      this.#shared,
      this.#turn,
      { maxConnections: 1e6, maxQueuedBytes: 1e9, current: 0, queuedBytes: 0 },
      this.#log(),
    )
    this.#runtimes.push(runtime)
    this.core.inherit(runtime)
    return new TestGateway(this, runtime)
  }

  app(id: string, options: AppOptions = {}): AppClient {
    return new AppClient(this.core, id, options)
  }

  /** Lets virtual milliseconds pass; timers fire in order, each at its own time. */
  advance(ms: number): void {
    const end = this.#elapsedMs + ms
    this.settle()
    for (;;) {
      const timer = this.wheel.nextDueMs() ?? Number.POSITIVE_INFINITY
      const at = Math.max(this.#elapsedMs, Math.min(timer, this.#wakeAt - EPOCH_MS))
      if (at > end) break
      this.#elapsedMs = at
      this.wheel.advance(at)
      if (this.#wakeAt <= this.now()) {
        this.#wakeAt = Number.POSITIVE_INFINITY
        this.core.expire()
      }
      this.settle()
    }
    this.#elapsedMs = end
    this.wheel.advance(end)
    this.settle()
  }

  /** Runs replay work, and answers from outside, to their end. */
  settle(): void {
    do {
      this.#more = false
      this.core.settle()
      this.core.proceed()
      for (const work of this.#later.splice(0)) work()
    } while (this.outside.settle() || this.#more || this.#later.length > 0)
  }

  #log(): Log {
    return { debug() {}, info() {}, warn() {}, error: (fields, message) => void this.errors.push({ ...fields, message }) }
  }

  /** Hostile input by reason, over all gateways. */
  malformed(): Map<string, number> {
    return sum(this.#runtimes.map((runtime) => runtime.counters.malformed))
  }

  counters(): Map<string, number> {
    return sum(this.#runtimes.map((runtime) => runtime.counters.named))
  }

  faults(): number {
    return this.#runtimes.reduce((total, runtime) => total + runtime.counters.faults, 0)
  }
}

export class TestGateway {
  readonly runtime: GatewayRuntime
  readonly #world: World
  #nextPort = 40_000

  constructor(world: World, runtime: GatewayRuntime) {
    this.#world = world
    this.runtime = runtime
  }

  /** A new connection, or a new datagram peer. */
  connect(peer: Partial<Peer> = {}): TestPeer {
    const wire = new FakeWire(
      { address: '10.0.0.1', port: this.#nextPort++, secure: false, datagram: false, ...peer },
      this.#world.tap,
    )
    return new TestPeer(this.#world, this.runtime, wire)
  }

  async close(): Promise<void> {
    await this.runtime.drain('shutdown', 0)
  }
}

export class TestPeer {
  readonly wire: FakeWire
  readonly #world: World
  readonly #host: SessionHost | undefined

  constructor(world: World, runtime: GatewayRuntime, wire: FakeWire) {
    this.#world = world
    this.wire = wire
    this.#host = runtime.accept(wire)
    if (this.#host !== undefined) wire.handler = this.#host
  }

  send(bytes: Uint8Array): void {
    this.wire.receive(bytes)
    this.#world.settle()
  }

  take(): Uint8Array[] {
    this.#world.settle()
    return this.wire.take()
  }

  hangUp(): void {
    this.wire.hangUp()
  }

  /** Why the session that this connection opened ended; undefined while it lives. */
  get closed(): CloseReason | undefined {
    const { ended, handler } = this.wire
    // Where it rests, another one stands for the wire, which goes on.
    const hasSuccessor = this.#host?.closedBy === 'idle' && ended === undefined && handler instanceof SessionHost
    return hasSuccessor ? handler.closedBy : this.#host?.closedBy
  }
}

function sum(maps: readonly Map<string, number>[]): Map<string, number> {
  const total = new Map<string, number>()
  for (const map of maps) for (const [name, count] of map) total.set(name, (total.get(name) ?? 0) + count)
  return total
}
