/** One numbered file of the log, and how octets get into it so that a failure is never taken for a success. */
import { join } from 'node:path'
import type { Files } from './files.ts'
import { segmentName } from './format.ts'
import { diskError } from './store-error.ts'

export const UNFINISHED_SUFFIX = '.new'
const COPY_BYTES = 256 * 1024

export class Segment {
  readonly number: number
  readonly salt: number
  readonly path: string
  /** Octets of the file once everything pending is stored. */
  size: number
  readonly #files: Files
  readonly #directory: string
  readonly #sync: boolean
  /** Octets that are stored for good: in the page cache, or with `sync` on the device. */
  #stored: number
  /** Octets behind those, which a write that failed half-way, or was not synced, put there. */
  #written = 0
  #file = -1
  #isNamed: boolean
  /** A sync failed: the page cache may show octets that never reached the device, and may never write them. */
  #isSuspect = false

  /** `stored` octets are in the file; with none the file need not exist. */
  constructor(files: Files, directory: string, number: number, salt: number, stored: number, sync: boolean) {
    this.number = number
    this.salt = salt
    this.path = join(directory, segmentName(number, salt))
    this.size = stored
    this.#files = files
    this.#directory = directory
    this.#sync = sync
    this.#stored = stored
    this.#isNamed = stored > 0
  }

  get stored(): number {
    return this.#stored
  }

  get pending(): number {
    return this.size - this.#stored
  }

  /**
   * Stores what is pending, `bytes[from, from + pending)`. Throws StoreError; another call goes on where this one
   * failed, and must pass the same octets, perhaps with more behind them.
   */
  store(bytes: Uint8Array, from: number): void {
    const { pending } = this
    try {
      if (this.#isSuspect) this.#renew(bytes, from, pending)
      else this.#append(bytes, from, pending)
    } catch (error) {
      throw diskError('write', this.path, error)
    }
    this.#stored += pending
    this.#written = 0
  }

  close(): void {
    if (this.#file >= 0) this.#files.close(this.#file)
    this.#file = -1
  }

  #append(bytes: Uint8Array, from: number, length: number): void {
    const files = this.#files
    if (this.#file < 0) this.#file = files.open(this.path, true)
    while (this.#written < length) {
      const done = this.#written
      this.#written += writeSome(files, this.#file, bytes, from + done, length - done, this.#stored + done)
    }
    if (!this.#sync) return
    try {
      files.sync(this.#file)
    } catch (error) {
      this.#isSuspect = true
      throw error
    }
    if (this.#isNamed) return
    files.syncDirectory(this.#directory)
    this.#isNamed = true
  }

  /** Writes the whole file anew under another name, and lets it take the place of the old one. */
  #renew(bytes: Uint8Array, from: number, length: number): void {
    const files = this.#files
    const path = `${this.path}${UNFINISHED_SUFFIX}`
    const file = files.open(path, true)
    try {
      files.truncate(file, 0)
      this.#copyStored(file)
      for (let done = 0; done < length; ) {
        done += writeSome(files, file, bytes, from + done, length - done, this.#stored + done)
      }
      files.sync(file)
      files.rename(path, this.path)
      files.syncDirectory(this.#directory)
    } catch (error) {
      files.close(file)
      throw error
    }
    this.close()
    this.#file = file
    this.#isNamed = true
    this.#isSuspect = false
  }

  /** What was synced before the failure is still as it was. */
  #copyStored(to: number): void {
    const files = this.#files
    if (this.#stored === 0) return
    const from = files.openToRead(this.path)
    try {
      const block = new Uint8Array(Math.min(COPY_BYTES, this.#stored))
      for (let done = 0; done < this.#stored; ) {
        const count = files.read(from, block, 0, Math.min(block.length, this.#stored - done), done)
        if (count === 0) throw new Error('the file became shorter')
        for (let written = 0; written < count; ) {
          written += writeSome(files, to, block, written, count - written, done + written)
        }
        done += count
      }
    } finally {
      files.close(from)
    }
  }
}

function writeSome(files: Files, file: number, from: Uint8Array, offset: number, length: number, position: number): number {
  const count = files.write(file, from, offset, length, position)
  if (count <= 0) throw new Error('the device took nothing')
  return count
}
