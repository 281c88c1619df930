/**
 * Alarms of active safety as extras of a location report: 0x64 driver assistance, 0x65 driver state, 0x66 tyres, 0x67 blind
 * spots (T/JSATL 12 4.2; Guangdong's terminals have longer identifiers). Which it is shows in the length.
 */

import { readBcd } from '#bytes/bcd'
import { decodeGbk } from '#bytes/gbk'
import { toHex } from '#bytes/hex'
import type { Reader } from '#bytes/reader'
import { shown } from './text.ts'

type Json = Record<string, unknown>

/** Octets of the identifier at the end, in both forms. */
const IDENTIFIER = 16
const IDENTIFIER_LONG = 40

/** Octets before the identifier. */
const ADAS_OCTETS = 31
const DSM_OCTETS = 31
const TPMS_OCTETS = 24
const BSD_OCTETS = 25

/** Lengths that a value may have. */
export const ADAS_LENGTHS = [ADAS_OCTETS + IDENTIFIER, ADAS_OCTETS + IDENTIFIER_LONG]
export const DSM_LENGTHS = [DSM_OCTETS + IDENTIFIER, DSM_OCTETS + IDENTIFIER_LONG]
export const BSD_LENGTHS = [BSD_OCTETS + IDENTIFIER, BSD_OCTETS + IDENTIFIER_LONG]

const WHEEL_OCTETS = 9

/** Where and when, the same in all four. */
function circumstances(r: Reader): Json {
  return {
    speed: r.u8(),
    altitude: r.u16(),
    latitude: r.u32(),
    longitude: r.u32(),
    time: readBcd(r, 6),
    vehicle_state: r.u16(),
  }
}

function identifier(r: Reader, long: boolean): Json {
  return {
    terminal_id: shown(decodeGbk(r.take(long ? 30 : 7))),
    time: readBcd(r, 6),
    index: r.u8(),
    count: r.u8(),
    reserved: toHex(r.take(long ? 2 : 1)),
  }
}

export function adas(r: Reader): Json {
  const long = r.remaining === ADAS_OCTETS + IDENTIFIER_LONG
  return {
    alarm_id: r.u32(),
    state: r.u8(),
    type: r.u8(),
    level: r.u8(),
    front_speed: r.u8(),
    front_distance: r.u8(),
    deviation: r.u8(),
    sign_type: r.u8(),
    sign_data: r.u8(),
    ...circumstances(r),
    alarm_identifier: identifier(r, long),
  }
}

export function dsm(r: Reader): Json {
  const long = r.remaining === DSM_OCTETS + IDENTIFIER_LONG
  return {
    alarm_id: r.u32(),
    state: r.u8(),
    type: r.u8(),
    level: r.u8(),
    fatigue: r.u8(),
    reserved: toHex(r.take(4)),
    ...circumstances(r),
    alarm_identifier: identifier(r, long),
  }
}

/** Which of both identifiers the count of wheels behind it confirms; undefined when none does. */
function isLongTpms(r: Reader): boolean | undefined {
  for (const octets of [IDENTIFIER, IDENTIFIER_LONG]) {
    const countAt = TPMS_OCTETS + octets
    const count = r.bytes[r.offset + countAt] as number
    if (r.remaining === countAt + 1 + count * WHEEL_OCTETS) return octets === IDENTIFIER_LONG
  }
  return undefined
}

/** Undefined when the length is not that of its count of wheels. */
export function tpms(r: Reader): Json | undefined {
  const long = isLongTpms(r)
  if (long === undefined) return undefined
  const alarm = { alarm_id: r.u32(), state: r.u8(), ...circumstances(r), alarm_identifier: identifier(r, long) }
  const wheels: Json[] = []
  for (let left = r.u8(); left > 0 && r.ok; left--) {
    wheels.push({ position: r.u8(), type: r.u16(), pressure: r.u16(), temperature: r.u16(), battery: r.u16() })
  }
  return { ...alarm, wheels }
}

export function bsd(r: Reader): Json {
  const long = r.remaining === BSD_OCTETS + IDENTIFIER_LONG
  return { alarm_id: r.u32(), state: r.u8(), type: r.u8(), ...circumstances(r), alarm_identifier: identifier(r, long) }
}
