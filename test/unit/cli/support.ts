/** The command line as a process of its own, and the pieces to drive it inside a test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packageRoot } from '../../../src/cli/package.ts'

const IS_SOURCE = import.meta.url.endsWith('.ts')
const MAIN = fileURLToPath(new URL(`../../../src/main.${IS_SOURCE ? 'ts' : 'js'}`, import.meta.url))
const LOADER = ['--conditions=source', '--import', join(packageRoot(), 'node_modules/tsx/dist/loader.mjs')]
/** A process that takes longer has hung. */
const PATIENCE_MS = 30_000

/** The configs' gateways of the tests, as `use` wants them. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../config/gateways/${name}/index.${IS_SOURCE ? 'ts' : 'js'}`, import.meta.url))
}

export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface SpawnOptions {
  readonly directory?: string
  readonly environment?: Readonly<Record<string, string>>
}

/** Runs `omnigate` to its end. */
export function run(args: readonly string[], options: SpawnOptions = {}): Promise<Finished> {
  return finished(omnigate(args, options))
}

export function omnigate(
  args: readonly string[],
  { directory = packageRoot(), environment = {} }: SpawnOptions = {},
): ChildProcess {
  return spawn(process.execPath, [...(IS_SOURCE ? LOADER : []), MAIN, ...args], {
    cwd: directory,
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    timeout: PATIENCE_MS,
  })
}

export function finished(child: ChildProcess): Promise<Finished> {
  let out = ''
  let err = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
  })
}

/** Resolves with the first line on stdout that begins with `start`. */
export function lineFrom(child: ChildProcess, start: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const line = text
        .split('\n')
        .slice(0, -1)
        .find((one) => one.startsWith(start))
      if (line !== undefined) resolve(line)
    })
    child.on('close', (code) => reject(new Error(`exited with ${code} before "${start}"`)))
  })
}
