/**
 * Extras of a location report (JT/T 808 tables 26 to 32, the video alarms of JT/T 1078, active safety): a list of id, length and
 * value without a count. An id that is unknown, or whose value does not fill its layout exactly, is kept as hex under its
 * decimal number; a list that breaks off keeps its remainder as hex in `extra_raw`. Of a repeated id the last counts.
 */
import { fromHex, toHex } from '#bytes/hex'
import { Reader } from '#bytes/reader'
import { Writer } from '#bytes/writer'
import { type Field, type Intake, i16, noted, u8, u16, u32 } from '../declare/field.ts'
import { bits, flags, numbered, numbers, packed } from '../declare/packed.ts'
import { struct, tail } from '../declare/struct.ts'
import { adas, bsd, dsm, tpms } from './active-safety.ts'

export type Extras = Record<string, unknown>

export interface Extra {
  readonly id: number
  readonly name: string
  readonly field: Field<unknown>
}

/** Vehicle signals, bit 0 first (table 31). */
const SIGNALS = [
  'low_beam',
  'high_beam',
  'right_turn',
  'left_turn',
  'brake',
  'reverse',
  'fog',
  'side_marker',
  'horn',
  'air_conditioner',
  'neutral',
  'retarder',
  'abs',
  'heater',
  'cluth', // so spelt by the applications that read this JSON
] as const

/** Bit 0 first (table 32). */
const IO_STATES = ['deep_sleep', 'sleep'] as const

const NOT_FITTED = 0xff

/** One octet a wheel; null is not fitted. */
const tyres: Field<readonly (number | null)[]> = {
  shape: { kind: 'list', item: { ...u8.shape, note: 'null: none is fitted' }, rest: true },
  read: (reader) => Array.from(reader.rest(), (octet) => (octet === NOT_FITTED ? null : octet)),
  write(writer, value) {
    for (const octet of value) writer.u8(octet ?? NOT_FITTED)
  },
  show: (value) => value,
  take(json, path, owner, intake) {
    if (Array.isArray(json)) return json.map((one, i) => (one === null ? null : u8.take(one, `${path}[${i}]`, owner, intake)))
    intake.faults.push(`${path}: must be a list`)
    return []
  },
}

const position = noted(u8, '0 none, 1 circle, 2 rectangle, 3 polygon, 4 route or segment')

/** In the order of the tables. */
export const EXTRAS: readonly Extra[] = (
  [
    [0x01, 'mileage', noted(u32, '0.1 km')],
    [0x02, 'fuel_meter', noted(u16, '0.1 L')],
    [0x03, 'speed', noted(u16, '0.1 km/h, by the driving recorder')],
    [0x04, 'alarm_id', noted(u16, 'of the alarm that a person must confirm')],
    [0x05, 'tire_pressure', noted(tyres, 'one number a wheel in the unit of the device')],
    [0x06, 'carriage_temp', noted(i16, 'degrees Celsius')],
    [0x11, 'overspeed_alarm', struct({ type: position, id: tail(u32) })],
    [0x12, 'in_out_alarm', struct({ type: position, id: u32, direction: noted(u8, '0 in, 1 out') })],
    [0x13, 'path_time_alarm', struct({ id: u32, time: noted(u16, 's'), result: noted(u8, '0 too short, 1 too long') })],
    [
      0x14,
      'video_alarm',
      noted(
        u32,
        'flags: 0 signal lost, 1 covered, 2 storage fault, 3 other fault, 4 crowded, 5 abnormal driving, 6 storage of alarms nearly full',
      ),
    ],
    [0x15, 'video_lost', noted(numbered(32), 'logical channels')],
    [0x16, 'video_covered', noted(numbered(32), 'logical channels')],
    [0x17, 'storage_fault', packed(16, { main: numbers(0, 12), disaster_recovery: numbers(12, 4) } as never)],
    [
      0x18,
      'abnormal_driving',
      struct({ type: noted(u16, 'flags: 0 fatigue, 1 phone, 2 smoking'), fatigue_degree: noted(tail(u8), '0 to 100') }),
    ],
    [0x25, 'signal', flags(32, SIGNALS)],
    [0x2a, 'io_status', flags(16, IO_STATES)],
    [0x2b, 'analog', packed(32, { ad0: bits(0, 16), ad1: bits(16, 16) } as never)],
    [0x30, 'rssi', u8],
    [0x31, 'gnss_sat_num', u8],
    [0x64, 'adas', adas],
    [0x65, 'dsm', dsm],
    [0x66, 'tpms', tpms],
    [0x67, 'bsd', bsd],
  ] as const
).map(([id, name, field]) => ({ id, name, field: field as Field<unknown> }))

const BY_ID = new Map(EXTRAS.map((extra) => [extra.id, extra]))
const BY_NAME = new Map(EXTRAS.map((extra) => [extra.name, extra]))

const FIRST_CUSTOM = 0xe0

/** The extras as JSON; `octets` is how what is not decoded shows, `named` the ids that are decoded: absent, all. */
export function readExtras(
  bytes: Uint8Array,
  octets: (bytes: Uint8Array) => string = toHex,
  named?: ReadonlySet<number>,
): Extras {
  const extras: Extras = {}
  const reader = new Reader(bytes)
  while (reader.remaining > 0) {
    const at = reader.offset
    const id = reader.u8()
    const length = reader.u8()
    const start = reader.offset
    reader.skip(length)
    if (!reader.ok) {
      extras['extra_raw'] = octets(bytes.subarray(at))
      break
    }
    const extra = named === undefined || named.has(id) ? BY_ID.get(id) : undefined
    const known = extra === undefined ? undefined : readValue(extra, bytes, start, start + length)
    if (extra !== undefined && known !== undefined) extras[extra.name] = known
    else if (id < FIRST_CUSTOM) extras[id] = octets(bytes.subarray(start, start + length))
    else custom(extras)[id] = octets(bytes.subarray(start, start + length))
  }
  return extras
}

/** Undefined when the octets do not fill the layout exactly. */
function readValue({ field }: Extra, bytes: Uint8Array, start: number, end: number): unknown {
  const reader = new Reader(bytes, start, end)
  const value = field.read(reader, {}, '2013')
  if (!reader.ok || reader.remaining > 0) return undefined
  const shown = field.show(value)
  return typeof shown === 'object' && shown !== null && 'extra_raw' in shown ? undefined : shown
}

/** 0xe0 to 0xff belong to the device's maker. */
function custom(extras: Extras): Extras {
  extras['custome'] ??= {}
  return extras['custome'] as Extras
}

const MOST_OCTETS = 0xff

/** The list of extras from JSON as `readExtras` shows it; what is wrong goes to the faults of `intake`. */
export function takeExtras(json: unknown, path: string, intake: Intake): Uint8Array {
  const list = new Writer()
  if (json === undefined) return list.finish()
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    intake.faults.push(`${path}: must be an object`)
    return list.finish()
  }
  const { custome = {}, extra_raw = '', ...named } = json as Extras
  for (const [name, value] of [...Object.entries(named), ...Object.entries(Object(custome) as Extras)]) {
    const extra = BY_NAME.get(name)
    const octets = extra === undefined ? octetsOf(value) : written(extra, value, `${path}.${name}`, intake)
    const id = extra?.id ?? (/^[0-9]+$/.test(name) ? Number(name) : MOST_OCTETS + 1)
    if (octets === undefined || id > MOST_OCTETS || octets.length > MOST_OCTETS)
      intake.faults.push(`${path}.${name}: is no extra`)
    else list.u8(id).u8(octets.length).put(octets)
  }
  const rest = octetsOf(extra_raw)
  if (rest === undefined) intake.faults.push(`${path}.extra_raw: must be hexadecimal`)
  else list.put(rest)
  return list.finish()
}

function octetsOf(json: unknown): Uint8Array | undefined {
  return typeof json === 'string' ? fromHex(json) : undefined
}

function written({ field }: Extra, json: unknown, path: string, intake: Intake): Uint8Array {
  const faults = intake.faults.length
  const value = field.take(json, path, {}, intake)
  const writer = new Writer()
  if (intake.faults.length === faults) field.write(writer, value, {}, intake.form)
  return writer.finish()
}
