/**
 * Walks one whole control packet and says what is wrong with it: lengths that do not add up, text that is no UTF-8,
 * reserved bits, properties that may not stand there (MQTT 5.0 sections 2 and 3, 3.1.1 likewise). What passes here is
 * safe to hand to a lenient parser.
 */
import type { Version } from './control.ts'
import { PacketCursor } from './cursor.ts'
import { propertiesFault } from './property-table.ts'
import { isAcknowledgementReason, isAuthReason, isDisconnectReason } from './reasons.ts'

export const CONNECT = 1
export const CONNACK = 2
export const PUBLISH = 3
export const SUBSCRIBE = 8
export const SUBACK = 9
export const UNSUBSCRIBE = 10
export const UNSUBACK = 11
export const DISCONNECT = 14
export const AUTH = 15

/** Reserved flags, MQTT 5.0 section 2.1.3: 0010 for PUBREL, SUBSCRIBE and UNSUBSCRIBE; those of PUBLISH are not reserved. */
const FLAGS: readonly number[] = [-1, 0, 0, -1, 0, 0, 2, 0, 2, 0, 2, 0, 0, 0, 0, 0]

const WILL_FLAG = 0x04
const WILL_BITS = 0x38
const PASSWORD_FLAG = 0x40
const USERNAME_FLAG = 0x80

/** Set by bridges of a widespread broker; the rest of the octet is the level. */
export const BRIDGE_BIT = 0x80

/** The name of the fault; undefined when there is none. For a CONNECT, `version` is what it says itself. */
export function structureFault(frame: Uint8Array, version: Version | 'connect'): string | undefined {
  const cursor = new PacketCursor(frame, 1, frame.length)
  const first = frame[0] as number
  const type = first >> 4
  const length = cursor.varint()
  if (cursor.failed || cursor.at + length !== frame.length) return 'remaining-length'
  if (type === 0) return 'packet-type-0'
  if (type !== PUBLISH && (first & 0x0f) !== FLAGS[type]) return 'flags' // [MQTT-2.2.2-2], [MQTT-2.1.3-1]
  const fault = version === 'connect' ? connectFault(cursor, type) : bodyFault(cursor, first, version)
  return cursor.fault ?? fault ?? (cursor.at === frame.length ? undefined : 'surplus')
}

function connectFault(cursor: PacketCursor, type: number): string | undefined {
  if (type !== CONNECT) return 'connect-expected'
  const name = cursor.string()
  const level = cursor.octet() & ~BRIDGE_BIT
  if (cursor.failed) return undefined
  if (!(name === 'MQTT' && (level === 4 || level === 5)) && !(name === 'MQIsdp' && level === 3)) return 'protocol-name-or-level'
  const flags = cursor.octet()
  if ((flags & 1) !== 0) return 'flags' // [MQTT-3.1.2-3]
  if ((flags & WILL_FLAG) === 0 ? (flags & WILL_BITS) !== 0 : (flags & 0x18) === 0x18) return 'will-flags' // [MQTT-3.1.2-13] to [MQTT-3.1.2-15]
  cursor.u16()
  const fault = level === 5 ? propertiesFault(cursor, 'connect') : undefined
  if (fault !== undefined) return fault
  cursor.string()
  if ((flags & WILL_FLAG) !== 0) {
    const willFault = level === 5 ? propertiesFault(cursor, 'will') : undefined
    if (willFault !== undefined) return willFault
    cursor.string()
    cursor.binary()
  }
  if ((flags & USERNAME_FLAG) !== 0) cursor.string()
  if ((flags & PASSWORD_FLAG) !== 0) cursor.binary()
  return undefined
}

function bodyFault(cursor: PacketCursor, first: number, version: Version): string | undefined {
  const v5 = version === 5
  const type = first >> 4
  switch (type) {
    case CONNECT:
      return connectFault(cursor, type)
    case CONNACK:
      if (cursor.octet() > 1) return 'flags' // [MQTT-3.2.2-1]
      cursor.octet()
      return v5 ? propertiesFault(cursor, 'connack') : undefined
    case PUBLISH:
      return publishFault(cursor, first, v5)
    case SUBSCRIBE:
      return identifierFault(cursor) ?? (v5 ? propertiesFault(cursor, 'subscribe') : undefined) ?? filtersFault(cursor, v5)
    case UNSUBSCRIBE:
      return identifierFault(cursor) ?? (v5 ? propertiesFault(cursor, 'unsubscribe') : undefined) ?? namesFault(cursor)
    case SUBACK:
      return identifierFault(cursor) ?? (v5 ? propertiesFault(cursor, 'acknowledgement') : undefined) ?? codesFault(cursor)
    case UNSUBACK:
      return identifierFault(cursor) ?? (v5 ? (propertiesFault(cursor, 'acknowledgement') ?? codesFault(cursor)) : undefined)
    case DISCONNECT:
    case AUTH:
      return endFault(cursor, type, v5)
    case 12:
    case 13:
      return undefined
    default:
      return acknowledgementFault(cursor, type, v5)
  }
}

function publishFault(cursor: PacketCursor, first: number, v5: boolean): string | undefined {
  const qos = (first >> 1) & 3
  if (qos === 3) return 'qos-3' // [MQTT-3.3.1-4]
  if (qos === 0 && (first & 8) !== 0) return 'flags' // [MQTT-3.3.1-2]
  cursor.string()
  const fault = (qos > 0 ? identifierFault(cursor) : undefined) ?? (v5 ? propertiesFault(cursor, 'publish') : undefined)
  if (fault === undefined && !cursor.failed) cursor.at = cursor.limit
  return fault
}

/** PUBACK, PUBREC, PUBREL, PUBCOMP: 5.0 may leave out properties, and the reason with them (section 3.4.2.1). */
function acknowledgementFault(cursor: PacketCursor, type: number, v5: boolean): string | undefined {
  const fault = identifierFault(cursor)
  if (fault !== undefined || !v5 || cursor.at === cursor.limit) return fault
  if (!isAcknowledgementReason(type, cursor.octet())) return 'reason-code'
  return cursor.at === cursor.limit ? undefined : propertiesFault(cursor, 'acknowledgement')
}

/** DISCONNECT and AUTH: nothing, a reason, or a reason and properties (sections 3.14.2.1, 3.15.2.1). */
function endFault(cursor: PacketCursor, type: number, v5: boolean): string | undefined {
  if (!v5) return type === AUTH ? 'unexpected-packet' : undefined
  if (cursor.at === cursor.limit) return undefined
  const reason = cursor.octet()
  if (!(type === AUTH ? isAuthReason(reason) : isDisconnectReason(reason))) return 'reason-code'
  return cursor.at === cursor.limit ? undefined : propertiesFault(cursor, type === AUTH ? 'auth' : 'disconnect')
}

/** [MQTT-2.3.1-1], [MQTT-2.2.1-3] */
function identifierFault(cursor: PacketCursor): string | undefined {
  return cursor.u16() === 0 && !cursor.failed ? 'packet-identifier-0' : undefined
}

function filtersFault(cursor: PacketCursor, v5: boolean): string | undefined {
  if (cursor.at === cursor.limit) return 'no-filters' // [MQTT-3.8.3-3]
  while (cursor.at < cursor.limit && !cursor.failed) {
    cursor.string()
    const options = cursor.octet()
    if ((options & (v5 ? 0xc0 : 0xfc)) !== 0 || (options & 3) === 3) return 'subscription-options' // [MQTT-3.8.3-4], 5.0: [MQTT-3.8.3-5]
    if ((options & 0x30) === 0x30) return 'retain-handling'
  }
  return undefined
}

function namesFault(cursor: PacketCursor): string | undefined {
  if (cursor.at === cursor.limit) return 'no-filters' // [MQTT-3.10.3-2]
  while (cursor.at < cursor.limit && !cursor.failed) cursor.string()
  return undefined
}

function codesFault(cursor: PacketCursor): string | undefined {
  if (cursor.at === cursor.limit) return 'truncated'
  cursor.at = cursor.limit
  return undefined
}
