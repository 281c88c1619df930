/** Other programs in tests: run one to its end, or keep one running until a line says that it is ready. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { root } from './project.ts'

export interface Options {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** After this the program is killed and the result says so; a hang must not become a hung test. */
  readonly timeoutMs?: number
}

export interface Result {
  /** Exit code, or the signal's name. */
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

const TIMEOUT_MS = 60_000

/** The runner of tests tells its children through this variable that they are tests; a child of ours is none. */
function environment(extra: Options['env']): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  return { ...env, ...extra }
}

/** Children that live: each leads a group of its own, so that what it started in turn ends with it. */
const living = new Set<ChildProcess>()

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // The group has ended already.
  }
}

function endAll(): void {
  for (const child of living) signalGroup(child, 'SIGKILL')
}

process.on('exit', endAll)
for (const [signal, code] of [['SIGTERM', 143] as const, ['SIGINT', 130] as const]) {
  process.once(signal, () => {
    endAll()
    process.exit(code)
  })
}

function launch(command: string, args: readonly string[], { cwd = root, env }: Options): ChildProcess {
  const child = spawn(command, args, { cwd, env: environment(env), stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  living.add(child)
  return child
}

async function ended(child: ChildProcess): Promise<number | string> {
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
    return code ?? signal ?? 'unknown'
  } finally {
    living.delete(child)
  }
}

/** Runs a program to its end. Never rejects for what the program does; rejects when it cannot be started. */
export async function run(command: string, args: readonly string[] = [], options: Options = {}): Promise<Result> {
  const child = launch(command, args, options)
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), options.timeoutMs ?? TIMEOUT_MS)
  try {
    return { code: await ended(child), stdout, stderr }
  } finally {
    clearTimeout(timer)
  }
}

/** A program that keeps running: `ready` resolves with the first line that matches, `stop` ends it. */
export class Daemon {
  readonly #child: ChildProcess
  readonly #lines: string[] = []
  readonly #end: Promise<number | string>
  readonly ready: Promise<string>

  /** `line` is looked for on both outputs. */
  constructor(command: string, args: readonly string[], line: RegExp, options: Options = {}) {
    const child = launch(command, args, options)
    this.#child = child
    this.#end = ended(child)
    this.ready = new Promise((resolve, reject) => {
      const fail = (reason: string) => reject(new Error(`${command} ${args.join(' ')}: ${reason}\n${this.output}`))
      const timer = setTimeout(() => {
        fail(`no line matched ${line} in time`)
        signalGroup(child, 'SIGKILL')
      }, options.timeoutMs ?? TIMEOUT_MS)
      for (const stream of [child.stdout, child.stderr]) {
        if (stream === null) continue
        createInterface({ input: stream }).on('line', (text) => {
          this.#lines.push(text)
          if (!line.test(text)) return
          clearTimeout(timer)
          resolve(text)
        })
      }
      this.#end.then(
        (code) => {
          clearTimeout(timer)
          fail(`ended with ${code}`)
        },
        (error: Error) => {
          clearTimeout(timer)
          fail(error.message)
        },
      )
    })
    // Whoever awaits `ready` sees the failure; whoever does not must not be ended by it.
    this.ready.catch(() => {})
  }

  /** All that it printed so far. */
  get output(): string {
    return this.#lines.join('\n')
  }

  /** Sends the signal and waits for the end; a program that does not end within the time is killed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', timeoutMs = 15_000): Promise<number | string> {
    this.#child.kill(signal)
    const timer = setTimeout(() => signalGroup(this.#child, 'SIGKILL'), timeoutMs)
    try {
      return await this.#end
    } finally {
      clearTimeout(timer)
    }
  }
}
