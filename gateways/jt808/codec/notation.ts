/**
 * JT/T 808 messages as people write them, for scripts (specs/scripts.md):
 *
 *   register phone=013812345678 province=31 city=115 dev_id=ID00001 color=1 license_number=沪B12345
 *   platform-response sn=0 seq=1 id=0x0102 result=0
 *   0x0900 sn=7 hex:f00102
 *
 * A message's name; or its id, where the body is octets or has no words yet; the header's fields, then those of the body under the names of the
 * codec. A phone number stays until another is given and is printed only where it is another; 20 digits mean the 2019
 * header. Serial numbers that are left out count up from 0.
 */
import { fromHex, toHex } from '#bytes/hex'
import { isMalformed } from '#sdk'
import { closeFrame } from './frame.ts'
import type { Header } from './header.ts'
import { decode } from './index.ts'
import type { Draft, Message } from './messages.ts'
import { messageId, writeBody } from './messages.ts'

type Field = number | string | Uint8Array | undefined

const NO_OCTETS = new Uint8Array(0)

/** The fields of the bodies that have words, in the order in which it is printed, with what it is when it is left out. */
const BODIES: Readonly<Partial<Record<Draft['type'], Readonly<Record<string, Field>>>>> = {
  heartbeat: { extra_raw: undefined },
  deregister: { extra_raw: undefined },
  register: { province: 0, city: 0, manufacturer: '', model: '', dev_id: '', color: 0, license_number: '', edition: '' },
  authenticate: { code: '', imei: undefined, software_version: undefined },
  location: {
    alarm: 0,
    status: 0,
    latitude: 0,
    longitude: 0,
    altitude: 0,
    speed: 0,
    direction: 0,
    time: '000000000000',
    extras: NO_OCTETS,
  },
  'terminal-response': { seq: 0, id: 0, result: 0, extra_raw: undefined },
  'platform-response': { seq: 0, id: 0, result: 0, extra_raw: undefined },
  'register-response': { seq: 0, result: 0, auth_code: '' },
  'text-message': { flag: 0, text_type: undefined, text: '' },
}

const HEADER_FIELDS = new Set(['phone', 'sn', 'version', 'encryption', 'part'])
const LONG_PHONE = 20

/** One for each connection: it remembers the terminal's phone number and serial number. */
export function notation(): { encode(text: string): Uint8Array; decode(frame: Uint8Array): string } {
  let phone = '000000000000'
  let next = 0
  return {
    encode(text) {
      const [name = '', ...words] = text.match(/(?:[^\s"]|"(?:[^"\\]|\\.)*")+/gs) ?? []
      const fields = fieldsOf(words)
      phone = fields.get('phone') ?? phone
      const sn = Number(fields.get('sn') ?? next)
      next = (sn + 1) & 0xffff
      return compose(name, words, fields, phone, sn)
    },
    decode: (frame) => print(frame, phone),
  }
}

function fieldsOf(words: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>()
  for (const word of words) {
    const [, key, value = ''] = /^([a-z_]+)=(.*)$/s.exec(word) ?? []
    if (key !== undefined) fields.set(key, value.startsWith('"') ? (JSON.parse(value) as string) : value)
    else if (!word.startsWith('hex:')) throw new Error(`no field of a message: ${word}`)
  }
  return fields
}

function compose(
  name: string,
  words: readonly string[],
  fields: ReadonlyMap<string, string>,
  phone: string,
  sn: number,
): Uint8Array {
  const form = phone.length === LONG_PHONE ? '2019' : '2013'
  const [total, number] = fields.get('part')?.split('/').map(Number).reverse() ?? []
  const header = {
    length: 0,
    form,
    protocol: form === '2019' ? Number(fields.get('version') ?? 1) : 0,
    phone,
    sn,
    encryption: Number(fields.get('encryption') ?? 0),
    reserved: 0,
    part: total === undefined || number === undefined ? undefined : { total, sn: number },
  } as const
  if (/^0x[0-9a-f]{4}$/i.test(name)) {
    const octets = words.find((word) => word.startsWith('hex:'))?.slice(4) ?? ''
    return closeFrame({ ...header, id: Number(name) }, bytesOf(octets))
  }
  const draft = draftOf(name, fields, form)
  return closeFrame({ ...header, id: messageId(draft) }, writeBody(draft, form))
}

function draftOf(name: string, fields: ReadonlyMap<string, string>, form: Header['form']): Draft {
  if (!Object.hasOwn(BODIES, name)) throw new Error(`no message is called ${name}`)
  const type = name as Draft['type']
  const known = BODIES[type] ?? {}
  for (const key of fields.keys()) {
    if (!HEADER_FIELDS.has(key) && !Object.hasOwn(known, key)) throw new Error(`${name} has no field ${key}`)
  }
  const body = Object.fromEntries(
    Object.entries(known).map(([key, fallback]) => [key, readField(fields.get(key), fallback, key)]),
  )
  if (type === 'authenticate') {
    const { code, imei = '', software_version = '' } = body
    return {
      type,
      body: { code, details: form === '2019' ? { imei, software_version, extra_raw: undefined } : undefined },
    } as Draft
  }
  if (type === 'register') return { type, body: { ...body, edition: body['edition'] || form } } as Draft
  return { type, body } as unknown as Draft
}

/** Read as what stands in its place when it is left out; fields without a default are text, `text_type` a number. */
function readField(text: string | undefined, fallback: Field, key: string): Field {
  if (text === undefined) return fallback
  if (fallback instanceof Uint8Array) return bytesOf(text.replace(/^hex:/, ''))
  if (typeof fallback !== 'number' && key !== 'text_type') return text
  const number = Number(text)
  if (Number.isNaN(number)) throw new Error(`${key} is no number: ${text}`)
  return number
}

function bytesOf(digits: string): Uint8Array {
  const bytes = fromHex(digits)
  if (bytes === undefined) throw new Error(`no octets: ${digits}`)
  return bytes
}

function print(frame: Uint8Array, phone: string): string {
  const message = decode(frame)
  if (isMalformed(message)) throw new Error(message.malformed)
  const { header } = message
  const words = [wordsOf(message) === undefined ? hexId(header.id) : message.type]
  if (header.phone !== phone) words.push(`phone=${header.phone}`)
  words.push(`sn=${header.sn}`)
  if (header.encryption !== 0) words.push(`encryption=${header.encryption}`)
  if (header.part !== undefined) words.push(`part=${header.part.sn}/${header.part.total}`)
  return [...words, ...printBody(message)].join(' ')
}

function wordsOf({ type }: Message): Readonly<Record<string, Field>> | undefined {
  return type === 'opaque' ? undefined : BODIES[type]
}

function printBody(message: Message): string[] {
  const words = wordsOf(message)
  if (words === undefined) {
    const octets = message.type === 'opaque' ? message.body : writeBody(message, message.header.form)
    return octets.length === 0 ? [] : [`hex:${toHex(octets)}`]
  }
  const body: Readonly<Record<string, unknown>> =
    message.type === 'authenticate' ? { ...message.body, ...message.body.details } : { ...message.body }
  return Object.keys(words).flatMap((key) => {
    const value = body[key]
    return value === undefined || (value instanceof Uint8Array && value.length === 0) ? [] : [`${key}=${printValue(key, value)}`]
  })
}

function printValue(key: string, value: unknown): string {
  if (value instanceof Uint8Array) return `hex:${toHex(value)}`
  if (key === 'id') return hexId(value as number)
  const text = String(value)
  return text === '' || /[\s"\0]/.test(text) ? JSON.stringify(text) : text
}

function hexId(id: number): string {
  return `0x${id.toString(16).padStart(4, '0')}`
}
