/**
 * Topics and JSON of EMQX's gateway for this protocol, so that applications written for it work unchanged: what a terminal
 * sends goes to `jt808/{phone}/{phone}/up`, what it is to receive comes from `.../dn`. Octets are base64. README.md lists
 * where this differs from EMQX on purpose.
 */
import { encodeClientId, type SaveOutcome } from '#sdk'
import { readExtras } from './codec/bodies/location-extras.ts'
import { toBase64 } from './codec/declare/field.ts'
import { type Header, type HeaderForm, type Location, type Message, presentBody, presentHeader } from './codec/index.ts'
import { savedData, withoutBytes } from './media.ts'

export interface EmqxTopics {
  readonly up: string
  readonly down: string
}

export function emqxTopics(device: string): EmqxTopics {
  const id = encodeClientId(device)
  return { up: `jt808/${id}/${id}/up`, down: `jt808/${id}/${id}/dn` }
}

/** The UTF-8 JSON of a message; media of more than `maxMediaBytes` comes without its octets, and names the file that has them. */
export function emqxPayload(message: Message, maxMediaBytes: number, saved?: SaveOutcome): Uint8Array {
  const body = bodyOf(message, maxMediaBytes)
  const whole = saved === undefined ? body : { ...body, ...savedData(saved) }
  return emqxJson(message.header, whole)
}

export function emqxJson(header: Header, body: object): Uint8Array {
  return Buffer.from(JSON.stringify({ header: presentHeader(header), body }))
}

function bodyOf(message: Message, maxMediaBytes: number): object {
  const { form } = message.header
  switch (message.type) {
    case 'opaque':
      return { unknown_id: true, data: toBase64(message.body) }
    case 'location':
      return locationOf(message.body, form)
    case 'location-reply':
      return { seq: message.body.seq, params: locationOf(message.body.params, form) }
    case 'control-reply':
      return { seq: message.body.seq, location: locationOf(message.body.location, form) }
    case 'location-batch':
      return {
        type: message.body.type,
        length: message.body.length,
        location: message.body.location.map((item) =>
          'broken' in item ? { data: toBase64(item.broken) } : locationOf(item, form),
        ),
      }
    case 'media-data':
      if (message.body.multimedia.length <= maxMediaBytes) return presentBody(message)
      return { ...presentBody(withoutBytes(message)), multimedia: undefined }
    default:
      return presentBody(message)
  }
}

/** Extras that have names there; the others go by number. 0x05 and 0x06 have theirs in 2019 only. */
const NAMED = new Set([0x01, 0x02, 0x03, 0x04, 0x11, 0x12, 0x13, 0x25, 0x2a, 0x2b, 0x30, 0x31])
const NAMED_2019 = new Set([...NAMED, 0x05, 0x06])
const TYRES = 'tire_pressure'
const NOT_FITTED = 0xff

function locationOf(location: Location, form: HeaderForm): object {
  const { extras, ...basics } = location
  if (extras.length === 0) return basics
  const extra = readExtras(extras, toBase64, form === '2019' ? NAMED_2019 : NAMED)
  const tyres = extra[TYRES]
  if (Array.isArray(tyres)) extra[TYRES] = toBase64(Uint8Array.from(tyres as (number | null)[], (tyre) => tyre ?? NOT_FITTED))
  return { ...basics, extra }
}

/** A message to a terminal as an application writes it. */
export interface EmqxCommand {
  readonly id: number
  /** Serial number that the application chose. */
  readonly sn: number | undefined
  readonly body: unknown
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** `{"header":{"msg_id":33024},"body":{}}`; undefined when it is none. */
export function readEmqxCommand(payload: Uint8Array): EmqxCommand | undefined {
  let json: unknown
  try {
    json = JSON.parse(decoder.decode(payload))
  } catch {
    return undefined
  }
  const { header, body = {} } = (json ?? {}) as { header?: { msg_id?: unknown; msg_sn?: unknown } | null; body?: unknown }
  const id = header?.msg_id
  const sn = header?.msg_sn
  if (!isWord(id) || (sn !== undefined && !isWord(sn))) return undefined
  return { id, sn, body }
}

function isWord(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff
}
