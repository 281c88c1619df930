/** Omnigate as users run it: a process of its own, a config file, and the line that begins with `ready`. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from '../support/project.ts'
import type { Cleanup } from './child.ts'
import { Child } from './child.ts'
import { until } from './waiting.ts'

export interface ListenerSection {
  readonly type: string
  readonly bind?: string
  readonly [key: string]: unknown
}

export interface GatewaySection {
  readonly use?: string
  readonly enabled?: boolean
  readonly listeners?: readonly ListenerSection[]
  readonly [key: string]: unknown
}

export interface ServerConfig {
  readonly node?: Readonly<Record<string, unknown>>
  readonly broker?: Readonly<Record<string, unknown>>
  readonly gateways: Readonly<Record<string, GatewaySection>>
}

export interface LogLine {
  readonly level: string
  readonly msg: string
  readonly code?: string
  readonly gateway?: string
  readonly reason?: string
  /** Of a file: which one, and from which octet to which. */
  readonly path?: string
  readonly start?: number
  readonly end?: number
}

/** A listener on any free port of the loopback. */
export function listener(type: string, more: Readonly<Record<string, unknown>> = {}): ListenerSection {
  return { type, bind: '127.0.0.1:0', ...more }
}

/** Arguments of Node.js: the compiled program for compiled tests, else the sources. */
export function omnigate(): string[] {
  const here = fileURLToPath(import.meta.url)
  const isCompiled = here.startsWith(join(root, 'dist') + sep)
  if (isCompiled) return [join(root, 'dist/src/main.js')]
  return ['--conditions=source', '--import', import.meta.resolve('tsx'), join(root, 'src/main.ts')]
}

export class Server {
  readonly folder: string
  #child: Child
  #ready = ''

  private constructor(folder: string) {
    this.folder = folder
    this.#child = run(folder)
  }

  get child(): Child {
    return this.#child
  }

  /** Resolves when it is ready. Without `cleanup` the caller stops it. */
  static async start(config: ServerConfig, cleanup?: Cleanup): Promise<Server> {
    const server = Server.launch(config, cleanup)
    await server.ready()
    return server
  }

  /** As `start`, for those that may fail to get ready. */
  static launch(config: ServerConfig, cleanup?: Cleanup): Server {
    const folder = mkdtempSync(join(tmpdir(), 'omnigate-e2e-'))
    writeConfig(folder, config)
    const server = new Server(folder)
    cleanup?.after(() => server.stop())
    return server
  }

  /** The `ready` line. */
  async ready(): Promise<string> {
    try {
      const { input } = await this.child.line(/^ready\b/)
      this.#ready = input
      return input
    } catch (error) {
      await this.stop('SIGKILL')
      throw error
    }
  }

  get pid(): number {
    return this.child.pid
  }

  /** Port of the `nth` listener of this type, as the `ready` line names it. */
  port(gateway: string, type = 'tcp', nth = 0): number {
    const pattern = new RegExp(`(?:ready|,) ${gateway} ${type} \\S+:(\\d+)`, 'g')
    const port = [...this.#ready.matchAll(pattern)][nth]?.[1]
    if (port === undefined) throw new Error(`no ${type} listener of ${gateway} in: ${this.#ready}`)
    return Number(port)
  }

  /** What it logged, oldest first. */
  log(): LogLine[] {
    return this.child.err.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []))
  }

  /** Writes a new config, sends SIGHUP, and waits for the outcome. */
  async reload(config: ServerConfig): Promise<LogLine> {
    const earlier = this.log().length
    writeConfig(this.folder, config)
    this.child.signal('SIGHUP')
    return this.child.until('outcome of the reload', () => {
      const since = this.log().slice(earlier)
      return since.find(({ msg, code }) => msg === 'config reloaded' || code === 'reload-failed')
    })
  }

  /** Resident memory in bytes. */
  rssBytes(): number {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'latin1'))?.[1]
    if (kib === undefined) throw new Error(`cannot read the memory of process ${this.pid}`)
    return Number(kib) * 1024
  }

  /** Ends the process without a warning, and leaves its folder for `launchAgain`. */
  async kill(): Promise<void> {
    await this.child.stop('SIGKILL')
  }

  /** Another process on the same folder and config; wait for `ready`. Ports are the same if the config says them. */
  launchAgain(): void {
    this.#child = run(this.folder)
  }

  /** Resolves with the exit code, or the signal's name. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    const end = await this.child.stop(signal)
    rmSync(this.folder, { recursive: true, force: true })
    return end
  }

  /** Waits for a log line. */
  async logged(pattern: RegExp): Promise<LogLine> {
    return until(
      () => `log line ${pattern}\n${this.child.story}`,
      () => this.log().find(({ msg }) => pattern.test(msg)),
    )
  }
}

function run(folder: string): Child {
  return new Child(process.execPath, [...omnigate(), 'start', '--config', configFile(folder)], { cwd: folder })
}

function configFile(folder: string): string {
  return join(folder, 'omnigate.yaml')
}

/** JSON is YAML. Numbers of `$SYS` are computed when somebody subscribes; nothing is published in between. */
function writeConfig(folder: string, { node, broker = {}, gateways }: ServerConfig): void {
  const whole = { node: { dataDir: './data', sysInterval: '0s', drainTimeout: '2s', ...node }, broker, gateways }
  writeFileSync(configFile(folder), JSON.stringify(whole, null, 2))
}
