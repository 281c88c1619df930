/**
 * Fields of a declared message body. A field reads itself off the wire, writes itself, shows itself as JSON and takes
 * itself from JSON that a person wrote, and says what it is as data, so that one declaration of a body is its codec, its JSON,
 * the check of its command and its documentation. What every vehicle sends every second has a compiled layout of its own instead (`location.ts`).
 */
import { readBcd, writeBcd } from '#bytes/bcd'
import { decodeGbk, encodeGbk, writeGbk } from '#bytes/gbk'
import type { Reader } from '#bytes/reader'
import type { Writer } from '#bytes/writer'
import { shown } from '../bodies/text.ts'
import type { HeaderForm } from '../header.ts'
import type { Shape } from './shape.ts'

/** The body, or item of a list, that a field belongs to: what of it stands before the field, or all of it. */
export type Owner = Readonly<Record<string, unknown>>

/** JSON on its way in: faults gather here, each with the path of what is wrong. */
export interface Intake {
  readonly form: HeaderForm
  readonly faults: string[]
}

export interface Field<T> {
  /** The field as data. */
  readonly shape: Shape
  /** Fails the reader when the octets do not fit. */
  read(reader: Reader, owner: Owner, form: HeaderForm): T
  /** Throws a RangeError when the value does not fit. */
  write(writer: Writer, value: T, owner: Owner, form: HeaderForm): void
  show(value: T): unknown
  /** The value that a person meant; after a fault, anything. */
  take(json: unknown, path: string, owner: Owner, intake: Intake): T
}

function fault<T>(intake: Intake, path: string, wanted: string, instead: T): T {
  intake.faults.push(`${path}: must be ${wanted}`)
  return instead
}

const itself = (value: unknown): unknown => value

function unsigned(
  bits: number,
  read: (reader: Reader) => number,
  write: (writer: Writer, value: number) => unknown,
): Field<number> {
  const limit = 2 ** bits
  return {
    shape: { kind: 'number', bits },
    read,
    write(writer, value) {
      if (!(value >= 0 && value < limit)) throw new RangeError(`${value} does not fit ${bits} bits`)
      write(writer, value)
    },
    show: itself,
    take(json, path, _owner, intake) {
      if (typeof json === 'number' && Number.isInteger(json) && json >= 0 && json < limit) return json
      return fault(intake, path, `a whole number from 0 to ${limit - 1}`, 0)
    },
  }
}

export const u8 = unsigned(
  8,
  (r) => r.u8(),
  (w, value) => w.u8(value),
)
export const u16 = unsigned(
  16,
  (r) => r.u16(),
  (w, value) => w.u16(value),
)
export const u32 = unsigned(
  32,
  (r) => r.u32(),
  (w, value) => w.u32(value),
)
/** Two's complement. */
export const i16: Field<number> = {
  shape: { kind: 'number', bits: 16, signed: true },
  read: (reader) => reader.i16(),
  write(writer, value) {
    if (!(value >= -0x8000 && value < 0x8000)) throw new RangeError(`${value} does not fit 16 bits`)
    writer.u16(value)
  },
  show: itself,
  take(json, path, _owner, intake) {
    if (typeof json === 'number' && Number.isInteger(json) && json >= -0x8000 && json < 0x8000) return json
    return fault(intake, path, 'a whole number from -32768 to 32767', 0)
  },
}

/** BCD[octets] as `2 * octets` digits; times are `YYMMDDhhmmss` at GMT+8. */
export function bcd(octets: number): Field<string> {
  const pattern = new RegExp(`^[0-9]{${2 * octets}}$`)
  return {
    shape: { kind: 'digits', octets },
    read: (reader) => readBcd(reader, octets),
    write: (writer, value) => writeBcd(writer, value, octets),
    show: itself,
    take(json, path, _owner, intake) {
      return typeof json === 'string' && pattern.test(json) ? json : fault(intake, path, `${2 * octets} digits`, '')
    },
  }
}

const takeText: Field<string>['take'] = (json, path, _owner, intake) =>
  typeof json === 'string' ? json : fault(intake, path, 'a text', '')

const showText = (value: string): unknown => shown(value)

/** GBK up to the end. */
export const textRest: Field<string> = {
  shape: { kind: 'text', rest: true },
  read: (reader) => decodeGbk(reader.rest()),
  write: (writer, value) => writeGbk(writer, value),
  show: showText,
  take: takeText,
}

/** GBK in exactly `octets` octets, padded with NUL at the end. */
export function text(octets: number): Field<string> {
  return {
    shape: { kind: 'text', octets },
    read(reader) {
      const bytes = reader.take(octets)
      let end = bytes.length
      while (end > 0 && bytes[end - 1] === 0) end--
      return decodeGbk(bytes, 0, end)
    },
    write(writer, value) {
      const bytes = encodeGbk(value)
      if (bytes.length > octets) throw new RangeError(`'${value}' takes ${bytes.length} octets of ${octets}`)
      writer.put(bytes).fill(0, octets - bytes.length)
    },
    show: showText,
    take(json, path, owner, intake) {
      const value = takeText(json, path, owner, intake)
      return encodeGbk(value).length <= octets ? value : fault(intake, path, `at most ${octets} octets of text`, '')
    },
  }
}

/** How wide a number is. */
export function bitsOfNumber({ shape }: Field<number>): number {
  return shape.kind === 'number' ? shape.bits : 0
}

/** The greatest number that this many bits hold. */
const greatest = (width: Field<number>): number => 2 ** bitsOfNumber(width) - 1

/** GBK after a count of its octets, which has no name of its own. */
export function countedText(width: Field<number>): Field<string> {
  const most = greatest(width)
  return {
    shape: { kind: 'text', prefix: bitsOfNumber(width) },
    read: (reader, owner, form) => decodeGbk(reader.take(width.read(reader, owner, form))),
    write(writer, value, owner, form) {
      const bytes = encodeGbk(value)
      width.write(writer, bytes.length, owner, form)
      writer.put(bytes)
    },
    show: showText,
    take(json, path, owner, intake) {
      const value = takeText(json, path, owner, intake)
      return encodeGbk(value).length <= most ? value : fault(intake, path, `at most ${most} octets of text`, '')
    },
  }
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

const showBytes = (value: Uint8Array): unknown => toBase64(value)

const takeBytes: Field<Uint8Array>['take'] = (json, path, _owner, intake) =>
  typeof json === 'string' && BASE64.test(json)
    ? Uint8Array.from(Buffer.from(json, 'base64'))
    : fault(intake, path, 'base64', new Uint8Array(0))

/** All octets that are left: base64 in JSON. */
export const bytesRest: Field<Uint8Array> = {
  shape: { kind: 'octets', rest: true },
  read: (reader) => reader.rest(),
  write: (writer, value) => writer.put(value),
  show: showBytes,
  take: takeBytes,
}

/** Exactly `octets` octets: base64 in JSON. */
export function bytes(octets: number): Field<Uint8Array> {
  return {
    shape: { kind: 'octets', octets },
    read: (reader) => reader.take(octets),
    write(writer, value) {
      if (value.length !== octets) throw new RangeError(`${value.length} octets where ${octets} belong`)
      writer.put(value)
    },
    show: showBytes,
    take(json, path, owner, intake) {
      const value = takeBytes(json, path, owner, intake)
      return value.length === octets ? value : fault(intake, path, `base64 of ${octets} octets`, new Uint8Array(octets))
    },
  }
}

/** Octets as many as the member `count` of the owner says; see `octetsOf`. */
export function countedBytes(count: string): Field<Uint8Array> {
  return {
    ...bytesRest,
    shape: { kind: 'octets', count },
    read: (reader, owner) => reader.take(owner[count] as number),
  }
}

/** GBK in as many octets as the member `count` of the owner says; see `octetsOf`. */
export function namedText(count: string): Field<string> {
  return {
    ...textRest,
    shape: { kind: 'text', count },
    read: (reader, owner) => decodeGbk(reader.take(owner[count] as number)),
  }
}

/** The count of the octets of the member `of`, which comes after it. JSON that comes in need not give it. */
export function octetsOf(width: Field<number>, of: string): Field<number | undefined> {
  const most = greatest(width)
  return {
    shape: { kind: 'count', bits: bitsOfNumber(width), of },
    read: width.read,
    write(writer, _value, owner, form) {
      const value = owner[of] as string | Uint8Array
      const octets = typeof value === 'string' ? encodeGbk(value).length : value.length
      if (octets > most) throw new RangeError(`${of} takes ${octets} octets of ${most}`)
      width.write(writer, octets, owner, form)
    },
    show: itself,
    take: () => undefined,
  }
}

/** Exactly `octets` octets, as hexadecimal digits: flags of more than 32 bits, keys that people compare. */
export function hexOf(octets: number): Field<string> {
  const pattern = new RegExp(`^[0-9a-f]{${2 * octets}}$`)
  return {
    ...bcd(octets),
    shape: { kind: 'hex', octets },
    take(json, path, _owner, intake) {
      return typeof json === 'string' && pattern.test(json) ? json : fault(intake, path, `${2 * octets} hexadecimal digits`, '')
    },
  }
}

/** The same field, with its meaning and unit. */
export function noted<T>(field: Field<T>, note: string): Field<T> {
  return { ...field, shape: { ...field.shape, note } }
}
