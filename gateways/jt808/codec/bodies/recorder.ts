/** Driving recorder, waybill, driver and CAN bus: 0x0700 to 0x0702, 0x0705, 0x8700, 0x8701 (JT/T 808 8.43 to 8.48, 8.50). */
import {
  bcd,
  bytes,
  bytesRest,
  countedBytes,
  countedText,
  type Field,
  noted,
  octetsOf,
  text,
  u8,
  u16,
  u32,
} from '../declare/field.ts'
import { bits, packed } from '../declare/packed.ts'
import {
  both,
  countOf,
  declared,
  equals,
  exactly,
  formatOf,
  in2019,
  lenientList,
  orElse,
  struct,
  surplus,
  tail,
  when,
} from '../declare/struct.ts'
import { isTime } from './location-field.ts'

const command = noted(u8, 'of GB/T 19056')
const block = noted(bytesRest, 'a block of GB/T 19056')

/** 0x0700 */
export const recorderData = formatOf(0x0700, struct({ seq: noted(u16, 'serial number of 0x8700'), command, data: block }))

const nothing = new Uint8Array(0)

export const recorderQuery = formatOf(0x8700, struct({ command, param: orElse(block, nothing) }))
export const recorderSettings = formatOf(0x8701, struct({ command, param: orElse(block, nothing) }))

/** 0x0701: the content is the maker's. */
export const waybill = declared(0x0701, { length: octetsOf(u32, 'data'), data: countedBytes('length') })

const inserted = equals('status', 1)
const read = equals('ic_result', 0)

const insertion = {
  status: noted(u8, '1 the card was inserted, 2 pulled'),
  time: noted(bcd(6), 'YYMMDDhhmmss at GMT+8'),
}
const icResult = noted(u8, '0 read; 1 the key is wrong, 2 locked, 3 pulled too early, 4 does not check')
const certExpiry = noted(bcd(4), 'YYYYMMDD')

const driver2013 = struct({
  ...insertion,
  ic_result: when(inserted, icResult),
  driver_name: when(read, countedText(u8)),
  certificate: when(read, text(20)),
  organization: when(read, countedText(u8)),
  cert_expiry: when(read, certExpiry),
  id_card: when(both(in2019, read), text(20)),
  // A supplement of 2019.
  face_match: when(both(in2019, read), noted(tail(u8, 21), '%')),
  uid: when(both(in2019, read), tail(text(20), 20)),
  extra_raw: surplus,
})

/** Some devices say all they know of the card, also when it was pulled or not read. */
const driverAlways = struct({
  ...insertion,
  ic_result: icResult,
  driver_name: countedText(u8),
  certificate: text(20),
  organization: countedText(u8),
  cert_expiry: certExpiry,
  id_card: when(in2019, text(20)),
  extra_raw: surplus,
})

const driver2011 = struct({
  driver_name: countedText(u8),
  id_card: text(20),
  certificate: text(40),
  organization: countedText(u8),
  extra_raw: surplus,
})

/** The members of the 2011 form are those without `status`. */
export interface DriverIdentity {
  /** 1 the card was inserted, 2 it was pulled. */
  readonly status?: number
  /** `YYMMDDhhmmss` at GMT+8. */
  readonly time?: string
  /** 0 read; 1 the key is wrong, 2 locked, 3 pulled too early, 4 does not check. */
  readonly ic_result?: number | undefined
  readonly driver_name?: string | undefined
  readonly certificate?: string | undefined
  readonly organization?: string | undefined
  /** `YYYYMMDD`. */
  readonly cert_expiry?: string | undefined
  readonly id_card?: string | undefined
  /** How well the driver's face fits the card, in percent: a supplement of 2019. */
  readonly face_match?: number | undefined
  readonly uid?: string | undefined
  readonly extra_raw?: string | undefined
}

/** The form of JSON or of a value: what is said although the card was not read is said by those who always say it. */
function driverForm({ status, ic_result, driver_name }: Partial<Record<keyof DriverIdentity, unknown>>): Field<DriverIdentity> {
  if (status === undefined) return driver2011 as Field<DriverIdentity>
  const isRead = status === 1 && ic_result === 0
  return (driver_name === undefined || isRead ? driver2013 : driverAlways) as Field<DriverIdentity>
}

/**
 * 2011 begins with the length of a name; later editions with a status and a time. Where several forms would do, the one that fills
 * the body exactly counts.
 */
const driver: Field<DriverIdentity> = {
  shape: { kind: 'by-form', 2013: { kind: 'either', of: [driver2013.shape, driver2011.shape] }, 2019: driver2013.shape },
  read(reader, owner, form): DriverIdentity {
    const { bytes, offset, remaining } = reader
    const status = bytes[offset]
    const later = form === '2019' || ((status === 1 || status === 2) && remaining >= 7 && isTime(bytes, offset + 1))
    if (!later) return driver2011.read(reader, owner, form)
    const start = reader.offset
    const others = form === '2019' ? [driverAlways] : [driverAlways, driver2011]
    for (const one of [driver2013, ...others] as Field<DriverIdentity>[]) {
      const found = exactly(one, reader, form, start)
      if (found !== undefined) return found
    }
    return driver2013.read(reader, owner, form)
  },
  write: (writer, value, owner, form) => driverForm(value).write(writer, value, owner, form),
  show: (value) => driverForm(value).show(value),
  take(json, path, owner, intake) {
    const form = intake.form === '2019' && Object(json).status === undefined ? driver2013 : driverForm(Object(json))
    return (form as Field<DriverIdentity>).take(json, path, owner, intake)
  },
}

/** 0x0702 */
export const driverIdentity = formatOf(0x0702, driver)

const canId = packed(32, { id: bits(0, 29), data_method: bits(29), frame_type: bits(30), channel: bits(31) } as never) as Field<{
  readonly channel: number
  readonly frame_type: number
  readonly data_method: number
  readonly id: number
}>

export interface CanFrame {
  /** 0 CAN1, 1 CAN2. */
  readonly channel: number
  /** 0 standard, 1 extended. */
  readonly frame_type: number
  /** 0 as it came, 1 a mean. */
  readonly data_method: number
  /** 29 bits. */
  readonly id: number
  readonly data: Uint8Array
}

const canOctets = bytes(8)

const canFrame: Field<CanFrame> = {
  shape: {
    kind: 'struct',
    members: [
      { name: 'channel', kind: 'number', bits: 1, note: 'bit 31 of a DWORD: 0 CAN1, 1 CAN2' },
      { name: 'frame_type', kind: 'number', bits: 1, note: 'bit 30: 0 standard, 1 extended' },
      { name: 'data_method', kind: 'number', bits: 1, note: 'bit 29: 0 as it came, 1 a mean' },
      { name: 'id', kind: 'number', bits: 29, note: 'bits 0 to 28' },
      { name: 'data', ...canOctets.shape },
    ],
  },
  read(reader, owner, form) {
    const { channel, frame_type, data_method, id } = canId.read(reader, owner, form)
    return { channel, frame_type, data_method, id, data: canOctets.read(reader, owner, form) }
  },
  write(writer, value, owner, form) {
    canId.write(writer, value, owner, form)
    canOctets.write(writer, value.data, owner, form)
  },
  show: (value) => ({ ...value, data: canOctets.show(value.data) }),
  take(json, path, owner, intake) {
    const { data, ...word } = Object(json) as Record<string, unknown>
    return { ...canId.take(word, path, owner, intake), data: canOctets.take(data, `${path}.data`, owner, intake) }
  },
}

/** 0x0705 */
export const canData = declared(0x0705, {
  length: countOf(u16, 'can_data'),
  time: noted(bcd(5), 'of the first frame: hhmmss and four digits of milliseconds'),
  can_data: lenientList('length', canFrame),
})
