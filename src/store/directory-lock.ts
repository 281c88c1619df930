/**
 * One process at a time uses a directory. The file `lock` names the process that does, with the time it was started,
 * so that a process that was killed leaves nothing to clean up, and another that got its number is told apart.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Files } from './files.ts'
import { diskError, StoreError, systemCode } from './store-error.ts'

const LOCK_FILE = 'lock'
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
    const path = join(directory, LOCK_FILE)
    const own = identityOf(process.pid)
    try {
      if (!create(files, path, own)) {
        const holder = files.readText(path)
        if (isAlive(holder)) throw heldBy(directory, path, holder)
        discard(files, path, holder)
        if (!create(files, path, own)) throw heldBy(directory, path, files.readText(path))
      }
    } catch (error) {
      throw diskError('lock', path, error)
    }
    return new DirectoryLock(files, path)
  }

  release(): void {
    try {
      this.#files.unlink(this.#path)
    } catch {
      // What stays behind names a process that will be gone.
    }
  }
}

function create(files: Files, path: string, text: string): boolean {
  try {
    files.writeText(path, text)
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
}

/** Removes the lock of a dead process. If another took it over meanwhile, it is put back. */
function discard(files: Files, path: string, expected: string): void {
  const aside = `${path}.${process.pid}`
  files.rename(path, aside)
  if (files.readText(aside) !== expected) files.link(aside, path)
  files.unlink(aside)
}

function heldBy(directory: string, path: string, holder: string): StoreError {
  return new StoreError(
    'locked',
    path,
    `${directory} is in use by process ${holder.split(' ', 1)[0]}`,
    'stop that process, or give this one another node.dataDir',
  )
}

/** `pid start-time`; where the system does not tell the time, the number alone. */
function identityOf(pid: number): string {
  return `${pid} ${lookUp(pid)?.startTime ?? ''}`.trim()
}

function isAlive(identity: string): boolean {
  const [pid, startTime] = identity.split(' ')
  const number = Number(pid)
  // A process that died while it wrote its lock left it empty.
  if (!Number.isSafeInteger(number) || number <= 0) return false
  try {
    process.kill(number, 0)
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
  const found = lookUp(number)
  if (found === undefined || startTime === undefined) return true
  return !found.hasEnded && found.startTime === startTime
}

/** What Linux tells of a process, proc(5); undefined elsewhere. */
function lookUp(pid: number): { readonly hasEnded: boolean; readonly startTime: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie: killed, and its parent has not looked yet.
    return { hasEnded: fields[0] === 'Z' || fields[0] === 'X', startTime: fields[START_TIME_FIELD] ?? '' }
  } catch {
    return undefined
  }
}
