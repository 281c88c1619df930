/** Processes of the bench: pinned to a CPU, ended by their own id, none left behind whatever happens to us. */

import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'

/** How long a process may take to end itself after SIGTERM. */
const STOP_MS = 5_000

/** What is kept of the output, to say why a process failed. */
const OUTPUT_TAIL = 4_096

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  /** CPU to run on; absent lets the system choose. */
  readonly cpu?: number | undefined
  /** Opens a message channel (Node processes only). */
  readonly channel?: boolean
}

const running = new Set<Child>()

/** Ends all at once, without waiting: the last thing before this process ends. */
export function killChildren(): void {
  for (const child of running) child.process.kill('SIGKILL')
}

export function canPin(): boolean {
  return spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0
}

export class Child {
  readonly process: ChildProcess
  /** Settles when the process is gone: how it ended, in words. */
  readonly exited: Promise<string>
  #output = ''
  #onOutput: (() => void) | undefined

  private constructor(command: Command) {
    // taskset replaces itself by the program, so the process id stays the same.
    const [file, args] =
      command.cpu === undefined
        ? [command.file, command.args]
        : ['taskset', ['-c', String(command.cpu), command.file, ...command.args]]
    this.process = spawn(file, args, {
      stdio: command.channel === true ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
    })
    running.add(this)
    this.exited = new Promise((resolve) => {
      const gone = (how: string) => {
        running.delete(this)
        resolve(how)
        this.#onOutput?.()
      }
      this.process.once('error', (error) => gone(error.message))
      this.process.once('exit', (code, signal) => gone(signal ?? `exit code ${code}`))
    })
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-OUTPUT_TAIL)
        this.#onOutput?.()
      })
    }
  }

  /** Starts a program; throws when it cannot be started at all. */
  static start(command: Command): Child {
    return new Child(command)
  }

  get pid(): number {
    const pid = this.process.pid
    if (pid === undefined) throw new Error(`cannot start ${this.process.spawnfile}`)
    return pid
  }

  get alive(): boolean {
    return running.has(this)
  }

  /** The last of what the process printed. */
  get output(): string {
    return this.#output.trim()
  }

  /** Waits until `condition` holds, tried on all output and at short intervals. Throws when the process ends or time is up. */
  async until(what: string, timeoutMs: number, condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + timeoutMs
    while (!(await condition())) {
      if (!this.alive) throw new Error(`${await this.exited} before ${what}: ${this.output}`)
      if (performance.now() > deadline) throw new Error(`no ${what} within ${timeoutMs / 1000} s: ${this.output}`)
      const wait = new AbortController()
      this.#onOutput = () => wait.abort()
      await delay(50, undefined, { signal: wait.signal }).catch(() => undefined)
      this.#onOutput = undefined
    }
  }

  /** SIGTERM, and SIGKILL for whoever does not hear it. Settles when the process is gone. */
  async stop(): Promise<void> {
    if (!this.alive) return
    this.process.kill('SIGTERM')
    const patience = setTimeout(() => this.process.kill('SIGKILL'), STOP_MS)
    await this.exited
    clearTimeout(patience)
  }
}
