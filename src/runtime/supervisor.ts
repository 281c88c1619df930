/**
 * The gateways of the process: started, reloaded, restarted and stopped one by one. A gateway that cannot start is
 * `failed` with its reason, and the others run; what one does never touches another's connections.
 */
import { isDeepStrictEqual } from 'node:util'
import type { EffectiveConfig, GatewayInstance, ListenerConfig } from '../config/effective.ts'
import type { Log } from '../sdk.ts'
import type { TotalLimits } from '../transport/listener.ts'
import { GatewayRuntime } from './gateway-runtime.ts'
import type { Shared, Turn } from './surroundings.ts'

export type GatewayState = 'running' | 'failed' | 'disabled' | 'stopped'

export interface GatewayStatus {
  readonly name: string
  /** Protocol name; `use` as written when the module could not be loaded. */
  readonly protocol: string
  readonly state: GatewayState
  /** Why it failed. */
  readonly reason?: string
}

export interface ReloadReport {
  readonly started: string[]
  readonly stopped: string[]
  readonly restarted: string[]
  /** New settings applied without touching connections. */
  readonly applied: string[]
  readonly failed: string[]
  readonly unchanged: string[]
}

interface Slot {
  config: GatewayInstance
  state: GatewayState
  reason?: string
  running?: GatewayRuntime
}

export class Supervisor {
  readonly #slots = new Map<string, Slot>()
  readonly #shared: Shared
  readonly #turn: Turn
  readonly #total: TotalLimits
  readonly #logFor: (gateway: string) => Log
  #drainTimeoutMs: number

  constructor(shared: Shared, turn: Turn, total: TotalLimits, logFor: (gateway: string) => Log, drainTimeoutMs: number) {
    this.#shared = shared
    this.#turn = turn
    this.#total = total
    this.#logFor = logFor
    this.#drainTimeoutMs = drainTimeoutMs
  }

  *running(): Generator<GatewayRuntime, undefined> {
    for (const { running } of this.#slots.values()) if (running !== undefined) yield running
  }

  status(): GatewayStatus[] {
    return [...this.#slots.values()].map(({ config, state, reason }) => ({
      name: config.name,
      protocol: config.module?.name ?? config.use,
      state,
      ...(reason !== undefined && { reason }),
    }))
  }

  async start(config: GatewayInstance): Promise<void> {
    const slot: Slot = { config, state: 'disabled' }
    this.#slots.set(config.name, slot)
    if (config.enabled) await this.#start(slot)
  }

  /** Stops one gateway; it stays known as `stopped`. */
  async stop(name: string): Promise<boolean> {
    const slot = this.#slots.get(name)
    if (slot?.running === undefined) return false
    await this.#stop(slot)
    return true
  }

  /** Stops and starts one gateway; true when it runs again. */
  async restart(name: string): Promise<boolean> {
    const slot = this.#slots.get(name)
    if (slot === undefined) return false
    if (slot.running !== undefined) await this.#stop(slot)
    await this.#start(slot)
    return slot.state === 'running'
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#slots.values()].filter((slot) => slot.running !== undefined).map((slot) => this.#stop(slot)))
  }

  /** Brings the gateways to a new config with as little disturbance as each change allows. */
  async reload(config: EffectiveConfig): Promise<ReloadReport> {
    this.#drainTimeoutMs = config.node.drainTimeoutMs
    const report: ReloadReport = { started: [], stopped: [], restarted: [], applied: [], failed: [], unchanged: [] }
    const wanted = new Map(config.gateways.map((gateway) => [gateway.name, gateway]))
    for (const [name, slot] of [...this.#slots]) {
      const next = wanted.get(name)
      if (next !== undefined && (next.enabled || slot.running === undefined)) continue
      if (slot.running !== undefined) {
        await this.#stop(slot)
        report.stopped.push(name)
      }
      if (next === undefined) this.#slots.delete(name)
      else {
        slot.config = next
        slot.state = 'disabled'
      }
    }
    for (const next of config.gateways) {
      if (!next.enabled) {
        if (!this.#slots.has(next.name)) this.#slots.set(next.name, { config: next, state: 'disabled' })
        continue
      }
      const how = await this.#bring(next)
      report[this.#slots.get(next.name)?.state === 'running' ? how : 'failed'].push(next.name)
    }
    return report
  }

  async #bring(next: GatewayInstance): Promise<'started' | 'restarted' | 'applied' | 'unchanged'> {
    const slot = this.#slots.get(next.name)
    if (slot?.running === undefined) {
      await this.start(next)
      return 'started'
    }
    const { config: before, running } = slot
    slot.config = next
    const sameOwn =
      isDeepStrictEqual(before.own, next.own) &&
      isDeepStrictEqual(before.session, next.session) &&
      before.mountpoint === next.mountpoint &&
      before.use === next.use
    const sameListeners = isDeepStrictEqual(before.listeners, next.listeners)
    if (sameOwn && sameListeners) return 'unchanged'
    const applied = next.fault === undefined && before.use === next.use && (sameOwn || running.reload(next) === 'applied')
    if (applied) {
      const failure = sameListeners ? undefined : await this.#reloadListeners(running, next.listeners)
      if (failure === undefined) return 'applied'
      await this.#stop(slot)
      this.#fail(slot, failure)
      return 'applied'
    }
    await this.#stop(slot)
    await this.#start(slot)
    return 'restarted'
  }

  /** Closes listeners that are gone or changed and binds new ones; the untouched keep their connections. */
  async #reloadListeners(running: GatewayRuntime, wanted: readonly ListenerConfig[]): Promise<string | undefined> {
    const same = (a: ListenerConfig, b: ListenerConfig): boolean => isDeepStrictEqual({ ...a, origin: '' }, { ...b, origin: '' })
    for (const held of [...running.listeners]) {
      if (!wanted.some((config) => same(config, held.config))) await running.closeListener(held, 'shutdown', this.#drainTimeoutMs)
    }
    for (const config of wanted) {
      if (running.listeners.some((held) => same(config, held.config))) continue
      try {
        await running.listen(config)
      } catch (error) {
        return `${config.origin}: ${reasonOf(error)}`
      }
    }
    return undefined
  }

  async #start(slot: Slot): Promise<void> {
    const { config } = slot
    const log = this.#logFor(config.name)
    delete slot.reason
    if (config.fault !== undefined || config.module === undefined) {
      this.#fail(slot, config.fault === undefined ? 'its module is not loaded' : `${config.fault.reason}: ${config.fault.hint}`)
      return
    }
    let running: GatewayRuntime
    try {
      running = new GatewayRuntime(config, config.module, this.#shared, this.#turn, this.#total, log)
    } catch (error) {
      this.#fail(slot, `it could not be created: ${reasonOf(error)}`)
      return
    }
    for (const listener of config.listeners) {
      try {
        await running.listen(listener)
      } catch (error) {
        await running.drain('shutdown', 0)
        this.#fail(slot, `${listener.origin}: ${reasonOf(error)}`)
        return
      }
    }
    slot.running = running
    slot.state = 'running'
    this.#shared.core.inherit(running)
  }

  #fail(slot: Slot, reason: string): void {
    const { name } = slot.config
    slot.state = 'failed'
    slot.reason = reason
    this.#logFor(name).error({ gateway: name, reason }, 'gateway failed to start; the others run')
  }

  async #stop(slot: Slot): Promise<void> {
    const { running } = slot
    if (running === undefined) return
    delete slot.running
    slot.state = 'stopped'
    await running.drain('shutdown', this.#drainTimeoutMs)
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
