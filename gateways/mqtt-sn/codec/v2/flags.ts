/** Bits of the flags octets of MQTT-SN 2.0. */

/** CONNECT. */
export const CLEAN_START = 0x01
export const WITH_WILL = 0x02
export const WITH_AUTH = 0x04
export const WITH_EXPIRY = 0x08
export const WITH_AWAKE_MESSAGES = 0x10
export const ALLOW_ADDRESS_CHANGE = 0x20
export const ALLOW_SERVER_VALUES = 0x40

/** Its will flags. */
export const WILL_QOS_SHIFT = 2
export const WILL_RETAIN = 0x10

/** CONNACK. */
export const SESSION_PRESENT = 0x01
export const ACK_EXPIRY = 0x02
export const ACK_KEEP_ALIVE = 0x04
export const ACK_AUTH = 0x08

/** REGISTER; REGACK and SUBACK. */
export const REGISTER_ALIAS = 0x01
export const ACK_ALIAS = 0x04

/** PUBLISH, PUBWOS, SUBSCRIBE. */
export { DUP, RETAIN } from '../flags.ts'
export const NO_LOCAL = 0x80
export const QOS_SHIFT = 5
export const RETAIN_AS_PUBLISHED = 0x10
export const RETAIN_HANDLING_SHIFT = 2

/** DISCONNECT. */
export const BYE_PACKET_ID = 0x01
export const BYE_EXPIRY = 0x02
export const BYE_REASON = 0x04

/** SLEEPREQ; SLEEPRESP. */
export const RETAIN_ALIASES = 0x01
export const WITH_DURATION = 0x01

/** Protection encapsulation: lengths of counter and key material by their two bits. */
export const COUNTER_LENGTHS = [0, 2, 4] as const
export const KEY_MATERIAL_LENGTHS = [0, 2, 4, 12] as const
export const KEY_MATERIAL_SHIFT = 2
export const TAG_LENGTH_SHIFT = 4

export const TWO_BITS = 3
