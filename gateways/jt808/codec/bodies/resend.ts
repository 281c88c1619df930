/** Parts that are missing, 0x8003 and 0x0005, and the server's time, 0x8004 (JT/T 808 8.4; 2019: 8.4, 8.5, 8.6). */
import { bcd, type Field, u8, u16 } from '../declare/field.ts'
import { countOf, declared, list } from '../declare/struct.ts'

const count2013 = countOf(u8, 'ids')
const count2019 = countOf(u16, 'ids')

/** One octet in 2013, two in 2019. */
const count: Field<number | undefined> = {
  ...count2013,
  read: (reader, owner, form) => (form === '2019' ? count2019 : count2013).read(reader, owner, form),
  write: (writer, value, owner, form) => (form === '2019' ? count2019 : count2013).write(writer, value, owner, form),
}

/** 0x8003, platform to terminal. `seq`: serial number of the first part; `ids`: numbers of the missing ones. */
export const platformResend = declared(0x8003, { seq: u16, length: count, ids: list('length', u16) })

/** 0x0005, terminal to platform, 2019. */
export const terminalResend = declared(0x0005, { seq: u16, count: countOf(u16, 'ids'), ids: list('count', u16) })

/** 0x8004, 2019: `YYMMDDhhmmss`, the only time that is UTC. */
export const serverTime = declared(0x8004, { time: bcd(6) })
