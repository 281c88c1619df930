/** Driving recorder, waybill, driver and CAN bus: 0x0700 to 0x0702, 0x0705, 0x8700, 0x8701 (JT/T 808 8.43 to 8.48, 8.50). */
import {
  bcd,
  bytes,
  bytesRest,
  countedBytes,
  countedText,
  type Field,
  octetsOf,
  sentOnly,
  text,
  u8,
  u16,
  u32,
} from '../declare/field.ts'
import {
  both,
  countOf,
  declared,
  equals,
  formatOf,
  in2019,
  lenientList,
  orElse,
  struct,
  surplus,
  when,
} from '../declare/struct.ts'
import { isTime } from './location-field.ts'

/** 0x0700: `data` is a block of GB/T 19056. */
export const recorderData = formatOf(0x0700, struct({ seq: u16, command: u8, data: bytesRest }))

const nothing = new Uint8Array(0)

/** 0x8700 and 0x8701: `param` is a block of GB/T 19056. */
export const recorderQuery = formatOf(0x8700, struct({ command: u8, param: orElse(bytesRest, nothing) }))
export const recorderSettings = formatOf(0x8701, struct({ command: u8, param: orElse(bytesRest, nothing) }))

/** 0x0701: the content is the maker's. */
export const waybill = declared(0x0701, { length: octetsOf(u32, 'data'), data: countedBytes('length') })

const inserted = equals('status', 1)
const read = equals('ic_result', 0)

const driver2013 = struct({
  status: u8,
  time: bcd(6),
  ic_result: when(inserted, u8),
  driver_name: when(read, countedText(u8)),
  certificate: when(read, text(20)),
  organization: when(read, countedText(u8)),
  cert_expiry: when(read, bcd(4)),
  id_card: when(both(in2019, read), text(20)),
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
  readonly extra_raw?: string | undefined
}

/** 2011 begins with the length of a name; later editions with a status and a time. */
const driver: Field<DriverIdentity> = {
  read(reader, owner, form): DriverIdentity {
    const { bytes, offset, remaining } = reader
    const status = bytes[offset]
    const later = form === '2019' || ((status === 1 || status === 2) && remaining >= 7 && isTime(bytes, offset + 1))
    return (later ? driver2013 : driver2011).read(reader, owner, form)
  },
  write(writer, value, owner, form) {
    if (value.status === undefined) driver2011.write(writer, value as never, owner, form)
    else driver2013.write(writer, value as never, owner, form)
  },
  show: (value) => (value.status === undefined ? driver2011.show(value as never) : driver2013.show(value as never)),
  take: (_json, path, _owner, intake) => sentOnly(path, intake, {}),
}

/** 0x0702 */
export const driverIdentity = formatOf(0x0702, driver)

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

const canFrame: Field<CanFrame> = {
  read(reader) {
    const word = reader.u32()
    const channel = word >>> 31
    return { channel, frame_type: (word >>> 30) & 1, data_method: (word >>> 29) & 1, id: word & 0x1fffffff, data: reader.take(8) }
  },
  write(writer, { channel, frame_type, data_method, id, data }, owner, form) {
    writer.u32(((channel << 31) | (frame_type << 30) | (data_method << 29) | id) >>> 0)
    bytes(8).write(writer, data, owner, form)
  },
  show: (value) => ({ ...value, data: bytes(8).show(value.data) }),
  take: (_json, path, _owner, intake) =>
    sentOnly(path, intake, { channel: 0, frame_type: 0, data_method: 0, id: 0, data: nothing }),
}

/** 0x0705. `time` of the first frame: `hhmmss` and four digits of milliseconds. */
export const canData = declared(0x0705, {
  length: countOf(u16, 'can_data'),
  time: bcd(5),
  can_data: lenientList('length', canFrame),
})
