/**
 * An append log in numbered segment files, with a check code per record and one write per commit. Everything is
 * synchronous: a commit is one write(2), which the page cache takes in microseconds, and what it took survives the
 * end of the process. Segments are deleted from the old end; who owns the records copies live ones forward first.
 */
import { randomInt } from 'node:crypto'
import { DirectoryLock } from './directory-lock.ts'
import { type Files, systemFiles } from './files.ts'
import { FILE_HEADER_BYTES, RECORD_HEADER_BYTES, writeFileHeader, writeRecordHeader } from './format.ts'
import type { Segment } from './segment.ts'
import { SegmentFolder } from './segment-folder.ts'
import { type OnDamage, type OnRecord, SegmentScan } from './segment-scan.ts'

export type { Damage, OnDamage, OnRecord } from './segment-scan.ts'
export { StoreError, type StoreErrorCode } from './store-error.ts'

export interface LogOptions {
  /** A segment that would pass this is followed by a new one. A larger record gets a segment of its own. */
  readonly segmentBytes: number
  /** Each commit returns only when the octets are on the device: safe from power loss, not only from `kill -9`. */
  readonly sync: boolean
}

/** What the buffer of pending records shrinks back to after a burst. */
const BUFFER_BYTES = 256 * 1024
/** A buffer that is less than one n-th used gives back half. */
const SHRINK_BELOW = 4

export class Log {
  /** Where records are written: see `reserve`. Replaced when it grows. */
  buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  readonly #folder: SegmentFolder
  readonly #lock: DirectoryLock
  readonly #segmentBytes: number
  /** Pending octets are `buffer[#from, #end)`. */
  #from = 0
  #end = 0
  /** Where the reserved room ends. */
  #limit = 0
  #head: Segment
  /** No older segment has pending octets. */
  #tail: Segment
  #bytes: number

  private constructor(folder: SegmentFolder, lock: DirectoryLock, segmentBytes: number) {
    this.#folder = folder
    this.#lock = lock
    this.#segmentBytes = segmentBytes
    this.#head = folder.newest
    this.#tail = this.#head
    this.#bytes = folder.bytes()
  }

  /**
   * Makes the directory if need be, takes its lock (that of a dead process is taken over), and cuts off what an
   * unfinished write left behind. Throws StoreError.
   */
  static open(directory: string, options: LogOptions, files: Files = systemFiles): Log {
    SegmentFolder.make(files, directory)
    const lock = DirectoryLock.take(files, directory)
    try {
      const folder = SegmentFolder.read(files, directory, options.sync, () => randomInt(2 ** 32) | 0)
      return new Log(folder, lock, options.segmentBytes)
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /** Numbers of segments only grow. */
  get oldest(): number {
    return this.#folder.oldest.number
  }

  /** The segment that is written to. */
  get head(): number {
    return this.#head.number
  }

  /** On disk and pending. */
  get bytes(): number {
    return this.#bytes
  }

  /** Finished and not committed. */
  get pending(): number {
    return this.#end - this.#from
  }

  /**
   * Makes room for a record of at most `maxLength` octets and says where in `buffer` it begins. Write it there, then
   * call `finish`; until then nothing else of the log may be called. A reservation that is not finished is forgotten.
   */
  reserve(maxLength: number): number {
    const { size } = this.#head
    if (size > FILE_HEADER_BYTES && size + RECORD_HEADER_BYTES + maxLength > this.#segmentBytes) {
      this.#head = this.#folder.add(this.#head.number + 1)
    }
    const room = FILE_HEADER_BYTES + RECORD_HEADER_BYTES + maxLength
    if (this.#end + room > this.buffer.length) this.#grow(room)
    if (this.#head.size === 0) {
      writeFileHeader(this.buffer, this.#end, this.#head.salt)
      this.#add(FILE_HEADER_BYTES)
    }
    const at = this.#end + RECORD_HEADER_BYTES
    this.#limit = at + maxLength
    return at
  }

  /** Frames the `length` octets at the reserved place, and says in which segment they will be. */
  finish(length: number): number {
    const at = this.#end
    if (at + RECORD_HEADER_BYTES + length > this.#limit) throw new RangeError(`${length} octets were not reserved`)
    const head = this.#head
    writeRecordHeader(this.buffer, at, length, head.salt, head.size)
    this.#add(RECORD_HEADER_BYTES + length)
    this.#limit = 0
    return head.number
  }

  /**
   * Stores everything pending. Throws StoreError and keeps all of it pending that is not stored for certain; a later
   * call goes on exactly there.
   */
  commit(): void {
    if (this.#end === this.#from) return
    for (;;) {
      const tail = this.#tail
      const { pending } = tail
      if (pending > 0) {
        tail.store(this.buffer, this.#from)
        this.#from += pending
      }
      if (tail === this.#head) break
      tail.close()
      this.#tail = this.#folder.get(tail.number + 1) ?? this.#head
    }
    const used = this.#end
    this.#from = 0
    this.#end = 0
    const { length } = this.buffer
    if (length > BUFFER_BYTES && used * SHRINK_BELOW < length) {
      this.buffer = Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, length >>> 1))
    }
  }

  /**
   * Tells every stored record, oldest first. What is damaged is told apart and skipped. Meant for the time before the
   * first `reserve`. Throws StoreError when a file cannot be read at all.
   */
  replay(record: OnRecord, damage: OnDamage): void {
    let expected = this.oldest
    for (const segment of this.#folder.segments()) {
      if (segment.number > expected) damage(this.#folder.gap(expected, segment.number))
      expected = segment.number + 1
      new SegmentScan(this.#folder.source(segment), record, damage).run()
    }
  }

  /**
   * Deletes the oldest segment, which must not be the head. Who recorded anew what it holds has committed before.
   * Throws StoreError; then the segment is still there.
   */
  dropOldest(): void {
    const { oldest } = this.#folder
    if (oldest === this.#head) throw new RangeError('the segment that is written to cannot be dropped')
    if (oldest.pending > 0) this.commit()
    this.#folder.dropOldest()
    this.#bytes -= oldest.size
  }

  /** Commits, and lets others have the directory, even when it throws StoreError. */
  close(): void {
    try {
      this.commit()
    } finally {
      for (const segment of this.#folder.segments()) segment.close()
      this.#lock.release()
    }
  }

  #add(length: number): void {
    this.#end += length
    this.#head.size += length
    this.#bytes += length
  }

  #grow(room: number): void {
    const { pending } = this
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, pending + room))
    grown.set(this.buffer.subarray(this.#from, this.#end))
    this.buffer = grown
    this.#from = 0
    this.#end = pending
  }
}
