/** Location report, 0x0200 (JT/T 808 8.18): 28 octets of basics, then extras up to the end. */
import { layout } from '#bytes/layout'
import { fieldsOf } from '../declare/compiled.ts'
import { type Intake, noted } from '../declare/field.ts'
import type { Shape } from '../declare/shape.ts'
import { struct } from '../declare/struct.ts'
import type { BodyFormat } from './format.ts'
import { readExtras, takeExtras } from './location-extras.ts'

export interface Location {
  /** Alarm flags, table 24; `alarmNames` names them. */
  readonly alarm: number
  /** Status flags, table 25; see `Status`. */
  readonly status: number
  /** 1e-6 degrees, without sign: the status tells north from south. */
  readonly latitude: number
  /** 1e-6 degrees, without sign: the status tells east from west. */
  readonly longitude: number
  /** Metres. Devices below sea level send two's complement. */
  readonly altitude: number
  /** 0.1 km/h. */
  readonly speed: number
  /** Degrees clockwise from north. */
  readonly direction: number
  /** YYMMDDhhmmss, always at GMT+8. */
  readonly time: string
  /** The list of extras as it came; `readExtras` reads it. */
  readonly extras: Uint8Array
}

/** Bits of the status that decide how the basics are read (table 25). */
export const Status = {
  positioned: 1 << 1,
  south: 1 << 2,
  west: 1 << 3,
} as const

const report = layout((f) => ({
  alarm: f.u32(),
  status: f.u32(),
  latitude: f.u32(),
  longitude: f.u32(),
  altitude: f.u16(),
  speed: f.u16(),
  direction: f.u16(),
  time: f.bcd(6),
  extras: f.rest(),
}))

const NOTES: Readonly<Record<string, string>> = {
  alarm: 'flags, table 24',
  status: 'flags, table 25',
  latitude: '1e-6 degrees; south when status bit 2 is set',
  longitude: '1e-6 degrees; west when status bit 3 is set',
  altitude: 'm',
  speed: '0.1 km/h',
  direction: 'degrees clockwise from north',
  time: 'YYMMDDhhmmss at GMT+8',
}

const { extras: _, ...declaredBasics } = fieldsOf(report)
const basics = Object.fromEntries(Object.entries(declaredBasics).map(([name, field]) => [name, noted(field, NOTES[name] ?? '')]))
const basicsStruct = struct(basics)

/** The members of a report without its extras, as data. */
export const BASICS_SHAPE: Shape = basicsStruct.shape

/** A report from JSON, with its extras under `extra`; what is wrong goes to the faults of `intake`. */
export function takeLocation(json: unknown, path: string, intake: Intake): Location {
  const { extra, ...rest } = Object(json) as Record<string, unknown>
  const taken = basicsStruct.take(rest, path, {}, intake) as unknown as Omit<Location, 'extras'>
  return { ...taken, extras: takeExtras(extra, `${path}.extra`, intake) }
}

export const location: BodyFormat<Location> = {
  id: 0x0200,
  shape: { kind: 'location' },
  decode: (bytes, start, end) => report.decode(bytes, start, end),
  encode: (writer, body) => report.encode(writer, body),
  // Spelt out, since this is what a gateway does all day.
  present({ alarm, status, latitude, longitude, altitude, speed, direction, time, extras }) {
    const extra = extras.length === 0 ? undefined : readExtras(extras)
    return { alarm, status, latitude, longitude, altitude, speed, direction, time, extra }
  },
  take(json, form) {
    const intake: Intake = { form, faults: [] }
    const body = takeLocation(json, 'args', intake)
    return intake.faults.length === 0 ? { body } : { faults: intake.faults }
  },
}
