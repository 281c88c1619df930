/**
 * Reads the records of one segment file. A damaged body costs its record; behind a damaged header the next
 * whole record is looked for, octet by octet.
 */
import type { Files } from './files.ts'
import { FILE_HEADER_BYTES, isWhole, RECORD_HEADER_BYTES, readFileHeader, recordLength, VERSION } from './format.ts'
import { diskError, StoreError, systemCode } from './store-error.ts'

/** A stretch of a segment file that could not be read: `[start, end)`. */
export interface Damage {
  readonly path: string
  readonly segment: number
  readonly start: number
  readonly end: number
  readonly what: string
}

/** The record's octets are `bytes[start, end)`; they change after the call. */
export type OnRecord = (bytes: Buffer, start: number, end: number, segment: number) => void
export type OnDamage = (damage: Damage) => void

export interface ScanSource {
  readonly files: Files
  readonly path: string
  readonly segment: number
  /** As the file's name says. */
  readonly salt: number
  /** Octets of the file that are read; what stands behind is ignored. */
  readonly size: number
}

const WINDOW_BYTES = 256 * 1024
/** What a device that fails gives or refuses as a whole. */
const BLOCK_BYTES = 4096

export class SegmentScan {
  /** Where the octets begin that a write which never ended left behind; the size when the file ends with a record. */
  torn: number
  readonly #source: ScanSource
  readonly #onRecord: OnRecord
  readonly #onDamage: OnDamage
  #salt: number
  #file = -1
  /** Octets `[#base, #base + #filled)` of the file. */
  #window = Buffer.alloc(WINDOW_BYTES)
  #base = 0
  #filled = 0
  /** Where the next header should stand. */
  #position = 0
  /** Where the stretch began in which no record was found, or -1. */
  #lostSince = -1
  #lostOnlyZeros = true
  /** Zeros stand for blocks that the device did not give. */
  #hasGaps = false

  constructor(source: ScanSource, onRecord: OnRecord, onDamage: OnDamage) {
    this.#source = source
    this.#onRecord = onRecord
    this.#onDamage = onDamage
    this.#salt = source.salt
    this.torn = source.size
  }

  /** Reads the file header alone. Throws StoreError when it is of another version, or cannot be read. */
  check(): void {
    this.#inFile(() => this.#readFileHeader())
  }

  /** Reads everything. Throws StoreError when the file cannot be read at all. */
  run(): void {
    const { size } = this.#source
    this.#inFile(() => {
      this.#readFileHeader()
      while (this.#position < size) {
        if (this.#lostSince >= 0) this.#seek()
        else this.#readRecord()
      }
      if (this.#lostSince >= 0) this.#endLost(size)
    })
  }

  #inFile(read: () => void): void {
    const { files, path, size } = this.#source
    if (size === 0) return
    try {
      this.#file = files.openToRead(path)
    } catch (error) {
      throw diskError('read', path, error)
    }
    try {
      read()
    } finally {
      files.close(this.#file)
    }
  }

  #readFileHeader(): void {
    const { size, path } = this.#source
    this.#position = Math.min(FILE_HEADER_BYTES, size)
    const header = this.#fill(0, FILE_HEADER_BYTES) ? readFileHeader(this.#window) : 'damaged'
    if (header === 'damaged') {
      if (size < FILE_HEADER_BYTES) this.torn = 0
      this.#damage(0, this.#position, 'the file header is damaged')
      return
    }
    if (header.version !== VERSION) {
      throw new StoreError(
        'format',
        path,
        `${path} has format version ${header.version}, and this Omnigate reads version ${VERSION}`,
        'start the version of Omnigate that wrote it, or set node.dataDir to an empty directory',
      )
    }
    this.#salt = header.salt
  }

  #readRecord(): void {
    const position = this.#position
    const { size } = this.#source
    if (!this.#fill(position, RECORD_HEADER_BYTES)) return this.#tear()
    const length = recordLength(this.#window, position - this.#base, this.#salt, position)
    if (length < 0) return this.#beginLost()
    const next = position + RECORD_HEADER_BYTES + length
    if (next > size) return this.#tear()
    this.#fill(position, RECORD_HEADER_BYTES + length)
    const at = position - this.#base
    this.#position = next
    if (!isWhole(this.#window, at, length)) return this.#damage(position, next, 'a record does not match its check code')
    this.#onRecord(this.#window, at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length, this.#source.segment)
  }

  /** The last write did not end: what stands here was never acknowledged, unless the file was cut. */
  #tear(): void {
    this.torn = this.#position
    this.#damage(this.#position, this.#source.size, 'the file ends within a record')
    this.#position = this.#source.size
  }

  #beginLost(): void {
    this.#lostSince = this.#position
    this.#lostOnlyZeros = true
  }

  /** Tries each octet as the beginning of a record. */
  #seek(): void {
    const { size } = this.#source
    while (this.#position < size) {
      const position = this.#position
      if (this.#fill(position, RECORD_HEADER_BYTES)) {
        const length = recordLength(this.#window, position - this.#base, this.#salt, position)
        if (length >= 0 && this.#isWholeAt(position, length)) return this.#endLost(position)
      } else {
        this.#fill(position, 1)
      }
      if (this.#window[position - this.#base] !== 0) this.#lostOnlyZeros = false
      this.#position++
    }
  }

  #isWholeAt(position: number, length: number): boolean {
    return this.#fill(position, RECORD_HEADER_BYTES + length) && isWhole(this.#window, position - this.#base, length)
  }

  /** Zeros up to the end are room that the file system gave for a write whose octets never came. */
  #endLost(end: number): void {
    const start = this.#lostSince
    this.#lostSince = -1
    if (end === this.#source.size && this.#lostOnlyZeros && !this.#hasGaps) this.torn = start
    this.#damage(start, end, 'no record can be made out')
  }

  #damage(start: number, end: number, what: string): void {
    const { path, segment } = this.#source
    this.#onDamage({ path, segment, start, end, what })
  }

  /** Gets octets `[position, position + length)` into the window. False when the file ends before. */
  #fill(position: number, length: number): boolean {
    const end = position + length
    if (end > this.#source.size) return false
    if (end > this.#base + this.#filled) this.#load(position, length)
    return true
  }

  /** Moves the window to `position`, and reads ahead. */
  #load(position: number, length: number): void {
    const { size } = this.#source
    const capacity = Math.max(WINDOW_BYTES, length)
    const kept = Math.max(0, this.#base + this.#filled - position)
    const from = this.#window
    if (capacity > from.length || from.length > capacity * 4) this.#window = Buffer.alloc(capacity)
    if (kept > 0) this.#window.set(from.subarray(this.#filled - kept, this.#filled))
    this.#base = position
    this.#filled = kept
    const wanted = Math.min(this.#window.length, size - position)
    while (this.#filled < wanted) {
      this.#filled += this.#read(wanted - this.#filled, position + this.#filled)
    }
  }

  /** Reads behind what is filled; a block that cannot be read costs its own records, as if it were overwritten. */
  #read(length: number, position: number): number {
    const { files, path } = this.#source
    let count: number
    try {
      count = files.read(this.#file, this.#window, this.#filled, length, position)
    } catch (error) {
      if (systemCode(error) !== 'EIO') throw diskError('read', path, error)
      this.#hasGaps = true
      count = Math.min(length, BLOCK_BYTES - (position % BLOCK_BYTES))
      this.#window.fill(0, this.#filled, this.#filled + count)
    }
    if (count === 0) throw diskError('read', path, new Error('the file became shorter meanwhile'))
    return count
  }
}
