/**
 * Extras of a location report (JT/T 808 tables 26 to 32, the video alarms of JT/T 1078, active safety): a list of id, length and
 * value without a count. An id that is unknown, or whose length is not the one of its table, is kept as hex under its
 * decimal number; a list that breaks off keeps its remainder as hex in `extra_raw`. Of a repeated id the last counts.
 */
import { toHex } from '#bytes/hex'
import { Reader } from '#bytes/reader'
import { ADAS_LENGTHS, adas, BSD_LENGTHS, bsd, DSM_LENGTHS, dsm, tpms } from './active-safety.ts'

export type Extras = Record<string, unknown>

interface Extra {
  readonly name: string
  /** Octets by the table; undefined is any. */
  readonly length: number | readonly number[] | undefined
  /** Undefined when the value is not as its table says. */
  read(reader: Reader): unknown
}

const EXTRAS = new Map<number, Extra>([
  // 0.1 km
  [0x01, { name: 'mileage', length: 4, read: (r) => r.u32() }],
  // 0.1 L
  [0x02, { name: 'fuel_meter', length: 2, read: (r) => r.u16() }],
  // 0.1 km/h, by the driving recorder
  [0x03, { name: 'speed', length: 2, read: (r) => r.u16() }],
  // of the alarm that a person must confirm
  [0x04, { name: 'alarm_id', length: 2, read: (r) => r.u16() }],
  // one octet a wheel in the unit of the device; null is not fitted
  [
    0x05,
    { name: 'tire_pressure', length: undefined, read: (r) => Array.from(r.rest(), (octet) => (octet === 0xff ? null : octet)) },
  ],
  // degrees Celsius
  [0x06, { name: 'carriage_temp', length: 2, read: (r) => r.i16() }],
  [0x11, { name: 'overspeed_alarm', length: [1, 5], read: overspeed }],
  [0x12, { name: 'in_out_alarm', length: 6, read: (r) => ({ type: r.u8(), id: r.u32(), direction: r.u8() }) }],
  [0x13, { name: 'path_time_alarm', length: 7, read: (r) => ({ id: r.u32(), time: r.u16(), result: r.u8() }) }],
  [0x14, { name: 'video_alarm', length: 4, read: (r) => r.u32() }],
  [0x15, { name: 'video_lost', length: 4, read: (r) => numbered(r.u32(), 32) }],
  [0x16, { name: 'video_covered', length: 4, read: (r) => numbered(r.u32(), 32) }],
  [0x17, { name: 'storage_fault', length: 2, read: storage }],
  [0x18, { name: 'abnormal_driving', length: [2, 3], read: abnormalDriving }],
  [0x25, { name: 'signal', length: 4, read: (r) => bits(r.u32(), SIGNALS) }],
  [0x2a, { name: 'io_status', length: 2, read: (r) => bits(r.u16(), IO_STATES) }],
  [0x2b, { name: 'analog', length: 4, read: analog }],
  [0x30, { name: 'rssi', length: 1, read: (r) => r.u8() }],
  [0x31, { name: 'gnss_sat_num', length: 1, read: (r) => r.u8() }],
  [0x64, { name: 'adas', length: ADAS_LENGTHS, read: adas }],
  [0x65, { name: 'dsm', length: DSM_LENGTHS, read: dsm }],
  [0x66, { name: 'tpms', length: undefined, read: tpms }],
  [0x67, { name: 'bsd', length: BSD_LENGTHS, read: bsd }],
])

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
    const value = reader.take(reader.u8())
    if (!reader.ok) {
      extras['extra_raw'] = octets(bytes.subarray(at))
      break
    }
    const extra = named === undefined || named.has(id) ? EXTRAS.get(id) : undefined
    const known = extra !== undefined && fits(extra, value.length) ? extra.read(new Reader(value)) : undefined
    if (extra !== undefined && known !== undefined) extras[extra.name] = known
    else if (id < FIRST_CUSTOM) extras[id] = octets(value)
    else custom(extras)[id] = octets(value)
  }
  return extras
}

function fits({ length }: Extra, octets: number): boolean {
  return length === undefined || (typeof length === 'number' ? length === octets : length.includes(octets))
}

/** 0xe0 to 0xff belong to the device's maker. */
function custom(extras: Extras): Extras {
  extras['custome'] ??= {}
  return extras['custome'] as Extras
}

function overspeed(reader: Reader): unknown {
  const type = reader.u8()
  return reader.remaining === 0 ? { type } : { type, id: reader.u32() }
}

function storage(reader: Reader): unknown {
  const flags = reader.u16()
  return { main: numbered(flags & 0xfff, 12), disaster_recovery: numbered(flags >>> 12, 4) }
}

function abnormalDriving(reader: Reader): unknown {
  const type = reader.u16()
  return reader.remaining === 0 ? { type } : { type, fatigue_degree: reader.u8() }
}

function analog(reader: Reader): unknown {
  const value = reader.u32()
  return { ad0: value & 0xffff, ad1: value >>> 16 }
}

function bits(flags: number, names: readonly string[]): Record<string, 0 | 1> {
  return Object.fromEntries(names.map((name, bit) => [name, (flags & (1 << bit)) === 0 ? 0 : 1]))
}

/** The numbers, from 1, of the bits that are set. */
function numbered(flags: number, count: number): number[] {
  const set: number[] = []
  for (let bit = 0; bit < count; bit++) if ((flags & (1 << bit)) !== 0) set.push(bit + 1)
  return set
}
