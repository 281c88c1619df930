/** One line: a verb, a number where the verb has one, and text where it has some, separated by one space each. */
import type { Malformed } from 'omnigate/sdk'
import { malformed } from 'omnigate/sdk'

interface Shape {
  readonly number: boolean
  readonly text: boolean
}

const VERBS = {
  // from the device
  LOGIN: { number: false, text: true },
  DATA: { number: true, text: true },
  DONE: { number: true, text: false },
  FAIL: { number: true, text: true },
  PING: { number: false, text: false },
  BYE: { number: false, text: false },
  // from the gateway
  WELCOME: { number: false, text: true },
  OK: { number: true, text: false },
  NO: { number: true, text: true },
  DOWN: { number: true, text: true },
  ERR: { number: false, text: true },
  PONG: { number: false, text: false },
} as const satisfies Record<string, Shape>

export type Verb = keyof typeof VERBS

export interface Line {
  readonly verb: Verb
  /** Names a report of the device, or a command to it, in its answer; 0 where the verb has none. */
  readonly number: number
  /** Empty where the verb has none. */
  readonly text: string
}

/** Numbers have one way to be written: no sign, no leading zero, nine digits at most. */
const NUMBER = /^(?:0|[1-9]\d{0,8})$/
/** The end of the line may be CR LF, as people at a terminal send it. */
const LINE = /^([A-Z]{2,8})(?: ([^\r\n]*))?\r?\n$/

const decoder = new TextDecoder('utf-8', { fatal: true })
const encoder = new TextEncoder()

/** `frame` is one line with its LF. What is no line becomes a value, never an exception: devices send anything. */
export function decodeLine(frame: Uint8Array): Line | Malformed {
  const text = textOf(frame)
  if (text === undefined) return malformed('no-utf-8')
  const [, verb = '', rest] = LINE.exec(text) ?? []
  if (!isVerb(verb)) return malformed('unknown-verb')
  const shape: Shape = VERBS[verb]
  if (rest === undefined || rest === '')
    return shape.number || shape.text ? malformed('incomplete') : { verb, number: 0, text: '' }
  if (!shape.number) return shape.text ? { verb, number: 0, text: rest } : malformed('surplus')
  const space = rest.indexOf(' ')
  const digits = space < 0 ? rest : rest.slice(0, space)
  const words = space < 0 ? '' : rest.slice(space + 1)
  if (!NUMBER.test(digits)) return malformed('no-number')
  if ((words !== '') !== shape.text) return malformed(shape.text ? 'incomplete' : 'surplus')
  return { verb, number: Number(digits), text: words }
}

export function encodeLine({ verb, number, text }: Line): Uint8Array {
  const shape: Shape = VERBS[verb]
  return encoder.encode([verb, ...(shape.number ? [String(number)] : []), ...(shape.text ? [text] : [])].join(' ').concat('\n'))
}

/** True when `text` can stand in a line. */
export function fitsInLine(text: string): boolean {
  return text !== '' && !/[\r\n]/.test(text)
}

function isVerb(word: string): word is Verb {
  return Object.hasOwn(VERBS, word)
}

function textOf(frame: Uint8Array): string | undefined {
  try {
    return decoder.decode(frame)
  } catch {
    return undefined
  }
}
