/** The running product without its command line: one core, one clock, one wheel, and the gateways around them. */
import { randomFillSync } from 'node:crypto'
import type { Access } from '../auth/access.ts'
import { openAccess } from '../auth/access.ts'
import { BrokerCore } from '../broker/core.ts'
import { SlowSubscribers } from '../broker/slow-subscribers.ts'
import type { BrokerConfig } from '../config/broker-schema.ts'
import { type EffectiveConfig, type NodeConfig, sessionLimits } from '../config/effective.ts'
import type { Log, TransportKind } from '../sdk.ts'
import { Notebooks } from '../store/notebooks.ts'
import { Store } from '../store/store.ts'
import type { TotalLimits } from '../transport/listener.ts'
import { absentPorts } from './absent-port.ts'
import { Bans } from './bans.ts'
import { ClientObservers } from './client-observers.ts'
import { systemClock } from './clock.ts'
import { FanOutShare } from './fan-out-share.ts'
import { Flapping } from './flapping.ts'
import { outsideIn } from './outside.ts'
import type { GatewayStatus, ReloadReport } from './supervisor.ts'
import { Supervisor } from './supervisor.ts'
import type { Shared } from './surroundings.ts'
import { Turn } from './surroundings.ts'
import { ClientEvents } from './sys-events.ts'
import { openSys } from './sys-trees.ts'
import { Ticker } from './ticker.ts'
import { TopicRules } from './topic-rules.ts'
import { UndeliveredCommands } from './undelivered-commands.ts'

export interface RuntimeOptions {
  readonly version: string
  readonly log: Log
  /** Log of one gateway instance; the common one when absent. */
  readonly gatewayLog?: (gateway: string) => Log
  readonly access?: Access
}

export interface BoundListener {
  readonly gateway: string
  readonly name: string
  readonly type: TransportKind
  /** With the real port. */
  readonly address: string
}

export interface Runtime {
  readonly core: BrokerCore
  /** Runs `work` as one event: what comes from outside of any session calls the core in here. */
  event(work: () => void): void
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls `done` when all that the core accepted until now is stored, or cannot be; at once without a store. */
  stored(done: (isStored: boolean) => void): void
  readonly bans: Bans
  /** The slowest subscribers; undefined when they are not measured. */
  readonly slow: SlowSubscribers | undefined
  listeners(): BoundListener[]
  gateways(): GatewayStatus[]
  reload(config: EffectiveConfig): Promise<ReloadReport>
  restart(gateway: string): Promise<boolean>
  stopGateway(gateway: string): Promise<boolean>
  /** Stops accepting, drains, closes. */
  stop(): Promise<void>
}

/** Resolves when every gateway runs or has failed; see `gateways()` for which. */
export async function startRuntime(config: EffectiveConfig, options: RuntimeOptions): Promise<Runtime> {
  const { log, version, access = openAccess, gatewayLog = () => log } = options
  const { node } = config
  const clock = systemClock
  const turn = new Turn(clock, () => core.settle())
  const ticker = new Ticker({ now: () => turn.time(), monotonic: () => turn.monotonic() })
  const undelivered = new UndeliveredCommands(() => core)
  const random = randomPool()
  const expiry = new Alarm(() => turn.run(() => core.expire()))
  const store = openStore(node, log)
  const bans = new Bans(config.broker.maxBans)
  const flapping = new Flapping(config.broker.flapping, bans, log)
  const events = node.sysTopics.includes('emqx')
    ? new ClientEvents(
        () => core,
        node.name,
        () => turn.time(),
      )
    : undefined
  const slow = openSlowSubscribers(config.broker.slowSubscribers)
  let settling = false
  const core: BrokerCore = new BrokerCore(
    {
      now: () => turn.time(),
      random,
      authorize:
        access.authorize === undefined ? undefined : (client, action, topic) => access.authorize?.(client, action, topic) ?? true,
      dropped: (reason, message) => undelivered.dropped(reason, message),
      unaddressed: (message, device) => undelivered.unaddressed(message, device),
      slow,
      observer: new ClientObservers(events, flapping, () => turn.time()),
      journal: store?.journal,
      wake: (atMs) => expiry.at(atMs - clock.now()),
      more: () => {
        if (settling) return
        settling = true
        setImmediate(() => {
          settling = false
          turn.run(() => core.proceed())
        })
      },
    },
    node,
  )
  const rules = new TopicRules(config.broker)
  const outside = outsideIn(node.dataDir, () => clock.now(), store?.notebooks ?? new Notebooks())
  const { willOnShutdown } = node
  const fanOut = new FanOutShare((work) => void setImmediate(work))
  const shared: Shared = { clock, wheel: ticker.wheel, core, access, rules, bans, fanOut, willOnShutdown, random, outside }
  const total: TotalLimits = {
    maxConnections: node.maxConnections,
    maxQueuedBytes: node.maxQueuedBytes,
    current: 0,
    queuedBytes: 0,
    gate: store?.gate,
  }
  const supervisor = new Supervisor(shared, turn, total, gatewayLog, node.drainTimeoutMs)
  const started = clock.monotonic()
  const sys = openSys(node.sysTopics, {
    core,
    version,
    node: node.name,
    now: () => turn.time(),
    uptimeMs: () => clock.monotonic() - started,
    heapBytes,
    store: () => store?.status,
    bans,
    flapping,
    slow,
    gateways: () => supervisor.running(),
  })
  core.provide(sys)
  const sysTimer = node.sysIntervalMs > 0 ? setInterval(() => turn.run(() => sys.publish()), node.sysIntervalMs) : undefined
  if (store !== undefined) {
    turn.run(() => core.restore(store.recovery.state, absentPorts(sessionLimits(config))))
    store.start({
      clients: () => core.clients(),
      delayed: () => core.delayed.entries(),
      retained: () => core.retainedStore.all(() => turn.time()),
    })
  }
  ticker.start()
  for (const gateway of config.gateways) await supervisor.start(gateway)
  return {
    core,
    event: (work) => turn.run(work),
    now: () => turn.time(),
    stored: (done) => {
      if (store === undefined || !store.gate.closed) done(true)
      else store.gate.postpone({ flush: () => done(store.gate.open()) })
    },
    bans,
    slow,
    listeners: () =>
      [...supervisor.running()].flatMap((gateway) =>
        gateway.listeners.map(({ config: { name, type }, listener }) => ({
          gateway: gateway.name,
          name,
          type,
          address: listener.address,
        })),
      ),
    gateways: () => supervisor.status(),
    reload: (next) => {
      rules.replace(next.broker)
      bans.maxBans = next.broker.maxBans
      flapping.config = next.broker.flapping
      return supervisor.reload(next)
    },
    restart: (gateway) => supervisor.restart(gateway),
    stopGateway: (gateway) => supervisor.stop(gateway),
    stop: async () => {
      clearInterval(sysTimer)
      if (node.willOnShutdown) turn.run(() => core.publishWills())
      expiry.stop()
      await supervisor.stopAll()
      ticker.stop()
      store?.close()
    },
  }
}

/** Throws StoreError. */
function openStore({ dataDir, durability }: NodeConfig, log: Log): Store | undefined {
  return durability === 'memory' ? undefined : Store.open(dataDir, durability, log)
}

function openSlowSubscribers(config: BrokerConfig['slowSubscribers']): SlowSubscribers | undefined {
  const { enabled, threshold, top, expiry } = config
  return enabled ? new SlowSubscribers({ thresholdMs: threshold, top, expiryMs: expiry }) : undefined
}

function heapBytes(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** One timeout for the core's earliest deadline. */
class Alarm {
  readonly #ring: () => void
  #timer: NodeJS.Timeout | undefined = undefined

  constructor(ring: () => void) {
    this.#ring = ring
  }

  at(delayMs: number): void {
    clearTimeout(this.#timer)
    // setTimeout counts in 32 bits; an early ring finds nothing due and sets the alarm anew.
    this.#timer = setTimeout(this.#ring, Math.min(Math.max(delayMs, 1), 2 ** 31 - 1))
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}

/** Random bytes from a block drawn at once: small draws must not cost a call into the kernel each. */
function randomPool(): (bytes: number) => Uint8Array {
  const pool = new Uint8Array(8192)
  let used = pool.length
  return (bytes) => {
    if (bytes > pool.length / 4) return randomFillSync(new Uint8Array(bytes))
    if (used + bytes > pool.length) {
      randomFillSync(pool)
      used = 0
    }
    used += bytes
    return pool.slice(used - bytes, used)
  }
}
