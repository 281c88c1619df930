/**
 * Files that gateways keep: written beside their place and renamed, so that a reader never sees half of one; bounded in octets and age,
 * the oldest deleted first; one written after the other, with few in line. Every failure is a value and counted.
 */
import { mkdir, readdir, rename, rm, rmdir, stat, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { FileLimits, SaveOutcome } from '../sdk.ts'

/** Octets that wait to be written; further files are `busy`. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024

const PARTIAL = '.partial'
/** Longest name that every file system takes, with room for the suffix. */
const MAX_NAME = 200

interface Kept {
  /** Relative to the folder. */
  readonly name: string
  readonly bytes: number
  readonly savedAt: number
}

interface Surroundings {
  /** Milliseconds since the epoch. */
  now(): number
  count(counter: string, by?: number): void
}

export class Files {
  readonly #folder: string
  readonly #shown: string
  readonly #surroundings: Surroundings
  /** Oldest first; read from the disk at the first use. */
  #kept: Map<string, Kept> | undefined = undefined
  #totalBytes = 0
  #waitingBytes = 0
  /** The end of the line. */
  #last: Promise<void> = Promise.resolve()

  /** `shown`: the folder as outcomes name it. */
  constructor(folder: string, shown: string, surroundings: Surroundings) {
    this.#folder = folder
    this.#shown = shown
    this.#surroundings = surroundings
  }

  save(limits: FileLimits, path: readonly string[], bytes: Uint8Array, done: (outcome: SaveOutcome) => void): void {
    const refusal =
      bytes.length > limits.maxTotalBytes
        ? 'too-large'
        : this.#waitingBytes + bytes.length > MAX_WAITING_BYTES
          ? 'busy'
          : undefined
    if (refusal !== undefined) {
      this.#surroundings.count(`file-${refusal}`)
      setImmediate(done, { ok: false, reason: refusal })
      return
    }
    this.#waitingBytes += bytes.length
    this.#last = this.#last.then(async () => {
      const outcome = await this.#write(limits, path.map(safeName).join('/'), bytes)
      this.#waitingBytes -= bytes.length
      done(outcome)
    })
  }

  async #write(limits: FileLimits, name: string, bytes: Uint8Array): Promise<SaveOutcome> {
    const file = join(this.#folder, name)
    const partial = file + PARTIAL
    try {
      this.#kept ??= await this.#scan()
      await this.#makeRoom(this.#kept, limits, bytes.length)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(partial, bytes)
      await rename(partial, file)
    } catch (error) {
      await rm(partial, { force: true }).catch(() => {})
      const reason = (error as NodeJS.ErrnoException).code === 'ENOSPC' ? 'disk-full' : 'failed'
      this.#surroundings.count(`file-${reason}`)
      return { ok: false, reason }
    }
    this.#forget(this.#kept, name)
    this.#kept.set(name, { name, bytes: bytes.length, savedAt: this.#surroundings.now() })
    this.#totalBytes += bytes.length
    return { ok: true, path: `${this.#shown}/${name}` }
  }

  async #makeRoom(kept: Map<string, Kept>, limits: FileLimits, bytes: number): Promise<void> {
    const oldest = this.#surroundings.now() - limits.maxAgeMs
    for (const { name, savedAt } of [...kept.values()]) {
      if (savedAt >= oldest && this.#totalBytes + bytes <= limits.maxTotalBytes) return
      await unlink(join(this.#folder, name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
      })
      // A folder that others share is not empty, and stays.
      await rmdir(dirname(join(this.#folder, name))).catch(() => {})
      this.#forget(kept, name)
      this.#surroundings.count('file-deleted')
    }
  }

  #forget(kept: Map<string, Kept>, name: string): void {
    this.#totalBytes -= kept.get(name)?.bytes ?? 0
    kept.delete(name)
  }

  /** What an earlier run left; halves of files are deleted. */
  async #scan(): Promise<Map<string, Kept>> {
    const found: Kept[] = []
    const walk = async (prefix: string): Promise<void> => {
      const entries = await readdir(join(this.#folder, prefix), { withFileTypes: true }).catch(() => [])
      for (const entry of entries) {
        const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`
        const path = join(this.#folder, name)
        if (entry.isDirectory()) await walk(name)
        else if (name.endsWith(PARTIAL)) await rm(path, { force: true })
        else if (entry.isFile()) {
          const { size, mtimeMs } = await stat(path)
          found.push({ name, bytes: size, savedAt: mtimeMs })
        }
      }
    }
    await walk('')
    found.sort((a, b) => a.savedAt - b.savedAt)
    this.#totalBytes = found.reduce((sum, { bytes }) => sum + bytes, 0)
    return new Map(found.map((kept) => [kept.name, kept]))
  }
}

/** A peer's words as a file name: no separator, no dot in front, no control character, not too long. */
function safeName(part: string): string {
  const safe = part
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .replace(/^\.+/, '_')
    .slice(0, MAX_NAME)
  return safe === '' ? '_' : safe
}
