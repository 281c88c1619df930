/** A program that runs beside the test: its lines as they come, its end, and no trace of it when the test is over. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { until, within } from './waiting.ts'

export interface ChildOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Written to its standard input, which is then closed. */
  readonly input?: string
}

/** How long a program may take to end after a signal. */
const STOP_MS = 15_000

/** The test's own context, or anything else that knows when a test is over. */
export interface Cleanup {
  after(clean: () => unknown): void
}

const running = new Set<ChildProcess>()

function killAll(): void {
  for (const child of running) child.kill('SIGKILL')
}

process.on('exit', killAll)
// Whoever ends the test ends its programs too.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

export class Child {
  readonly command: string
  readonly out: string[] = []
  readonly err: string[] = []
  /** Exit code, or the signal's name. Never rejects. */
  readonly ended: Promise<number | string>
  readonly #process: ChildProcess
  #end: number | string | undefined = undefined

  /** Without `cleanup` the caller stops it. */
  constructor(command: string, args: readonly string[], options: ChildOptions = {}, cleanup?: Cleanup) {
    const { cwd, env, input } = options
    // The runner tells its children through this variable that they are tests; ours are none.
    const { NODE_TEST_CONTEXT: _, ...inherited } = process.env
    this.command = [command, ...args].join(' ')
    const child = spawn(command, args, { cwd, env: { ...inherited, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
    this.#process = child
    running.add(child)
    this.ended = new Promise((resolve) => {
      const end = (how: number | string) => {
        running.delete(child)
        this.#end ??= how
        resolve(how)
      }
      child.once('error', (error) => end(error.message))
      child.once('close', (code, signal) => end(code ?? signal ?? 'unknown'))
    })
    for (const [stream, lines] of [
      [child.stdout, this.out],
      [child.stderr, this.err],
    ] as const) {
      createInterface({ input: stream }).on('line', (line) => lines.push(line))
    }
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    cleanup?.after(() => this.stop('SIGKILL'))
  }

  get pid(): number {
    const { pid } = this.#process
    if (pid === undefined) throw new Error(`${this.command}: ${this.#end}`)
    return pid
  }

  get alive(): boolean {
    return this.#end === undefined
  }

  /** All that it said, for messages. */
  get story(): string {
    return [`${this.command}: ${this.#end ?? 'running'}`, ...this.out, ...this.err].join('\n')
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Ends it with a signal; one that does not hear is killed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    if (!this.alive) return this.ended
    this.signal(signal)
    const patience = setTimeout(() => this.signal('SIGKILL'), STOP_MS)
    try {
      return await this.ended
    } finally {
      clearTimeout(patience)
    }
  }

  /** Waits for `condition`; rejects when the program ends before. */
  async until<T>(what: string, condition: () => T | undefined | false): Promise<T> {
    return until(
      () => `${what}\n${this.story}`,
      () => {
        const wasAlive = this.alive
        const answer = condition()
        if ((answer === undefined || answer === false) && !wasAlive) throw new Error(`ended before ${what}\n${this.story}`)
        return answer
      },
    )
  }

  /** The first line on either output that matches. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    return this.until(`line ${pattern}`, () => {
      for (const line of [...this.out, ...this.err]) {
        const match = pattern.exec(line)
        if (match !== null) return match
      }
      return undefined
    })
  }

  /** Waits for it to end by itself; rejects unless with exit code 0. */
  async succeeds(): Promise<readonly string[]> {
    const code = await within(`end of ${this.command}`, this.ended)
    if (code !== 0) throw new Error(this.story)
    return this.out
  }
}
