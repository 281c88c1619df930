/** Files that prove an alarm of active safety: 0x9208, 0x1210 to 0x1212, 0x9212 (T/JSATL 12 4.3 to 4.6), and 0x1FC4 of Guangdong's terminals. */
import { bcd, countedText, hexOf, text, u8, u16, u32 } from '../declare/field.ts'
import { countOf, declared, list, orElse, struct } from '../declare/struct.ts'

/** Names an alarm; the extras 0x64 to 0x67 carry it. */
export const alarmIdentifier = struct({ terminal_id: text(7), time: bcd(6), index: u8, count: u8, reserved: orElse(u8, 0) })

/** 0x9208: where to send the files to. `alarm_number` is the platform's. */
export const attachmentRequest = declared(0x9208, {
  ip: countedText(u8),
  tcp_port: u16,
  udp_port: u16,
  alarm_identifier: alarmIdentifier,
  alarm_number: text(32),
  reserved: orElse(hexOf(16), '00'.repeat(16)),
})

/** 0x1210: the files to come. */
export const attachmentList = declared(0x1210, {
  terminal_id: text(7),
  alarm_identifier: alarmIdentifier,
  alarm_number: text(32),
  info_type: u8,
  length: countOf(u8, 'files'),
  files: list('length', struct({ name: countedText(u8), size: u32 })),
})

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
