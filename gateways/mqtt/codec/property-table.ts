/** Which property may stand in which packet, once or often, and with which values (MQTT 5.0 sections 2.2.2, 3.1 to 3.15). */
import type { PacketCursor } from './cursor.ts'

export type PropertyPlace =
  | 'connect'
  | 'connack'
  | 'publish'
  | 'will'
  | 'subscribe'
  | 'unsubscribe'
  | 'acknowledgement'
  | 'disconnect'
  | 'auth'

export type PropertyType = 'flag' | 'u16' | 'u16-not-0' | 'u32' | 'u32-not-0' | 'varint-not-0' | 'string' | 'binary' | 'pair'

const TYPES: Readonly<Record<number, PropertyType>> = {
  1: 'flag', // payload format indicator
  2: 'u32', // message expiry interval
  3: 'string', // content type
  8: 'string', // response topic
  9: 'binary', // correlation data
  11: 'varint-not-0', // subscription identifier
  17: 'u32', // session expiry interval
  18: 'string', // assigned client identifier
  19: 'u16', // server keep alive
  21: 'string', // authentication method
  22: 'binary', // authentication data
  23: 'flag', // request problem information
  24: 'u32', // will delay interval
  25: 'flag', // request response information
  26: 'string', // response information
  28: 'string', // server reference
  31: 'string', // reason string
  33: 'u16-not-0', // receive maximum
  34: 'u16', // topic alias maximum
  35: 'u16', // topic alias; 0 has a reason code of its own [MQTT-3.3.2-8]
  36: 'flag', // maximum QoS
  37: 'flag', // retain available
  38: 'pair', // user property
  39: 'u32-not-0', // maximum packet size
  40: 'flag', // wildcard subscription available
  41: 'flag', // subscription identifiers available
  42: 'flag', // shared subscription available
}

const USER_PROPERTY = 38
const RESPONSE_TOPIC = 8

const ALLOWED: Readonly<Record<PropertyPlace, ReadonlySet<number>>> = {
  connect: new Set([17, 21, 22, 23, 25, 33, 34, 38, 39]),
  connack: new Set([17, 18, 19, 21, 22, 26, 28, 31, 33, 34, 36, 37, 38, 39, 40, 41, 42]),
  publish: new Set([1, 2, 3, 8, 9, 11, 35, 38]),
  will: new Set([1, 2, 3, 8, 9, 24, 38]),
  subscribe: new Set([11, 38]),
  unsubscribe: new Set([38]),
  acknowledgement: new Set([31, 38]),
  disconnect: new Set([17, 28, 31, 38]),
  auth: new Set([21, 22, 31, 38]),
}

export function typeOf(id: number): PropertyType | undefined {
  return TYPES[id]
}

export function isAllowed(id: number, place: PropertyPlace): boolean {
  return ALLOWED[place].has(id)
}

/** Reads the property block at the cursor; the fault's name, or undefined with the cursor behind the block. */
export function propertiesFault(cursor: PacketCursor, place: PropertyPlace): string | undefined {
  const length = cursor.varint()
  const { limit } = cursor
  const end = cursor.at + length
  if (cursor.failed) return undefined
  if (end > limit) return 'property-length'
  cursor.limit = end
  const seen = new Set<number>()
  while (cursor.at < end && !cursor.failed) {
    const id = cursor.varint()
    const type = TYPES[id]
    if (type === undefined) return 'property-unknown'
    if (!isAllowed(id, place)) return 'property-not-allowed'
    // The broker names every matching subscription in one PUBLISH (section 3.3.2.3.8).
    const isRepeatable = id === USER_PROPERTY || (type === 'varint-not-0' && place === 'publish')
    if (seen.has(id) && !isRepeatable) return 'property-repeated'
    seen.add(id)
    const fault = valueFault(cursor, id, type)
    if (fault !== undefined && !cursor.failed) return fault
  }
  cursor.limit = limit
  return undefined
}

function valueFault(cursor: PacketCursor, id: number, type: PropertyType): string | undefined {
  switch (type) {
    case 'flag':
      return cursor.octet() > 1 ? 'property-value' : undefined
    case 'u16':
      cursor.u16()
      return undefined
    case 'u16-not-0':
      return cursor.u16() === 0 ? 'property-value' : undefined
    case 'u32':
      cursor.u32()
      return undefined
    case 'u32-not-0':
      return cursor.u32() === 0 ? 'property-value' : undefined
    case 'varint-not-0':
      return cursor.varint() === 0 ? 'property-value' : undefined
    case 'string': {
      const text = cursor.string()
      return id === RESPONSE_TOPIC && /[+#]/.test(text) ? 'response-topic' : undefined // [MQTT-3.3.2-14]
    }
    case 'binary':
      cursor.binary()
      return undefined
    case 'pair':
      cursor.string()
      cursor.string()
      return undefined
  }
}
