/** Files in memory that know what a device would have after a power cut, and that fail when they are told to. */
import type { Files } from '../../../src/store/files.ts'

interface MemoryFile {
  bytes: Buffer
  /** What a power cut leaves. */
  durable: Buffer
}

/** A call that fails: the operation, the system's code, and how many octets a write takes before. */
export interface Fault {
  readonly operation: keyof Files
  readonly code: string
  readonly afterBytes?: number
}

export class MemoryFiles implements Files {
  /** The next calls that fail; each fault serves once. */
  readonly faults: Fault[] = []
  /** Operations in the order of their calls. */
  readonly calls: (keyof Files)[] = []
  /** A write takes at most so many octets at once. */
  writeAtMost = Number.POSITIVE_INFINITY
  /** Octets that still fit on the device. */
  free = Number.POSITIVE_INFINITY
  #names = new Map<string, MemoryFile>()
  #durableNames = new Map<string, MemoryFile>()
  readonly #open = new Map<number, MemoryFile>()
  #lastFile = 2

  makeDirectory(): void {
    this.#enter('makeDirectory')
  }

  list(directory: string): string[] {
    this.#enter('list')
    const paths = [...this.#names.keys()].filter((path) => path.startsWith(`${directory}/`))
    return paths.map((path) => path.slice(directory.length + 1))
  }

  open(path: string, create: boolean): number {
    this.#enter('open')
    if (!this.#names.has(path)) {
      if (!create) throw systemError('ENOENT')
      this.#names.set(path, { bytes: Buffer.alloc(0), durable: Buffer.alloc(0) })
    }
    return this.#descriptor(path)
  }

  openToRead(path: string): number {
    this.#enter('openToRead')
    return this.#descriptor(path)
  }

  close(file: number): void {
    this.#at(file)
    this.#open.delete(file)
  }

  size(file: number): number {
    return this.#at(file).bytes.length
  }

  read(file: number, into: Uint8Array, offset: number, length: number, position: number): number {
    this.#enter('read')
    const bytes = this.#at(file).bytes.subarray(position, position + length)
    into.set(bytes, offset)
    return bytes.length
  }

  write(file: number, from: Uint8Array, offset: number, length: number, position: number): number {
    this.calls.push('write')
    const fault = this.#due('write')
    const target = this.#at(file)
    const wanted = fault === undefined ? length : (fault.afterBytes ?? 0)
    const growth = Math.max(0, position + Math.min(length, this.writeAtMost, wanted) - target.bytes.length)
    const count = Math.min(length, this.writeAtMost, wanted) - Math.max(0, growth - this.free)
    if (count > 0) {
      const grown = Buffer.alloc(Math.max(target.bytes.length, position + count))
      grown.set(target.bytes)
      grown.set(from.subarray(offset, offset + count), position)
      this.free -= grown.length - target.bytes.length
      target.bytes = grown
    }
    if (fault !== undefined) throw systemError(fault.code)
    if (count <= 0 && length > 0) throw systemError('ENOSPC')
    return count
  }

  truncate(file: number, length: number): void {
    this.#enter('truncate')
    const target = this.#at(file)
    this.free += target.bytes.length - length
    target.bytes = Buffer.from(target.bytes.subarray(0, length))
  }

  sync(file: number): void {
    const target = this.#at(file)
    this.calls.push('sync')
    const fault = this.#due('sync')
    if (fault !== undefined) {
      // As Linux does: the octets that could not be written are lost, and count as written from now on.
      target.bytes = Buffer.concat([target.durable, Buffer.alloc(Math.max(0, target.bytes.length - target.durable.length))])
      throw systemError(fault.code)
    }
    target.durable = Buffer.from(target.bytes)
  }

  syncDirectory(): void {
    this.#enter('syncDirectory')
    this.#durableNames = new Map(this.#names)
  }

  rename(from: string, to: string): void {
    this.#enter('rename')
    this.#names.set(to, this.#named(from))
    this.#names.delete(from)
  }

  unlink(path: string): void {
    this.#enter('unlink')
    this.free += this.#named(path).bytes.length
    this.#names.delete(path)
  }

  create(path: string): void {
    this.#enter('create')
    if (this.#names.has(path)) throw systemError('EEXIST')
    this.#names.set(path, { bytes: Buffer.alloc(0), durable: Buffer.alloc(0) })
  }

  /** Paths of segment files, oldest first. */
  segments(): string[] {
    return [...this.#names.keys()].filter((path) => path.endsWith('.log')).sort()
  }

  bytesOf(path: string): Buffer {
    return this.#named(path).bytes
  }

  put(path: string, bytes: Buffer): void {
    this.#names.set(path, { bytes, durable: bytes })
  }

  remove(path: string): void {
    this.#names.delete(path)
  }

  /** `kill -9`: what was written is there. The lock of this process would be that of a dead one. */
  kill(): void {
    this.#open.clear()
    this.faults.length = 0
    for (const path of this.#names.keys()) if (path.includes('/lock-')) this.#names.delete(path)
  }

  /** Only what was synced is there. */
  cutPower(): void {
    this.#names = new Map(this.#durableNames)
    this.kill()
    for (const file of this.#names.values()) file.bytes = Buffer.from(file.durable)
  }

  get openFiles(): number {
    return this.#open.size
  }

  #descriptor(path: string): number {
    this.#open.set(++this.#lastFile, this.#named(path))
    return this.#lastFile
  }

  #at(file: number): MemoryFile {
    const found = this.#open.get(file)
    if (found === undefined) throw systemError('EBADF')
    return found
  }

  #named(path: string): MemoryFile {
    const found = this.#names.get(path)
    if (found === undefined) throw systemError('ENOENT')
    return found
  }

  #enter(operation: keyof Files): void {
    this.calls.push(operation)
    const fault = this.#due(operation)
    if (fault !== undefined) throw systemError(fault.code)
  }

  #due(operation: keyof Files): Fault | undefined {
    const index = this.faults.findIndex((fault) => fault.operation === operation)
    return index < 0 ? undefined : this.faults.splice(index, 1)[0]
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code })
}
