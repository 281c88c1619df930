/** SIGHUP: reads the config again and brings the running gateways to it. A config with problems changes nothing. */
import { type ConfigDiff, diffConfigs } from '../config/diff.ts'
import type { EffectiveConfig } from '../config/effective.ts'
import { explainFailure, formatProblem } from '../config/errors.ts'
import type { LoadResult } from '../config/load.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { ProcessLog } from './log.ts'

export class Reloader {
  #config: EffectiveConfig
  readonly #load: () => Promise<LoadResult>
  readonly #runtime: Pick<Runtime, 'reload'>
  readonly #log: ProcessLog
  #running: Promise<void> | undefined = undefined
  #again = false
  #closed = false

  constructor(config: EffectiveConfig, load: () => Promise<LoadResult>, runtime: Pick<Runtime, 'reload'>, log: ProcessLog) {
    this.#config = config
    this.#load = load
    this.#runtime = runtime
    this.#log = log
  }

  /** The config in force. */
  get config(): EffectiveConfig {
    return this.#config
  }

  /** Reloads now; during a reload, once more after it. */
  request(): void {
    if (this.#closed) return
    if (this.#running !== undefined) {
      this.#again = true
      return
    }
    this.#running = this.#reload().finally(() => {
      this.#running = undefined
      if (!this.#again) return
      this.#again = false
      this.request()
    })
  }

  /** Waits for a reload that is under way; further requests do nothing. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #reload(): Promise<void> {
    const log = this.#log
    if (this.#config.file === undefined) {
      log.warn({ code: 'reload-failed' }, 'started without a config file: there is nothing to read again')
      return
    }
    try {
      const { config, problems, warnings } = await this.#load()
      if (config === undefined) {
        for (const problem of problems) log.error({ code: problem.code }, formatProblem(problem))
        log.error({ code: 'reload-failed' }, 'the new config has problems; the running one stays in force')
        return
      }
      for (const warning of warnings) log.warn({ code: warning.code }, formatProblem(warning))
      const diff = diffConfigs(this.#config, config)
      this.#announce(diff)
      log.setLevel(config.node.logLevel)
      const report = await this.#runtime.reload(config)
      this.#config = config
      log.info({ ...report }, 'config reloaded')
    } catch (error) {
      const { code, message, hint } = explainFailure(error, '')
      log.error({ code, error }, `the reload failed: ${message} ${hint}`)
    }
  }

  #announce({ common, gateways }: ConfigDiff): void {
    const late = common.filter(({ reload }) => reload === 'process').map(({ path }) => path)
    if (late.length > 0) this.#log.warn({ keys: late }, 'these keys take effect when Omnigate is restarted')
    for (const change of gateways) {
      if (change.kind !== 'changed') {
        this.#log.info({ gateway: change.name }, `gateway ${change.kind}`)
        continue
      }
      const { keys, reload, listeners } = change
      const names = (list: readonly { readonly name: string }[]): string[] => list.map(({ name }) => name)
      const sockets = {
        added: names(listeners.added),
        removed: names(listeners.removed),
        changed: names(listeners.changed.map(({ next }) => next)),
      }
      this.#log.info({ gateway: change.name, keys, listeners: sockets, reload }, 'gateway changed')
    }
  }
}
