/** Words of the notation: a name, `key=value`, a word alone is a flag, a quoted one or `hex:` the payload. */
import { fromHex, toHex } from '#bytes/hex'
import { decodeText, encodeText } from './text.ts'

/** The name of the message, and what is written behind it. */
export function wordsOf(text: string): [name: string, written: Map<string, string>] {
  const [name = '', ...rest] = text.match(/(?:[^\s"]|"(?:[^"\\]|\\.)*")+/gs) ?? []
  return [name, new Map(rest.map((word) => wordOf(word)))]
}

function wordOf(word: string): [key: string, value: string] {
  if (word.startsWith('"') || word.startsWith('hex:')) return ['payload', word]
  const [, key = word, value = 'true'] = /^([^=]+)=(.*)$/s.exec(word) ?? []
  return [key, unquoted(value)]
}

export function unquoted(value: string): string {
  return value.startsWith('"') ? (JSON.parse(value) as string) : value
}

export function quoted(text: string): string {
  return /[\s"|]/.test(text) ? JSON.stringify(text) : text
}

export function readPayload(value: string | undefined): Uint8Array {
  if (value === undefined) return new Uint8Array(0)
  if (value.startsWith('hex:')) return fromHex(value.slice(4)) ?? new Uint8Array(0)
  return encodeText(unquoted(value))
}

export function printPayload(payload: Uint8Array): string {
  const text = decodeText(payload)
  return text === undefined ? `hex:${toHex(payload)}` : JSON.stringify(text)
}
