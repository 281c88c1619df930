/** The few calls on the file system that the store makes, so that tests can let each of them fail. All are synchronous. */
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { systemCode } from './store-error.ts'

/** Failures are thrown as Node.js throws them: errors with a system code. */
export interface Files {
  makeDirectory(path: string): void
  /** Names, not paths. */
  list(directory: string): string[]
  /** For reading and writing; with `create` a missing file is made. Answers a descriptor. */
  open(path: string, create: boolean): number
  openToRead(path: string): number
  close(file: number): void
  size(file: number): number
  /** Octets read; 0 at the end. */
  read(file: number, into: Uint8Array, offset: number, length: number, position: number): number
  /** Octets written, perhaps fewer than asked. */
  write(file: number, from: Uint8Array, offset: number, length: number, position: number): number
  truncate(file: number, length: number): void
  /** Returns when the octets and what is needed to read them are on the device. */
  sync(file: number): void
  /** Returns when names made and removed in the directory are on the device. */
  syncDirectory(path: string): void
  rename(from: string, to: string): void
  unlink(path: string): void
  /** Makes an empty file; fails when the name is taken. */
  create(path: string): void
}

/** Nobody but its owner reads what devices said. */
const FILE_MODE = 0o640
const DIRECTORY_MODE = 0o750

/** With those above it. The `recursive` of Node.js calls every refusal by the device a missing directory. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: DIRECTORY_MODE })
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST' && statSync(path).isDirectory()) return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    makeDirectory(dirname(path))
    mkdirSync(path, { mode: DIRECTORY_MODE })
  }
}

export const systemFiles: Files = {
  makeDirectory,
  list: (directory) => readdirSync(directory),
  open(path, create) {
    try {
      return openSync(path, 'r+')
    } catch (error) {
      if (!create || systemCode(error) !== 'ENOENT') throw error
      return openSync(path, 'wx+', FILE_MODE)
    }
  },
  openToRead: (path) => openSync(path, 'r'),
  close: (file) => closeSync(file),
  size: (file) => fstatSync(file).size,
  read: (file, into, offset, length, position) => readSync(file, into, offset, length, position),
  write: (file, from, offset, length, position) => writeSync(file, from, offset, length, position),
  truncate: (file, length) => ftruncateSync(file, length),
  sync: (file) => fdatasyncSync(file),
  syncDirectory(path) {
    const directory = openSync(path, 'r')
    try {
      fsyncSync(directory)
    } finally {
      closeSync(directory)
    }
  },
  rename: (from, to) => renameSync(from, to),
  unlink: (path) => unlinkSync(path),
  create: (path) => closeSync(openSync(path, 'wx', FILE_MODE)),
}
