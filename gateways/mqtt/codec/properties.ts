/** Properties of PUBLISH, MQTT 5.0 section 3.3.2.3: those that travel with the message, and those of one hop. */
import type { Malformed, Properties } from '#sdk'
import { malformed } from '#sdk'
import { PacketCursor } from './cursor.ts'
import { typeOf } from './property-table.ts'

const PAYLOAD_FORMAT = 0x01 // 3.3.2.3.2
const MESSAGE_EXPIRY = 0x02 // 3.3.2.3.3
const CONTENT_TYPE = 0x03 // 3.3.2.3.9
const RESPONSE_TOPIC = 0x08 // 3.3.2.3.5
const CORRELATION_DATA = 0x09 // 3.3.2.3.6
const SUBSCRIPTION_ID = 0x0b // 3.3.2.3.8
const TOPIC_ALIAS = 0x23 // 3.3.2.3.4
const USER_PROPERTY = 0x26 // 3.3.2.3.7

export interface PublishProperties {
  /** Where the payload begins. */
  readonly end: number
  readonly expirySeconds: number | undefined
  readonly topicAlias: number | undefined
  readonly application: Properties | undefined
}

const NONE: Omit<PublishProperties, 'end'> = { expirySeconds: undefined, topicAlias: undefined, application: undefined }

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Reads the property block at `at`; `limit` is the end of the packet. */
export function decodePublishProperties(bytes: Uint8Array, at: number, limit: number): PublishProperties | Malformed {
  if (at < limit && bytes[at] === 0) return { ...NONE, end: at + 1 }
  const cursor = new PacketCursor(bytes, at, limit)
  const length = cursor.varint()
  const end = cursor.at + length
  if (cursor.failed || end > limit) return malformed('property-length', at, true)
  cursor.limit = end
  const application: Mutable<Properties> = {}
  const userProperties: [string, string][] = []
  let expirySeconds: number | undefined
  let topicAlias: number | undefined
  const seen = new Set<number>()
  while (cursor.at < end) {
    const where = cursor.at
    const id = cursor.varint()
    if (id !== USER_PROPERTY && seen.has(id)) return malformed('property-repeated', where, true)
    seen.add(id)
    switch (id) {
      case PAYLOAD_FORMAT: {
        const value = cursor.octet()
        if (value > 1) return malformed('property-value', where, true)
        application.utf8 = value === 1
        break
      }
      case MESSAGE_EXPIRY:
        expirySeconds = cursor.u32()
        break
      case CONTENT_TYPE:
        application.contentType = cursor.string()
        break
      case RESPONSE_TOPIC:
        application.responseTopic = cursor.string()
        // [MQTT-3.3.2-14]: no wildcards.
        if (/[+#]/.test(application.responseTopic)) return malformed('response-topic', where, true)
        break
      case CORRELATION_DATA:
        application.correlationData = cursor.binary()
        break
      case TOPIC_ALIAS:
        topicAlias = cursor.u16()
        break
      case USER_PROPERTY:
        userProperties.push([cursor.string(), cursor.string()])
        break
      case SUBSCRIPTION_ID: // [MQTT-3.3.4-6]: only the server sends it
        return malformed('property-not-allowed', where, true)
      default:
        return malformed(typeOf(id) === undefined ? 'property-unknown' : 'property-not-allowed', where, true)
    }
    if (cursor.failed) return malformed('property-truncated', where, true)
  }
  if (userProperties.length > 0) application.userProperties = userProperties
  return { end, expirySeconds, topicAlias, application: Object.keys(application).length === 0 ? undefined : application }
}

/** The property block of an outgoing PUBLISH, its length included. */
export function encodePublishProperties(
  properties: Properties | undefined,
  expirySeconds: number | undefined,
  subscriptionIds: readonly number[] | undefined,
): Buffer {
  const parts: Buffer[] = []
  if (properties?.utf8 !== undefined) parts.push(Buffer.from([PAYLOAD_FORMAT, properties.utf8 ? 1 : 0]))
  if (expirySeconds !== undefined) {
    const part = Buffer.alloc(5, MESSAGE_EXPIRY)
    part.writeUInt32BE(expirySeconds, 1)
    parts.push(part)
  }
  if (properties?.contentType !== undefined) parts.push(Buffer.from([CONTENT_TYPE]), lengthPrefixed(properties.contentType))
  if (properties?.responseTopic !== undefined) parts.push(Buffer.from([RESPONSE_TOPIC]), lengthPrefixed(properties.responseTopic))
  if (properties?.correlationData !== undefined)
    parts.push(Buffer.from([CORRELATION_DATA]), lengthPrefixed(properties.correlationData))
  for (const id of subscriptionIds ?? []) parts.push(Buffer.from([SUBSCRIPTION_ID]), varint(id))
  for (const [name, value] of properties?.userProperties ?? []) {
    parts.push(Buffer.from([USER_PROPERTY]), lengthPrefixed(name), lengthPrefixed(value))
  }
  const body = Buffer.concat(parts)
  return Buffer.concat([varint(body.length), body])
}

function lengthPrefixed(value: string | Uint8Array): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  const out = Buffer.allocUnsafe(2 + bytes.length)
  out.writeUInt16BE(bytes.length, 0)
  out.set(bytes, 2)
  return out
}

function varint(value: number): Buffer {
  const octets: number[] = []
  do {
    octets.push((value & 127) | (value > 127 ? 128 : 0))
    value >>>= 7
  } while (value > 0)
  return Buffer.from(octets)
}
