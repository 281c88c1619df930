/**
 * Alarms of active safety as extras of a location report: 0x64 driver assistance, 0x65 driver state, 0x66 tyres, 0x67 blind
 * spots (T/JSATL 12 4.2; Guangdong's terminals have longer identifiers). Which it is shows in the length.
 */
import { bcd, hexOf, noted, text, u8, u16, u32 } from '../declare/field.ts'
import { countOf, type Fields, list, orElse, orForm, struct, surplus } from '../declare/struct.ts'

const alarm = { alarm_id: u32, state: noted(u8, '0 not of this kind, 1 begins, 2 ends') }
const level = noted(u8, '1 or 2')

/** Where and when, the same in all four. */
const circumstances = {
  speed: noted(u8, 'km/h'),
  altitude: noted(u16, 'm'),
  latitude: noted(u32, '1e-6 degrees'),
  longitude: noted(u32, '1e-6 degrees'),
  time: noted(bcd(6), 'YYMMDDhhmmss at GMT+8'),
  vehicle_state: noted(u16, 'flags: 0 ACC, 1 left turn, 2 right turn, 3 wiper, 4 brake, 5 card inserted, 10 positioned'),
}

const identifier = (terminalId: number, reserved: number) =>
  struct({
    terminal_id: text(terminalId),
    time: bcd(6),
    index: u8,
    count: u8,
    reserved: orElse(hexOf(reserved), '00'.repeat(reserved)),
  })

const identified = (fields: Fields, after: Fields = {}) => {
  const form = (id: ReturnType<typeof identifier>) => struct({ ...fields, alarm_identifier: id, ...after, extra_raw: surplus })
  return orForm(form(identifier(7, 1)), { guangdong: form(identifier(30, 2)) })
}

/** 0x64 */
export const adas = identified({
  ...alarm,
  type: noted(
    u8,
    '1 forward collision, 2 lane departure, 3 headway, 4 pedestrian, 5 frequent lane change, 6 road sign, 7 obstacle, 0x10 sign seen, 0x11 snapshot, 0x12 solid line, 0x13 aisle pedestrian',
  ),
  level,
  front_speed: noted(u8, 'km/h'),
  front_distance: noted(u8, '100 ms'),
  deviation: noted(u8, '1 left, 2 right'),
  sign_type: u8,
  sign_data: u8,
  ...circumstances,
})

/** 0x65 */
export const dsm = identified({
  ...alarm,
  type: noted(
    u8,
    '1 fatigue, 2 phone, 3 smoking, 4 distraction, 5 abnormal, 6 lens covered, 8 overtime, 0x0a no belt, 0x0b glasses, 0x0c hands off, 0x0d plays with phone, 0x10 snapshot, 0x11 driver change',
  ),
  level,
  fatigue: noted(u8, '1 to 10'),
  reserved: orElse(hexOf(4), '00000000'),
  ...circumstances,
})

const wheel = struct({
  position: u8,
  type: noted(u16, 'flags: 0 timed, 1 high pressure, 2 low pressure, 3 hot, 4 sensor, 5 imbalance, 6 slow leak, 7 battery'),
  pressure: noted(u16, 'kPa'),
  temperature: noted(u16, 'degrees Celsius'),
  battery: noted(u16, '%'),
})

/** 0x66 */
export const tpms = identified({ ...alarm, ...circumstances }, { count: countOf(u8, 'wheels'), wheels: list('count', wheel) })

/** 0x67 */
export const bsd = identified({ ...alarm, type: noted(u8, '1 rear, 2 left rear, 3 right rear'), ...circumstances })
