/** What the disk refuses, as one error class: the path, the reason in words, and what to do. */

/**
 * `full`: no space, or quota used up. `read-only`: the file system. `denied`: permissions. `io`: the device failed.
 * `locked`: another process uses the directory. `format`: files that this version does not understand.
 */
export type StoreErrorCode = 'full' | 'read-only' | 'denied' | 'io' | 'locked' | 'format' | 'missing' | 'failed'

export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode
  /** The file or directory that it is about. */
  readonly path: string

  /** `problem` and `remedy` are phrases: `cannot write`, `free space on it`. */
  constructor(code: StoreErrorCode, path: string, problem: string, remedy: string, cause?: unknown) {
    super(`${problem}: ${remedy}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.path = path
  }
}

interface Refusal {
  readonly code: StoreErrorCode
  readonly words: string
  readonly remedy: string
}

/** By the system's error code. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  ENOSPC: {
    code: 'full',
    words: 'no space is left on the device',
    remedy: 'free space there, or set node.dataDir to a larger device',
  },
  EDQUOT: { code: 'full', words: 'the disk quota is used up', remedy: 'raise the quota, or free space' },
  EFBIG: { code: 'full', words: 'the file would become too large', remedy: 'raise the limit of file sizes (ulimit -f)' },
  EROFS: {
    code: 'read-only',
    words: 'the file system is read-only',
    remedy: 'mount it for writing, or set node.dataDir to a directory that can be written',
  },
  EACCES: { code: 'denied', words: 'permission denied', remedy: 'let the user that runs Omnigate read and write there' },
  EPERM: { code: 'denied', words: 'operation not permitted', remedy: 'let the user that runs Omnigate read and write there' },
  EIO: {
    code: 'io',
    words: 'the device reported an input/output error',
    remedy: 'look at the kernel log, and replace the device if it fails',
  },
  ENOENT: { code: 'missing', words: 'it is not there', remedy: 'restore it; nothing may delete files while Omnigate runs' },
  ENOTDIR: { code: 'missing', words: 'a part of the path is no directory', remedy: 'set node.dataDir to a directory' },
  EEXIST: { code: 'missing', words: 'a file of that name is in the way', remedy: 'move it away, or set node.dataDir anew' },
  EMFILE: { code: 'failed', words: 'too many files are open', remedy: 'raise the limit of open files (ulimit -n)' },
  ENFILE: { code: 'failed', words: 'too many files are open on this machine', remedy: 'raise fs.file-max' },
}

/** The system's code of an error: `ENOSPC`; empty when it has none. */
export function systemCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
}

/** `action` is what was tried: `write`, `open`. */
export function diskError(action: string, path: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause
  const system = systemCode(cause)
  const { code, words, remedy } = REFUSALS[system] ?? {
    code: 'failed',
    words: cause instanceof Error ? cause.message : String(cause),
    remedy: 'check the directory and the device',
  }
  const suffix = system === '' ? '' : ` (${system})`
  return new StoreError(code, path, `cannot ${action} ${path}: ${words}${suffix}`, remedy, cause)
}
