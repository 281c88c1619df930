/** The segment files of one directory: found, checked and cut when the log is opened, then kept by number. */
import { join } from 'node:path'
import type { Files } from './files.ts'
import { parseSegmentName, segmentName } from './format.ts'
import { Segment, UNFINISHED_SUFFIX } from './segment.ts'
import { type Damage, type ScanSource, SegmentScan } from './segment-scan.ts'
import { diskError, StoreError, systemCode } from './store-error.ts'

interface Found {
  readonly segment: number
  readonly salt: number
}

const FIRST_SEGMENT = 1

export class SegmentFolder {
  /** Of the segment that was added last. */
  newest: Segment
  readonly #files: Files
  readonly #directory: string
  readonly #sync: boolean
  readonly #salt: () => number
  /** Ascending. */
  readonly #segments = new Map<number, Segment>()

  private constructor(files: Files, directory: string, sync: boolean, salt: () => number) {
    this.#files = files
    this.#directory = directory
    this.#sync = sync
    this.#salt = salt
    const found = findSegments(files, directory)
    for (const { segment, salt } of found) this.#open(segment, salt, segment === found.at(-1)?.segment)
    if (sync && found.length > 0) this.#syncNames()
    this.newest = [...this.#segments.values()].at(-1) ?? this.add(FIRST_SEGMENT)
  }

  static make(files: Files, directory: string): void {
    try {
      files.makeDirectory(directory)
    } catch (error) {
      throw diskError('make the directory', directory, error)
    }
  }

  /** `salt` gives random numbers of 32 bits. Throws StoreError. */
  static read(files: Files, directory: string, sync: boolean, salt: () => number): SegmentFolder {
    return new SegmentFolder(files, directory, sync, salt)
  }

  get oldest(): Segment {
    for (const segment of this.#segments.values()) return segment
    return this.newest
  }

  segments(): IterableIterator<Segment> {
    return this.#segments.values()
  }

  get(number: number): Segment | undefined {
    return this.#segments.get(number)
  }

  bytes(): number {
    let sum = 0
    for (const { size } of this.#segments.values()) sum += size
    return sum
  }

  /** A segment without a file yet. */
  add(number: number): Segment {
    const segment = new Segment(this.#files, this.#directory, number, this.#salt(), 0, this.#sync)
    this.#segments.set(number, segment)
    this.newest = segment
    return segment
  }

  dropOldest(): void {
    const { oldest } = this
    oldest.close()
    try {
      this.#files.unlink(oldest.path)
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw diskError('delete', oldest.path, error)
    }
    this.#segments.delete(oldest.number)
    if (this.#sync) this.#syncNames()
  }

  source({ path, number, salt, stored }: Segment): ScanSource {
    return { files: this.#files, path, segment: number, salt, size: stored }
  }

  /** Segments `[from, to)` are not there. */
  gap(from: number, to: number): Damage {
    const which = to - from === 1 ? `segment ${from} is` : `segments ${from} to ${to - 1} are`
    return { path: this.#directory, segment: from, start: 0, end: 0, what: `${which} missing` }
  }

  #open(number: number, salt: number, isLast: boolean): void {
    const files = this.#files
    const path = join(this.#directory, segmentName(number, salt))
    try {
      const file = isLast || this.#sync ? files.open(path, false) : files.openToRead(path)
      try {
        const size = files.size(file)
        const scan = new SegmentScan({ files, path, segment: number, salt, size }, nothing, nothing)
        if (isLast) scan.run()
        else scan.check()
        const kept = isLast ? scan.torn : size
        if (kept < size) files.truncate(file, kept)
        // What a killed process left in the page cache counts as stored from now on.
        if (this.#sync) files.sync(file)
        this.#segments.set(number, new Segment(files, this.#directory, number, salt, kept, this.#sync))
      } finally {
        files.close(file)
      }
    } catch (error) {
      throw diskError('open', path, error)
    }
  }

  #syncNames(): void {
    try {
      this.#files.syncDirectory(this.#directory)
    } catch (error) {
      throw diskError('write', this.#directory, error)
    }
  }
}

function nothing(): void {}

/** Ascending. Files that were being written anew when the process ended are removed: those they replace are whole. */
function findSegments(files: Files, directory: string): Found[] {
  const found = new Map<number, Found>()
  try {
    for (const name of files.list(directory)) {
      const isUnfinished = name.endsWith(UNFINISHED_SUFFIX)
      const parsed = parseSegmentName(isUnfinished ? name.slice(0, -UNFINISHED_SUFFIX.length) : name)
      if (parsed === undefined) continue
      if (isUnfinished) {
        files.unlink(join(directory, name))
        continue
      }
      if (found.has(parsed.segment)) throw duplicate(directory, parsed.segment)
      found.set(parsed.segment, parsed)
    }
  } catch (error) {
    throw diskError('read', directory, error)
  }
  return [...found.values()].sort((one, other) => one.segment - other.segment)
}

function duplicate(directory: string, segment: number): StoreError {
  return new StoreError(
    'format',
    directory,
    `${directory} has two files of segment ${segment}`,
    'take away the one that does not belong to this log',
  )
}
