/** Octets that are none of the platform's business: 0x0900, 0x8900, 0x0901, and keys 0x0A00, 0x8A00 (JT/T 808 8.61 to 8.65). */
import { bytes, bytesRest, countedBytes, octetsOf, u8, u32 } from '../declare/field.ts'
import { declared, formatOf, struct } from '../declare/struct.ts'

/** `type`: 0 GNSS details, 0x0b card, 0x41 and 0x42 serial ports, 0xf0 and above the maker's. */
export const passUp = formatOf(0x0900, struct({ type: u8, data: bytesRest }))
export const passDown = formatOf(0x8900, struct({ type: u8, data: bytesRest }))

/** 0x0901: gzip. */
export const compressed = declared(0x0901, { length: octetsOf(u32, 'data'), data: countedBytes('length') })

/** RSA: exponent and modulus. */
export const terminalKey = declared(0x0a00, { e: u32, n: bytes(128) })
export const platformKey = declared(0x8a00, { e: u32, n: bytes(128) })
