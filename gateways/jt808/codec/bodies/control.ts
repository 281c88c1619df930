/** Control of the terminal: 0x8105, 0x0107, 0x8108, 0x0108, 0x8203 (JT/T 808 8.13 to 8.17, 8.22). */
import { bcd, countedBytes, countedText, namedText, noted, octetsOf, text, textRest, u8, u16, u32 } from '../declare/field.ts'
import { byForm, declared, formatOf, orElse, orForm, struct, surplus } from '../declare/struct.ts'

/** 0x8105 */
export const terminalControl = formatOf(
  0x8105,
  struct({
    command: noted(u8, '1 upgrade, 2 another server, 3 off, 4 reset, 5 factory reset, 6 close link, 7 close all links'),
    param: noted(orElse(textRest, ''), 'of commands 1 and 2, joined by `;`'),
  }),
)

export const ControlCommand = { reset: 4 } as const

const attributes = (maker: number, model: number, terminalId: number) =>
  struct({
    type: noted(u16, 'flags: 0 passengers, 1 dangerous goods, 2 freight, 3 taxi, 6 recorder, 7 split, 8 trailer'),
    manufacturer: text(maker),
    model: text(model),
    id: text(terminalId),
    iccid: bcd(10),
    hardware_version: countedText(u8),
    firmware_version: countedText(u8),
    gnss_prop: noted(u8, 'flags: 0 GPS, 1 BeiDou, 2 GLONASS, 3 Galileo'),
    comm_prop: noted(u8, 'flags: 0 GPRS, 1 CDMA, 2 TD-SCDMA, 3 WCDMA, 4 CDMA2000, 5 TD-LTE, 7 other'),
    extra_raw: surplus,
  })

/** 0x0107. In 2019 some makers have 11 octets, as in a registration of that edition, instead of the 5 of the table. */
export const attributesReply = formatOf(
  0x0107,
  byForm(attributes(5, 20, 7), orForm(attributes(5, 30, 30), { 'maker-11': attributes(11, 30, 30) })),
)

const upgradePackage = (maker: number) =>
  struct({
    type: noted(u8, '0 terminal, 12 card reader, 52 BeiDou module, 0x64 to 0x67 active safety'),
    manufacturer: text(maker),
    ver_len: octetsOf(u8, 'version'),
    version: namedText('ver_len'),
    fw_len: octetsOf(u32, 'firmware'),
    firmware: countedBytes('fw_len'),
    extra_raw: surplus,
  })

/** 0x8108. As with 0x0107, 2019 may have a maker of 11 octets. */
export const upgrade = formatOf(0x8108, byForm(upgradePackage(5), orForm(upgradePackage(5), { 'maker-11': upgradePackage(11) })))

/** 0x0108 */
export const upgradeResult = declared(0x0108, {
  type: noted(u8, 'as in 0x8108'),
  result: noted(u8, '0 done, 1 failed, 2 cancelled'),
})

/** 0x8203 */
export const alarmConfirmation = declared(0x8203, {
  seq: noted(u16, 'of the alarm; 0 is every alarm of the types'),
  type: noted(u32, 'alarm flags'),
})
