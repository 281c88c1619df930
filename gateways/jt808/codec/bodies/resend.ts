/** Parts that are missing, 0x8003 and 0x0005, and the server's time, 0x8004 (JT/T 808 8.4; 2019: 8.4, 8.5, 8.6). */
import { bcd, u8, u16 } from '../declare/field.ts'
import { byForm, countOf, declared, list } from '../declare/struct.ts'

const count = byForm(countOf(u8, 'ids'), countOf(u16, 'ids'))

/** 0x8003, platform to terminal. `seq`: serial number of the first part; `ids`: numbers of the missing ones. */
export const platformResend = declared(0x8003, { seq: u16, length: count, ids: list('length', u16) })

/** 0x0005, terminal to platform, 2019. */
export const terminalResend = declared(0x0005, { seq: u16, count: countOf(u16, 'ids'), ids: list('count', u16) })

/** 0x8004, 2019: `YYMMDDhhmmss`, the only time that is UTC. */
export const serverTime = declared(0x8004, { time: bcd(6) })
