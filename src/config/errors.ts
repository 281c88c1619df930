/**
 * What the operator can get wrong, as values and as one error class. Each has a code from specs/errors.json, names the
 * place, and says what to do.
 */
import { createRequire } from 'node:module'
import type catalogue from '../../specs/errors.json'
import { ListenError, type ListenErrorCode } from '../transport/listen-error.ts'

/** A key of specs/errors.json. */
export type ErrorCode = keyof typeof catalogue

export interface CatalogueEntry {
  readonly cause: string
  readonly remedy: string
}

/** One thing that is wrong, or worth a warning. Never thrown: problems are collected, so that all are reported at once. */
export interface Problem {
  readonly code: ErrorCode
  /** `gateways.coap.listeners[0].bind`; empty when the whole file is meant. */
  readonly path: string
  /** Where it was written: `omnigate.yaml:12:5`, or the environment variable; empty when it was written nowhere. */
  readonly source: string
  readonly message: string
  /** What to do. */
  readonly hint: string
}

/** A failure that ends an operation and that the operator can mend. */
export class GatewayError extends Error {
  readonly code: ErrorCode
  readonly hint: string
  readonly path: string

  /** Without a hint of its own it carries the catalogue's remedy. */
  constructor(code: ErrorCode, message: string, details: { hint?: string; path?: string; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'GatewayError'
    this.code = code
    this.hint = details.hint ?? remedyOf(code)
    this.path = details.path ?? ''
  }
}

let loaded: Readonly<Record<string, CatalogueEntry>> | undefined

/** The catalogue of specs/errors.json. */
export function errorCatalogue(): Readonly<Record<string, CatalogueEntry>> {
  // Resolved through the package's own name: the path is the same from the sources and from the compiled tree.
  const require = createRequire(import.meta.url)
  const root = require.resolve('omnigate/package.json').slice(0, -'package.json'.length)
  loaded ??= require(`${root}specs/errors.json`) as Readonly<Record<string, CatalogueEntry>>
  return loaded
}

export function remedyOf(code: ErrorCode): string {
  return errorCatalogue()[code]?.remedy ?? ''
}

/** One line: `omnigate.yaml:12:5 gateways.coap.mountpoint: message. What to do.` */
export function formatProblem(problem: Problem): string {
  const place = [problem.source, problem.path].filter((part) => part !== '').join(' ')
  return `${place === '' ? '' : `${place}: `}${sentence(problem.message)} ${sentence(capitalised(problem.hint))}`.trimEnd()
}

function sentence(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line === '' || /[.!?]$/.test(line) ? line : `${line}.`
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** What a listener refuses, by its error code; its messages name the remedy themselves. */
const LISTEN_FAULTS: Readonly<Record<ListenErrorCode, ErrorCode>> = {
  'in-use': 'address-in-use',
  denied: 'permission-denied',
  unavailable: 'address-not-available',
  unresolved: 'host-not-found',
  tls: 'tls-material-invalid',
  unsupported: 'listener-type-unsupported',
  failed: 'gateway-start-failed',
}

/** What the operating system refuses, by its error code. */
const SYSTEM_FAULTS: Readonly<Record<string, ErrorCode>> = {
  EADDRINUSE: 'address-in-use',
  EADDRNOTAVAIL: 'address-not-available',
  EACCES: 'permission-denied',
  EPERM: 'permission-denied',
  ENOTFOUND: 'host-not-found',
  EAI_AGAIN: 'host-not-found',
  ENOENT: 'file-unreadable',
  EISDIR: 'file-unreadable',
  EMFILE: 'too-many-open-files',
  ENFILE: 'too-many-open-files',
}

/**
 * Makes an operator's error of whatever stopped a gateway or listener: `path` is its place in the config. What is no
 * system fault and has no code of ours becomes `gateway-start-failed`.
 */
export function explainFailure(error: unknown, path: string): GatewayError {
  if (error instanceof GatewayError) return error
  if (error instanceof ListenError)
    return new GatewayError(LISTEN_FAULTS[error.code], error.message, { path, hint: '', cause: error })
  const reason = firstLine(error)
  const system = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  return new GatewayError(SYSTEM_FAULTS[system] ?? 'gateway-start-failed', reason, { path, cause: error })
}

/** The first line of an error's message, for a line of text. */
export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n', 1)[0] ?? ''
}
