/** A device of a few kilobytes, in memory: takes root. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The test's own context, or anything else that knows when a test is over. */
interface Cleanup {
  after(clean: () => unknown): void
}

let refusal: string | false | undefined

/** For `skip`: why no file system can be mounted, or false. Where OMNIGATE_REQUIRE_INTEROP is 1 the test fails instead. */
export function cannotMount(): string | false {
  if (process.env['OMNIGATE_REQUIRE_INTEROP'] === '1') return false
  if (refusal === undefined) {
    const path = mkdtempSync(join(tmpdir(), 'omnigate-mount-'))
    refusal = mount(path, 'size=64k')
    if (refusal === false) unmount(path)
    rmdirSync(path)
  }
  return refusal
}

/** Answers the directory it is mounted on. `mode`: `ro` makes it read-only. */
export function mountSmall(cleanup: Cleanup, bytes: number, mode: 'rw' | 'ro' = 'rw'): string {
  const path = mkdtempSync(join(tmpdir(), 'omnigate-disk-'))
  const failure = mount(path, `size=${bytes},mode=700,${mode}`)
  if (failure !== false) {
    rmdirSync(path)
    throw new Error(failure)
  }
  cleanup.after(() => {
    unmount(path)
    rmdirSync(path)
  })
  return path
}

/** Gives it another size while it is in use. */
export function resize(path: string, bytes: number): void {
  const failure = run('mount', ['-o', `remount,size=${bytes}`, path])
  if (failure !== false) throw new Error(failure)
}

function mount(path: string, options: string): string | false {
  return run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path])
}

function unmount(path: string): void {
  run('umount', ['-l', path])
}

function run(command: string, args: readonly string[]): string | false {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 })
  return status === 0 ? false : `cannot mount a file system: ${error?.message ?? stderr.trim()}`
}
