/**
 * How people write CoAP messages, in scripts and traces:
 *
 *   con 7 POST /ps/a?clientid=d1 token=01 format=50 payload="21.5"
 *   ack 7 2.04 token=01
 *   non 9 2.05 token=a1 observe=12 payload={"t":1}
 *
 * Type, message id, method or code, the path of a request, then options and payload in a fixed order. Tokens and
 * opaque values are hex; a block is number/more/size; an option without a name here is `opt-NUMBER=HEX`.
 */
import { isMalformed } from '#sdk'
import { blockOf, blockOption, blockSize, szxFor } from '#stacks/coap/block'
import { codeText, isRequestCode, type MessageType, methodText } from '#stacks/coap/codes'
import { LONGEST_TOKEN_BYTES, parse, serialize } from '#stacks/coap/message'
import type { OptionSet } from '#stacks/coap/option-set'
import {
  ACCEPT,
  BLOCK1,
  BLOCK2,
  CONTENT_FORMAT,
  decodeUint,
  ECHO,
  ETAG,
  IF_MATCH,
  IF_NONE_MATCH,
  LOCATION_PATH,
  LOCATION_QUERY,
  MAX_AGE,
  NO_RESPONSE,
  OBSERVE,
  type Option,
  opaqueOption,
  REQUEST_TAG,
  SIZE1,
  SIZE2,
  textOption,
  URI_PATH,
  URI_QUERY,
  uintOption,
} from '#stacks/coap/options'
import { decodeText, encodeText } from '#stacks/coap/text'

const TYPES = ['con', 'non', 'ack', 'rst'] as const
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'FETCH', 'PATCH', 'iPATCH'] as const

type Kind = 'uint' | 'hex' | 'block' | 'path' | 'text'

/** Options that have a name here, in the order in which they are printed. */
const NAMED: readonly (readonly [name: string, number: number, kind: Kind])[] = [
  ['observe', OBSERVE, 'uint'],
  ['location', LOCATION_PATH, 'path'],
  ['location-query', LOCATION_QUERY, 'text'],
  ['format', CONTENT_FORMAT, 'uint'],
  ['accept', ACCEPT, 'uint'],
  ['max-age', MAX_AGE, 'uint'],
  ['etag', ETAG, 'hex'],
  ['if-match', IF_MATCH, 'hex'],
  ['if-none-match', IF_NONE_MATCH, 'hex'],
  ['block1', BLOCK1, 'block'],
  ['block2', BLOCK2, 'block'],
  ['size1', SIZE1, 'uint'],
  ['size2', SIZE2, 'uint'],
  ['echo', ECHO, 'hex'],
  ['no-response', NO_RESPONSE, 'uint'],
  ['request-tag', REQUEST_TAG, 'hex'],
]

const SHOWN = new Set([URI_PATH, URI_QUERY, ...NAMED.map(([, number]) => number)])

/** One object serves any number of connections: CoAP messages are read by themselves. */
export function notation() {
  return { encode, decode }
}

/** Throws when the text is no message. */
export function encode(text: string): Uint8Array {
  const [type = '', id = '', what = '', ...rest] = split(text)
  const typeNumber = TYPES.indexOf(type as (typeof TYPES)[number])
  if (typeNumber < 0 || !/^\d+$/.test(id)) throw new Error(`a message begins with its type and message id: ${text}`)
  const options: Option[] = []
  let token = ''
  let payload: Uint8Array | undefined
  for (const part of rest) {
    const equals = part.indexOf('=')
    const name = part.slice(0, equals)
    const value = part.slice(equals + 1)
    if (part.startsWith('/')) options.push(...pathOptions(part))
    else if (equals < 0) throw new Error(`neither a path nor an option: ${part}`)
    else if (name === 'token') token = unhex(value).toString('latin1')
    else if (name === 'payload') payload = payloadOf(value)
    else options.push(...optionsOf(name, value))
  }
  return serialize(typeNumber as MessageType, codeFrom(what), Number(id), token, options, payload)
}

export function decode(frame: Uint8Array): string {
  const message = parse(frame, undefined, LONGEST_TOKEN_BYTES)
  if (isMalformed(message)) throw new Error(message.malformed)
  const { type, code, messageId, token, options, payload } = message
  const words: string[] = [TYPES[type], String(messageId), isRequestCode(code) ? methodText(code) : codeText(code)]
  if (isRequestCode(code)) words.push(printPath(options))
  if (token !== '') words.push(`token=${hex(Buffer.from(token, 'latin1'))}`)
  for (const [name, number, kind] of NAMED) words.push(...printNamed(options, name, number, kind))
  for (const { number, value } of options.list()) if (!SHOWN.has(number)) words.push(`opt-${number}=${hex(value)}`)
  if (payload.length > 0) words.push(`payload=${printPayload(payload)}`)
  return words.join(' ')
}

/** At spaces outside quotes and braces. */
function split(text: string): string[] {
  const words: string[] = []
  let word = ''
  let depth = 0
  let quoted = false
  for (const [i, c] of [...text].entries()) {
    if (c === '"' && text[i - 1] !== '\\') quoted = !quoted
    if (!quoted && c === '{') depth++
    if (!quoted && c === '}') depth--
    if (c === ' ' && !quoted && depth === 0) {
      if (word !== '') words.push(word)
      word = ''
    } else {
      word += c
    }
  }
  return word === '' ? words : [...words, word]
}

function codeFrom(what: string): number {
  const method = METHODS.indexOf(what as (typeof METHODS)[number])
  if (method >= 0) return method + 1
  const [, codeClass, detail] = /^([0-7])\.(\d\d)$/.exec(what) ?? []
  if (codeClass === undefined || Number(detail) > 31) throw new Error(`neither a method nor a code: ${what}`)
  return (Number(codeClass) << 5) | Number(detail)
}

function pathOptions(uri: string): Option[] {
  const question = uri.indexOf('?')
  const path = question < 0 ? uri : uri.slice(0, question)
  const query = question < 0 ? [] : uri.slice(question + 1).split('&')
  const segments = path === '/' ? [] : path.slice(1).split('/')
  return [...segments.map((segment) => textOption(URI_PATH, segment)), ...query.map((part) => textOption(URI_QUERY, part))]
}

function printPath(options: OptionSet): string {
  const query = options.texts(URI_QUERY)
  return `/${options.texts(URI_PATH).join('/')}${query.length === 0 ? '' : `?${query.join('&')}`}`
}

function optionsOf(name: string, value: string): Option[] {
  const number = /^opt-(\d+)$/.exec(name)?.[1]
  if (number !== undefined) return [opaqueOption(Number(number), unhex(value))]
  const known = NAMED.find(([candidate]) => candidate === name)
  if (known === undefined) throw new Error(`no option is called ${name}`)
  const [, option, kind] = known
  if (kind === 'uint') return [uintOption(option, Number(value))]
  if (kind === 'hex') return [opaqueOption(option, unhex(value))]
  if (kind === 'text') return [textOption(option, value)]
  if (kind === 'path')
    return value
      .slice(1)
      .split('/')
      .map((segment) => textOption(option, segment))
  const [, block, more, size] = /^(\d+)\/([01])\/(\d+)$/.exec(value) ?? []
  const szx = szxFor(Number(size))
  if (block === undefined || blockSize(szx) !== Number(size)) throw new Error(`a block is number/more/size: ${value}`)
  return [blockOption(option, { number: Number(block), more: more === '1', szx })]
}

function printNamed(options: OptionSet, name: string, number: number, kind: Kind): string[] {
  if (!options.has(number)) return []
  if (kind === 'uint') return options.opaques(number).map((value) => `${name}=${decodeUint(value)}`)
  if (kind === 'hex') return options.opaques(number).map((value) => `${name}=${hex(value)}`)
  if (kind === 'text') return options.texts(number).map((value) => `${name}=${value}`)
  if (kind === 'path') return [`${name}=/${options.texts(number).join('/')}`]
  const block = blockOf(options, number)
  return block === undefined ? [`${name}=invalid`] : [`${name}=${block.number}/${block.more ? 1 : 0}/${blockSize(block.szx)}`]
}

/** Quoted text, JSON as it stands, or `hex:00ff`. */
function payloadOf(value: string): Uint8Array {
  if (value.startsWith('hex:')) return unhex(value.slice(4))
  return encodeText(value.startsWith('"') ? (JSON.parse(value) as string) : value)
}

function printPayload(payload: Uint8Array): string {
  const text = decodeText(payload)
  if (text === undefined) return `hex:${hex(payload)}`
  return /^\{.*\}$/s.test(text) ? text : JSON.stringify(text)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function unhex(digits: string): Buffer {
  return Buffer.from(digits, 'hex')
}
