/**
 * One process at a time uses a directory. An empty file is named after the process that does and after the time it
 * was started: a process that was killed leaves nothing to clean up, another that got its number is told apart, and a
 * full device can still be locked. Two that come at the same moment see each other, and neither gets in.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Files } from './files.ts'
import { diskError, StoreError, systemCode } from './store-error.ts'

const NAME = /^lock-(\d+)(?:-(\d+))?$/
/** Field 22 of /proc/pid/stat, counted behind the command's closing parenthesis. */
const START_TIME_FIELD = 19

export class DirectoryLock {
  readonly #files: Files
  readonly #path: string

  private constructor(files: Files, path: string) {
    this.#files = files
    this.#path = path
  }

  /** Throws StoreError `locked` when a living process holds it. */
  static take(files: Files, directory: string): DirectoryLock {
    const own = nameOf(process.pid)
    const lock = new DirectoryLock(files, join(directory, own))
    try {
      files.create(lock.#path)
    } catch (error) {
      throw systemCode(error) === 'EEXIST' ? heldBy(directory, process.pid) : diskError('lock', directory, error)
    }
    try {
      for (const name of files.list(directory)) {
        const [, pid, startTime] = NAME.exec(name) ?? []
        if (pid === undefined || name === own) continue
        if (isAlive(Number(pid), startTime)) throw heldBy(directory, Number(pid))
        remove(files, join(directory, name))
      }
    } catch (error) {
      lock.release()
      throw diskError('lock', directory, error)
    }
    return lock
  }

  release(): void {
    remove(this.#files, this.#path)
  }
}

/** What cannot be removed names a process that is gone, or soon will be. */
function remove(files: Files, path: string): void {
  try {
    files.unlink(path)
  } catch {
    // Taken over by the next one.
  }
}

function heldBy(directory: string, pid: number): StoreError {
  return new StoreError(
    'locked',
    directory,
    `${directory} is in use by process ${pid}`,
    'stop that process, or give this one another node.dataDir',
  )
}

/** Where the system does not tell when a process was started, its number alone. */
function nameOf(pid: number): string {
  const startTime = lookUp(pid)?.startTime
  return startTime === undefined ? `lock-${pid}` : `lock-${pid}-${startTime}`
}

function isAlive(pid: number, startTime: string | undefined): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (systemCode(error) !== 'EPERM') return false
  }
  const found = lookUp(pid)
  if (found === undefined || startTime === undefined) return true
  return !found.hasEnded && found.startTime === startTime
}

/** What Linux tells of a process, proc(5); undefined elsewhere. */
function lookUp(pid: number): { readonly hasEnded: boolean; readonly startTime: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const startTime = fields[START_TIME_FIELD]
    // A zombie: killed, and its parent has not looked yet.
    return startTime === undefined ? undefined : { hasEnded: fields[0] === 'Z' || fields[0] === 'X', startTime }
  } catch {
    return undefined
  }
}
