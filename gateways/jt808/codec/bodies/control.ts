/** Control of the terminal: 0x8105, 0x0107, 0x8108, 0x0108, 0x8203 (JT/T 808 8.13 to 8.17, 8.22). */

import { Reader } from '#bytes/reader'
import {
  bcd,
  countedBytes,
  countedText,
  type Field,
  namedText,
  octetsOf,
  text,
  textRest,
  u8,
  u16,
  u32,
} from '../declare/field.ts'
import { declared, formatOf, type StructOf, struct, surplus } from '../declare/struct.ts'

/** 0x8105. `command`: 1 upgrade, 2 another server, 3 off, 4 reset, 5 factory reset, 6 close link, 7 close all; `param` joined by `;`. */
export const terminalControl = formatOf(
  0x8105,
  struct({
    command: u8,
    param: {
      ...textRest,
      take: (json, path, owner, intake) => (json === undefined ? '' : textRest.take(json, path, owner, intake)),
    },
  }),
)

export const ControlCommand = { reset: 4 } as const

const attributeFields = (maker: number, model: number, terminalId: number) => ({
  type: u16,
  manufacturer: text(maker),
  model: text(model),
  id: text(terminalId),
  iccid: bcd(10),
  hardware_version: countedText(u8),
  firmware_version: countedText(u8),
  gnss_prop: u8,
  comm_prop: u8,
  extra_raw: surplus,
})

const attributes2013 = struct(attributeFields(5, 20, 7))
const attributes2019 = struct(attributeFields(5, 30, 30))
const attributes2019Long = struct(attributeFields(11, 30, 30))

export type Attributes = StructOf<ReturnType<typeof attributeFields>> & {
  /** 2019: the maker has 11 octets, as in a registration of that edition, instead of the 5 of the table. */
  readonly longMaker?: boolean
}

const attributes: Field<Attributes> = {
  ...attributes2013,
  read(reader, owner, form) {
    if (form === '2013') return attributes2013.read(reader, owner, form)
    const short = probe(attributes2019, reader, form)
    if (short !== undefined) return short
    const long = probe(attributes2019Long, reader, form)
    return long === undefined ? attributes2019.read(reader, owner, form) : { ...long, longMaker: true }
  },
  write(writer, value, owner, form) {
    const field = form === '2013' ? attributes2013 : value.longMaker === true ? attributes2019Long : attributes2019
    field.write(writer, value, owner, form)
  },
}

/** The struct when it fills what is left exactly; then it is consumed. */
function probe<T extends { readonly extra_raw?: string | undefined }>(
  field: Field<T>,
  reader: Reader,
  form: '2013' | '2019',
): T | undefined {
  const ahead = new Reader(reader.bytes, reader.offset, reader.offset + reader.remaining)
  const value = field.read(ahead, {}, form)
  if (!ahead.ok || value.extra_raw !== undefined) return undefined
  reader.skip(reader.remaining)
  return value
}

/** 0x0107. `type`, `gnss_prop`, `comm_prop` are flags. */
export const attributesReply = formatOf(0x0107, attributes)

/** 0x8108. `type`: 0 terminal, 12 card reader, 52 BeiDou module. */
export const upgrade = declared(0x8108, {
  type: u8,
  manufacturer: text(5),
  ver_len: octetsOf(u8, 'version'),
  version: namedText('ver_len'),
  fw_len: octetsOf(u32, 'firmware'),
  firmware: countedBytes('fw_len'),
})

/** 0x0108. `result`: 0 done, 1 failed, 2 cancelled. */
export const upgradeResult = declared(0x0108, { type: u8, result: u8 })

/** 0x8203. `seq` 0 is every alarm of the types; `type` are alarm flags. */
export const alarmConfirmation = declared(0x8203, { seq: u16, type: u32 })
