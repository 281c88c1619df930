/**
 * Scripts: dialogues between devices, applications and gateways, written for people who know the protocol. This file
 * reads them; `lockstep.ts` performs them. The format stands in specs/scripts.md.
 */
import { durationMs } from '../sdk/schema.ts'

/** Where a line stands, for messages that an editor can follow. */
export interface Place {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** The requirement, with its clause, under which the line stands. */
  readonly requirement: string | undefined
}

export type Expectation =
  | { readonly kind: 'receives'; readonly who: string; readonly text: string }
  | { readonly kind: 'closed'; readonly who: string; readonly reason: string | undefined }

export type Action =
  | Expectation
  | {
      readonly kind: 'gateway'
      readonly name: string
      readonly protocol: string
      readonly config: Readonly<Record<string, unknown>>
    }
  | { readonly kind: 'deny'; readonly what: 'publish' | 'subscribe'; readonly filter: string }
  | { readonly kind: 'refuse'; readonly clientId: string; readonly reason: string }
  | {
      readonly kind: 'peer'
      readonly who: string
      readonly datagram: boolean
      readonly address: string | undefined
      readonly port: number | undefined
      readonly secure: boolean
      /** An address that the gateway speaks to first. */
      readonly group: boolean
      readonly identity: string | undefined
      readonly gateway: string | undefined
    }
  | { readonly kind: 'sends'; readonly who: string; readonly text: string }
  | { readonly kind: 'open' | 'hang-up' | 'stop-reading' | 'read-again' | 'leave'; readonly who: string }
  | {
      readonly kind: 'subscribe' | 'unsubscribe'
      readonly who: string
      readonly filter: string
      readonly options: readonly string[]
    }
  | { readonly kind: 'kick'; readonly clientId: string }
  | { readonly kind: 'wait'; readonly fromMs: number; readonly toMs: number; readonly until: Expectation | undefined }
  | { readonly kind: 'quiet'; readonly timers: number | undefined }
  | { readonly kind: 'count'; readonly of: 'malformed' | 'counter' | 'clients'; readonly name: string; readonly value: number }

export type Step = Action & { readonly at: Place }

/** One dialogue in a world of its own. */
export interface Scenario {
  readonly title: string
  readonly file: string
  readonly steps: readonly Step[]
}

/** What is wrong with a script, or with the gateway that it was performed on. */
export class ScriptError extends Error {
  readonly at: Place

  constructor(at: Place, message: string) {
    super(`${at.file}:${at.line}: ${message}${at.requirement === undefined ? '' : `\n  required:   ${at.requirement}`}`)
    this.name = 'ScriptError'
    this.at = at
  }
}

const DURATION = String.raw`\d+(?:\.\d+)?(?:ms|s|m|h|d)`
const WAIT = new RegExp(String.raw`^~\s*(${DURATION})(?:\.\.(${DURATION}))?(?:\s+(\S.*))?$`)
const NAME = '[a-z][a-z0-9-]*'

/** Reads `text`; throws a `ScriptError` at the first line that is none. `file` is only named in messages. */
export function parseScript(text: string, file: string): Scenario[] {
  const scenarios: { title: string; file: string; steps: Step[] }[] = []
  let requirement: string | undefined
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim()
    const heading = /^==\s*(\S.*)$/.exec(line)?.[1]
    if (heading !== undefined) {
      scenarios.push({ title: heading.replace(/\s+/g, ' '), file, steps: [] })
      requirement = undefined
      continue
    }
    if (line.startsWith('#')) {
      if (/\[[^\]]+\]$/.test(line)) requirement = line.slice(1).trim().replace(/\s+/g, ' ')
      continue
    }
    if (line === '') continue
    const at: Place = { file, line: index + 1, requirement }
    if (scenarios.length === 0) scenarios.push({ title: titleOf(file), file, steps: [] })
    scenarios.at(-1)?.steps.push({ ...parseLine(line, at), at })
  }
  for (const { title, steps } of scenarios) {
    if (!steps.some(({ kind }) => kind === 'gateway'))
      throw new ScriptError({ file, line: 1, requirement: undefined }, `"${title}" names no gateway`)
  }
  return scenarios
}

function titleOf(file: string): string {
  return (file.split(/[/\\]/).at(-1) ?? file).replace(/\.script$/, '')
}

/** Tried in order; the first that recognises a line reads it. */
type Reader = readonly [pattern: RegExp, read: (match: readonly (string | undefined)[], at: Place) => Action]

const READERS: readonly Reader[] = [
  [
    new RegExp(String.raw`^gateway (${NAME})(?: use (\S+))?(?:\s+(\{.*\}))?$`),
    ([, name = '', use, json], at) => ({
      kind: 'gateway',
      name,
      protocol: use ?? name,
      config: json === undefined ? {} : parseObject(json, at),
    }),
  ],
  [
    /^deny (publish|subscribe) (\S+)$/,
    ([, what, filter = '']) => ({ kind: 'deny', what: what as 'publish' | 'subscribe', filter }),
  ],
  [/^deny connect (\S+) ([a-z-]+)$/, ([, clientId = '', reason = '']) => ({ kind: 'refuse', clientId, reason })],
  [
    new RegExp(String.raw`^(${NAME})\s*=\s*(tcp|udp)(?:\s+(\S+:\d+))?((?:\s+(?:secure|group|identity=\S+|on ${NAME}))*)$`),
    readPeer,
  ],
  [new RegExp(String.raw`^(${NAME})>>\s*(.*)$`), ([, who = '', text = '']) => ({ kind: 'sends', who, text })],
  [
    new RegExp(`^(${NAME}) (hangs up|stops reading|reads again|leaves|open)$`),
    ([, who = '', what = '']) => ({ kind: VERBS[what] ?? 'open', who }),
  ],
  [
    new RegExp(String.raw`^(${NAME}) (un)?subscribes (\S+)((?: \S+)*)$`),
    ([, who = '', un, filter = '', options = '']) => ({
      kind: un === undefined ? 'subscribe' : 'unsubscribe',
      who,
      filter,
      options: words(options),
    }),
  ],
  [/^kick (\S+)$/, ([, clientId = '']) => ({ kind: 'kick', clientId })],
  [WAIT, readWait],
  [/^quiet(?: timers=(\d+))?$/, ([, timers]) => ({ kind: 'quiet', timers: timers === undefined ? undefined : Number(timers) })],
  [
    /^(malformed|counter) (\S+) (\d+)$/,
    ([, of, name = '', value]) => ({ kind: 'count', of: of as 'malformed' | 'counter', name, value: Number(value) }),
  ],
  [/^clients (\d+)$/, ([, value]) => ({ kind: 'count', of: 'clients', name: 'clients', value: Number(value) })],
]

const VERBS: Readonly<Record<string, 'hang-up' | 'stop-reading' | 'read-again' | 'leave' | 'open'>> = {
  'hangs up': 'hang-up',
  'stops reading': 'stop-reading',
  'reads again': 'read-again',
  leaves: 'leave',
  open: 'open',
}

function parseLine(line: string, at: Place): Action {
  const expectation = parseExpectation(line)
  if (expectation !== undefined) return expectation
  for (const [pattern, read] of READERS) {
    const match = pattern.exec(line)
    if (match !== null) return read(match, at)
  }
  throw new ScriptError(at, `this is no step of a script: ${line}`)
}

function parseExpectation(line: string): Expectation | undefined {
  const [, receiver, text = ''] = new RegExp(String.raw`^(${NAME})<<\s*(.*)$`).exec(line) ?? []
  if (receiver !== undefined) return { kind: 'receives', who: receiver, text }
  const [, closed, reason] = new RegExp(`^(${NAME}) closed(?: ([a-z-]+))?$`).exec(line) ?? []
  return closed === undefined ? undefined : { kind: 'closed', who: closed, reason }
}

function readPeer([, who = '', kind, address, more = '']: readonly (string | undefined)[]): Action {
  const colon = address?.lastIndexOf(':') ?? -1
  return {
    kind: 'peer',
    who,
    datagram: kind === 'udp',
    address: address?.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: address === undefined ? undefined : Number(address.slice(colon + 1)),
    secure: /\bsecure\b/.test(more),
    group: /\bgroup\b/.test(more),
    identity: /\bidentity=(\S+)/.exec(more)?.[1],
    gateway: /\bon (\S+)/.exec(more)?.[1],
  }
}

function readWait([, from = '', to, rest]: readonly (string | undefined)[], at: Place): Action {
  const fromMs = durationMs(from)
  const toMs = to === undefined ? fromMs : durationMs(to)
  if (toMs < fromMs) throw new ScriptError(at, `${to} is earlier than ${from}`)
  if (rest === undefined) {
    if (to !== undefined) throw new ScriptError(at, 'a span of time needs what is to happen in it')
    return { kind: 'wait', fromMs, toMs, until: undefined }
  }
  const until = parseExpectation(rest)
  if (until === undefined) throw new ScriptError(at, `after a time stands what is then received or closed, not: ${rest}`)
  return { kind: 'wait', fromMs, toMs, until }
}

function parseObject(json: string, at: Place): Record<string, unknown> {
  try {
    return JSON.parse(json) as Record<string, unknown>
  } catch (error) {
    throw new ScriptError(at, `the config is no JSON: ${(error as Error).message}`)
  }
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}
