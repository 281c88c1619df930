/** `omnigate start`: loads the config, runs the gateways, says `ready`, and obeys signals until it has stopped. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { EffectiveConfig } from '../config/effective.ts'
import { explainFailure, formatProblem, remedyOf } from '../config/errors.ts'
import type { Environment } from '../config/interpolate.ts'
import { type LoadResult, loadConfig } from '../config/load.ts'
import type { ModuleSource } from '../config/modules.ts'
import type { Runtime, RuntimeOptions } from '../runtime/runtime.ts'
import { StoreError } from '../store/store-error.ts'
import type { ProcessLog } from './log.ts'
import { EXIT, type Output } from './output.ts'
import { Reloader } from './reload.ts'

/** What `start` needs of the runtime. */
export type RunningGateways = Pick<Runtime, 'core' | 'event' | 'now' | 'stored' | 'listeners' | 'gateways' | 'reload' | 'stop'>

export interface StartOptions {
  /** As given with --config. */
  readonly config: string | undefined
  readonly directory: string
  readonly environment: Environment
  readonly modules: ModuleSource
  readonly version: string
  readonly log: ProcessLog
  readonly signals: SignalSource
  readonly startRuntime: (config: EffectiveConfig, options: RuntimeOptions) => Promise<RunningGateways>
}

/** The part of `process` that delivers signals. */
export interface SignalSource {
  on(signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP', handler: () => void): unknown
}

const DEFAULT_FILE = 'omnigate.yaml'
/** What a stop may take beyond the drain timeout before it counts as stuck. */
const STOP_MARGIN_MS = 5000

/** Resolves with the exit code when everything has stopped. */
export async function start(options: StartOptions, output: Output): Promise<number> {
  const { directory, environment, modules, version, log, signals } = options
  const file = options.config ?? (existsSync(join(directory, DEFAULT_FILE)) ? DEFAULT_FILE : undefined)
  const load = (): Promise<LoadResult> => loadConfig({ file, directory, environment, modules })
  const loaded = await load()
  const { config } = loaded
  if (config === undefined) {
    for (const problem of loaded.problems) log.error({ code: problem.code }, formatProblem(problem))
    return EXIT.failure
  }
  log.setLevel(config.node.logLevel)
  log.setNode(config.node.name)
  for (const notice of loaded.notices) log.info({ code: 'config-absent' }, notice)
  for (const warning of loaded.warnings) log.warn({ code: warning.code }, formatProblem(warning))

  const stopping = listenForStop(signals)
  const reloads = listenForReload(signals)
  let runtime: RunningGateways
  try {
    runtime = await options.startRuntime(config, { version, log, gatewayLog: (name) => log.gateway(name) })
  } catch (error) {
    if (error instanceof StoreError) {
      log.error({ code: 'store-unusable', path: error.path }, error.message)
      return EXIT.failure
    }
    const { code, message, hint } = explainFailure(error, '')
    log.error({ code, error }, `${message} ${hint}`)
    return EXIT.failure
  }
  const running = runtime.gateways().filter(({ state }) => state === 'running')
  if (running.length === 0) {
    log.error({ code: 'start-nothing-runs' }, `no gateway could be started. ${remedyOf('start-nothing-runs')}`)
    await runtime.stop()
    return EXIT.failure
  }
  const bridges = await startBridges(config, runtime, log)
  output.out(readyLine(runtime))
  const reloader = new Reloader(config, load, runtime, log)
  reloads.serve(() => reloader.request())
  await stopping.first
  log.info({}, 'stopping: no new connections, draining the open ones')
  const patience = reloader.config.node.drainTimeoutMs + STOP_MARGIN_MS
  const code = await Promise.race([stopAll(reloader, runtime, bridges, log), stopping.second, tooLong(patience, log)])
  if (code === EXIT.ok) log.info({}, 'stopped')
  return code
}

/** `ready trucks tcp 127.0.0.1:6207, meters udp 127.0.0.1:5683; failed: bulbs` */
export function readyLine(runtime: Pick<RunningGateways, 'listeners' | 'gateways'>): string {
  const places = runtime.listeners().map(({ gateway, type, address }) => `${gateway} ${type} ${address}`)
  const failed = runtime.gateways().filter(({ state }) => state === 'failed')
  const names = failed.length === 0 ? '' : `; failed: ${failed.map(({ name }) => name).join(', ')}`
  return `ready ${places.join(', ')}${names}`
}

/** Only who bridges loads what it takes. */
async function startBridges(config: EffectiveConfig, runtime: RunningGateways, log: ProcessLog): Promise<Stoppable[]> {
  const { bridges } = config.broker
  if (bridges.length === 0) return []
  const { Bridge } = await import('../connectors/bridge/bridge.ts')
  return bridges.map((bridge) => new Bridge(bridge, config.node.name, runtime, log))
}

interface Stoppable {
  stop(): Promise<void>
}

async function stopAll(
  reloader: Reloader,
  runtime: RunningGateways,
  bridges: readonly Stoppable[],
  log: ProcessLog,
): Promise<number> {
  try {
    await reloader.close()
    await Promise.all(bridges.map((bridge) => bridge.stop()))
    await runtime.stop()
    return EXIT.ok
  } catch (error) {
    log.error({ code: 'internal-fault', error }, 'the stop failed')
    return EXIT.failure
  }
}

interface StopRequests {
  readonly first: Promise<void>
  /** The operator insists: resolves with the exit code. */
  readonly second: Promise<number>
}

function listenForStop(signals: SignalSource): StopRequests {
  const waiting: (() => void)[] = []
  const next = (): Promise<void> => new Promise((resolve) => waiting.push(resolve))
  const first = next()
  const second = next().then(() => EXIT.failure)
  const request = (): void => waiting.shift()?.()
  signals.on('SIGTERM', request)
  signals.on('SIGINT', request)
  return { first, second }
}

interface ReloadRequests {
  /** Calls `request` for each SIGHUP from now on, and once for those that came before. */
  serve(request: () => void): void
}

function listenForReload(signals: SignalSource): ReloadRequests {
  let early = false
  let serving = (): void => {
    early = true
  }
  signals.on('SIGHUP', () => serving())
  return {
    serve(request) {
      serving = request
      if (early) request()
    },
  }
}

function tooLong(patienceMs: number, log: ProcessLog): Promise<number> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      log.error({ code: 'internal-fault' }, `the stop took longer than ${patienceMs / 1000} s, leaving at once`)
      resolve(EXIT.failure)
    }, patienceMs)
    timer.unref()
  })
}
