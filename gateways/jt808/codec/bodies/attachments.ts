/**
 * Files that prove an alarm of active safety: 0x9208, 0x1210 to 0x1212, 0x9212 (T/JSATL 12 4.3 to 4.6), and 0x1FC4 of Guangdong's
 * terminals. Provinces differ in how an alarm is named: T/JSATL 12 has 7 octets for the terminal, Guangdong (T/GDRTA) 30, and
 * Heilongjiang 30 but no reserved octet and no terminal before it. Which it is shows in the length, and where lengths agree in the time.
 */
import { bcd, countedText, type Field, hexOf, text, u8, u16, u32 } from '../declare/field.ts'
import { countOf, declared, formatOf, list, orElse, orForm, orLikelyForm, struct, surplus } from '../declare/struct.ts'
import { utcOf } from '../time.ts'

/** Names an alarm; the extras 0x64 to 0x67 carry it. */
export interface AlarmIdentifier {
  readonly terminal_id: string
  readonly time: string
  readonly index: number
  readonly count: number
  readonly reserved?: number
}

const named = { time: bcd(6), index: u8, count: u8 }
const identifier = struct({ terminal_id: text(7), ...named, reserved: orElse(u8, 0) })
const identifierLong = struct({ terminal_id: text(30), ...named, reserved: orElse(u16, 0) })
const identifierBare = struct({ terminal_id: text(30), ...named })

const request = (alarm: Field<AlarmIdentifier>) =>
  struct({
    ip: countedText(u8),
    tcp_port: u16,
    udp_port: u16,
    alarm_identifier: alarm,
    alarm_number: text(32),
    reserved: orElse(hexOf(16), '00'.repeat(16)),
    extra_raw: surplus,
  })

/** 0x9208: where to send the files to. `alarm_number` is the platform's. */
export const attachmentRequest = formatOf(
  0x9208,
  orForm(request(identifier), { guangdong: request(identifierLong), heilongjiang: request(identifierBare) }),
)

/** The body of 0x1210. */
export interface AttachmentList {
  /** Heilongjiang leaves it out. */
  readonly terminal_id?: string
  readonly alarm_identifier: AlarmIdentifier
  readonly alarm_number: string
  readonly info_type: number
  readonly length?: number | undefined
  readonly files: readonly { readonly name: string; readonly size: number }[]
  readonly extra_raw?: string | undefined
}

const listed = {
  alarm_number: text(32),
  info_type: u8,
  length: countOf(u8, 'files'),
  files: list('length', struct({ name: countedText(u8), size: u32 })),
  extra_raw: surplus,
}

/** 0x1210: the files to come. */
export const attachmentList = formatOf(
  0x1210,
  // Octets of one form may fill another one: a list without files is none, and an alarm has a time.
  orLikelyForm<AttachmentList>(
    ({ files, alarm_identifier }) => (files.length === 0 ? 0 : utcOf(alarm_identifier.time) === undefined ? 1 : 2),
    struct({ terminal_id: text(7), alarm_identifier: identifier, ...listed }),
    {
      guangdong: struct({ terminal_id: text(30), alarm_identifier: identifierLong, ...listed }) as Field<AttachmentList>,
      heilongjiang: struct({ alarm_identifier: identifierBare, ...listed }) as Field<AttachmentList>,
    },
  ),
)

const file = { name: countedText(u8), type: u8, size: u32 }

/** 0x1211 and 0x1212: a file begins, and has been sent. `type`: 0 image, 1 audio, 2 video, 3 text, 4 other. */
export const fileBegin = declared(0x1211, file)
export const fileEnd = declared(0x1212, file)

/** 0x9212. `result`: 0 complete, 1 the ranges are missing. */
export const fileResponse = declared(0x9212, {
  name: countedText(u8),
  type: u8,
  result: u8,
  length: countOf(u8, 'ranges'),
  ranges: orElse(list('length', struct({ offset: u32, length: u32 })), []),
})

/** 0x1FC4 */
export const upgradeProgress = declared(0x1fc4, { seq: u16, type: u8, status: u8, progress: u8, error: u8 })
