/** Location reports inside of other messages: up to their end, their 28 octets of basics alone, or with a length. */
import { bytesRest, type Field } from '../declare/field.ts'
import type { Location } from './location.ts'
import { location, takeLocation } from './location.ts'

/** Octets of a location report without extras (JT/T 808 table 23). */
export const BASICS_OCTETS = 28
const TIME_AT = 22

const NOWHERE: Location = {
  alarm: 0,
  status: 0,
  latitude: 0,
  longitude: 0,
  altitude: 0,
  speed: 0,
  direction: 0,
  time: '000000000000',
  extras: new Uint8Array(0),
}

const common: Omit<Field<Location>, 'read'> = {
  shape: { kind: 'location' },
  write: (writer, value, _owner, form) => location.encode(writer, value, form),
  show: (value) => location.present(value),
  take: (json, path, _owner, intake) => takeLocation(json, path, intake),
}

/** A whole report up to the end of the body. */
export const locationRest: Field<Location> = {
  ...common,
  read(reader, _owner, form) {
    const bytes = reader.rest()
    const value = location.decode(bytes, 0, bytes.length, form)
    if (value === undefined) reader.fail()
    return value ?? NOWHERE
  },
}

/** The basics alone. */
export const locationBasics: Field<Location> = {
  ...common,
  shape: { kind: 'location', basics: true },
  read(reader, _owner, form) {
    return location.decode(reader.take(BASICS_OCTETS), 0, BASICS_OCTETS, form) ?? NOWHERE
  },
}

/** The basics, when what stands there has a time where they have theirs: terminals of 2011 leave them out. */
export const locationIfAny: Field<Location | undefined> = {
  shape: { kind: 'location', basics: true, optional: true },
  read(reader, owner, form) {
    const { bytes, offset, remaining } = reader
    if (remaining < BASICS_OCTETS || !isTime(bytes, offset + TIME_AT)) return undefined
    return locationBasics.read(reader, owner, form)
  },
  write(writer, value, owner, form) {
    if (value !== undefined) common.write(writer, value, owner, form)
  },
  show: (value) => common.show(value as Location),
  take: (json, path, owner, intake) => (json === undefined ? undefined : common.take(json, path, owner, intake)),
}

/** Six octets of BCD that could be a time, or are zeros. */
export function isTime(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + 6; i++) {
    const octet = bytes[i] as number
    if (octet >>> 4 > 9 || (octet & 0xf) > 9) return false
  }
  return (bytes[at + 1] as number) <= 0x12 && (bytes[at + 2] as number) <= 0x31 && (bytes[at + 3] as number) <= 0x23
}

/** An item of a batch that is no location: its octets. */
export interface BrokenItem {
  readonly broken: Uint8Array
}

/** A report with its length in two octets. One that is too short spoils no other. */
export const batchItem: Field<Location | BrokenItem> = {
  shape: { kind: 'location', prefix: 16 },
  read(reader, _owner, form) {
    const bytes = reader.take(reader.u16())
    return location.decode(bytes, 0, bytes.length, form) ?? { broken: bytes }
  },
  write(writer, value, _owner, form) {
    if ('broken' in value) {
      writer.u16(value.broken.length).put(value.broken)
      return
    }
    writer.u16(BASICS_OCTETS + value.extras.length)
    location.encode(writer, value, form)
  },
  show: (value) => ('broken' in value ? { data: bytesRest.show(value.broken) } : location.present(value)),
  take(json, path, owner, intake) {
    const { data } = Object(json) as { data?: unknown }
    if (data === undefined) return takeLocation(json, path, intake)
    return { broken: bytesRest.take(data, `${path}.data`, owner, intake) }
  },
}
