/** Terminal parameters: 0x8103, 0x8106, 0x0104 (JT/T 808 8.9 to 8.12). */
import { decodeGbk, encodeGbk } from '#bytes/gbk'
import { Reader } from '#bytes/reader'
import { Writer } from '#bytes/writer'
import { type Field, type Intake, toBase64, u8, u16, u32 } from '../declare/field.ts'
import { countOf, declared, lenientList, list, orElse } from '../declare/struct.ts'
import { type ParameterType, parameterOf } from './parameter-table.ts'
import { shown } from './text.ts'

export interface ParameterItem {
  readonly id: number
  /** By the type of its id; octets where it has members, and where a number has more than four of them. */
  readonly value: number | string | Uint8Array
  /** Octets of a number on the wire, where they are not those of its type. */
  readonly octets?: number
}

const WIDTH: Readonly<Record<ParameterType, number>> = { dword: 4, word: 2, byte: 1, text: 0, struct: 0, octets: 0 }
const MOST_OCTETS = 0xff

/** Devices do not keep to the widths of the table: a number is read in the octets it has. */
function readValue(type: ParameterType, bytes: Uint8Array): Omit<ParameterItem, 'id'> {
  if (type === 'text') return { value: decodeGbk(bytes) }
  const width = WIDTH[type]
  if (width === 0 || bytes.length === 0 || bytes.length > 4) return { value: bytes }
  let value = 0
  for (const octet of bytes) value = value * 256 + octet
  return bytes.length === width ? { value } : { value, octets: bytes.length }
}

function bytesOf({ id, value, octets }: ParameterItem): Uint8Array {
  if (typeof value === 'string') return encodeGbk(value)
  if (typeof value !== 'number') return value
  const width = octets ?? (WIDTH[parameterOf(id).type] || 4)
  if (!(value >= 0 && value < 256 ** width)) throw new RangeError(`${value} does not fit ${width} octets`)
  return Uint8Array.from({ length: width }, (_, i) => Math.floor(value / 256 ** (width - 1 - i)) % 256)
}

const item: Field<ParameterItem> = {
  shape: { kind: 'parameter' },
  read(reader: Reader) {
    const id = reader.u32()
    const bytes = reader.take(reader.u8())
    return { id, ...readValue(parameterOf(id).type, bytes) }
  },
  write(writer, value) {
    const bytes = bytesOf(value)
    if (bytes.length > MOST_OCTETS) throw new RangeError(`a parameter of ${bytes.length} octets`)
    writer.u32(value.id).u8(bytes.length).put(bytes)
  },
  show: ({ id, value }) => ({ id, value: showValue(value) }),
  take(json, path, _owner, intake) {
    const { id, value } = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>
    return takeParameter(u32.take(id, `${path}.id`, {}, intake), value, `${path}.value`, intake)
  },
}

/** A number, a text, or base64. */
function showValue(value: ParameterItem['value']): number | string {
  if (typeof value === 'number') return value
  return typeof value === 'string' ? shown(value) : toBase64(value)
}

/** Values by name; those with members as objects, unless the octets are not as their table has them. */
export function namedParameters(params: readonly ParameterItem[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(params.map((param) => [parameterOf(param.id).name, showMembers(param) ?? showValue(param.value)]))
}

function showMembers({ id, value }: ParameterItem): unknown {
  const { field } = parameterOf(id)
  if (field === undefined || !(value instanceof Uint8Array)) return undefined
  const reader = new Reader(value)
  const members = field.read(reader, {}, '2013')
  return reader.ok && reader.remaining === 0 ? field.show(members) : undefined
}

const WANTED: Readonly<Record<ParameterType, string>> = {
  dword: 'a whole number from 0 to 4294967295',
  word: 'a whole number from 0 to 65535',
  byte: 'a whole number from 0 to 255',
  text: 'a text of at most 255 octets',
  struct: 'an object, or base64, of at most 255 octets',
  octets: 'base64 of at most 255 octets',
}

/** The parameter that a person gave as JSON, by the type of its id. One with members may be given as octets, too. */
export function takeParameter(id: number, json: unknown, path: string, intake: Intake): ParameterItem {
  const { type, field } = parameterOf(id)
  const value = field !== undefined && typeof json === 'object' && json !== null ? takeMembers(field, json, path, intake) : json
  const wanted = type === 'octets' || type === 'struct' ? asOctets(value) : value
  if (fits(type, wanted)) return { id, value: wanted }
  intake.faults.push(`${path}: must be ${WANTED[type]}`)
  return { id, value: 0 }
}

function fits(type: ParameterType, value: unknown): value is ParameterItem['value'] {
  if (type === 'text') return typeof value === 'string' && encodeGbk(value).length <= MOST_OCTETS
  if (type === 'octets' || type === 'struct') return value instanceof Uint8Array && value.length <= MOST_OCTETS
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 256 ** WIDTH[type]
}

function takeMembers(field: Field<unknown>, json: object, path: string, intake: Intake): Uint8Array {
  const faults = intake.faults.length
  const value = field.take(json, path, {}, intake)
  const writer = new Writer()
  if (intake.faults.length === faults) field.write(writer, value, {}, intake.form)
  return writer.finish()
}

/** Base64 as octets; octets as they are. */
function asOctets(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'string') return value instanceof Uint8Array ? value : undefined
  const bytes = Uint8Array.from(Buffer.from(value, 'base64'))
  return toBase64(bytes) === value ? bytes : undefined
}

/** 0x8103 */
export const setParameters = declared(0x8103, { length: countOf(u8, 'params'), params: list('length', item) })

/** 0x8106 */
export const parametersQuery = declared(0x8106, { length: countOf(u8, 'ids'), ids: orElse(list('length', u32), []) })

/** 0x0104. `seq` is the serial number of the query. */
export const parametersReply = declared(0x0104, { seq: u16, length: countOf(u8, 'params'), params: lenientList('length', item) })
