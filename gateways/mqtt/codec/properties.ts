/** Properties of PUBLISH and of a will, MQTT 5.0 sections 3.3.2.3 and 3.1.3.2: those that travel with the message, and those of one hop. */
import type { Properties } from '#sdk'
import { PacketCursor } from './cursor.ts'
import { isAllowed, typeOf } from './property-table.ts'

const PAYLOAD_FORMAT = 0x01 // 3.3.2.3.2
const MESSAGE_EXPIRY = 0x02 // 3.3.2.3.3
const CONTENT_TYPE = 0x03 // 3.3.2.3.9
const RESPONSE_TOPIC = 0x08 // 3.3.2.3.5
const CORRELATION_DATA = 0x09 // 3.3.2.3.6
const SUBSCRIPTION_ID = 0x0b // 3.3.2.3.8
const WILL_DELAY = 0x18 // 3.1.3.2.2
const TOPIC_ALIAS = 0x23 // 3.3.2.3.4
const USER_PROPERTY = 0x26 // 3.3.2.3.7

export interface MessageProperties {
  /** What stands behind the block begins here. */
  readonly end: number
  readonly expirySeconds: number | undefined
  /** Of a PUBLISH. */
  readonly topicAlias: number | undefined
  /** Of a will. */
  readonly delaySeconds: number | undefined
  readonly application: Properties | undefined
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Reads the property block at `at`, as a client sends it; `limit` is the end of the packet. The name of the fault when there is one. */
export function decodeMessageProperties(
  bytes: Uint8Array,
  at: number,
  limit: number,
  place: 'publish' | 'will',
): MessageProperties | string {
  const cursor = new PacketCursor(bytes, at, limit)
  const length = cursor.varint()
  const end = cursor.at + length
  if (cursor.failed || end > limit) return 'property-length'
  cursor.limit = end
  const application: Mutable<Properties> = {}
  const userProperties: [string, string][] = []
  let expirySeconds: number | undefined
  let topicAlias: number | undefined
  let delaySeconds: number | undefined
  const seen = new Set<number>()
  while (cursor.at < end) {
    const id = cursor.varint()
    if (typeOf(id) === undefined) return 'property-unknown'
    if (!isAllowed(id, place)) return 'property-not-allowed'
    if (id === SUBSCRIPTION_ID) return 'property-of-server' // [MQTT-3.3.4-6]
    if (id !== USER_PROPERTY && seen.has(id)) return 'property-repeated'
    seen.add(id)
    switch (id) {
      case PAYLOAD_FORMAT: {
        const value = cursor.octet()
        if (value > 1) return 'property-value'
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
        if (/[+#]/.test(application.responseTopic)) return 'response-topic' // [MQTT-3.3.2-14]
        break
      case CORRELATION_DATA:
        application.correlationData = cursor.binary()
        break
      case TOPIC_ALIAS:
        topicAlias = cursor.u16()
        break
      case WILL_DELAY:
        delaySeconds = cursor.u32()
        break
      default:
        userProperties.push([cursor.string(), cursor.string()])
    }
    if (cursor.failed) return cursor.fault === 'utf-8' ? 'utf-8' : 'property-truncated'
  }
  if (userProperties.length > 0) application.userProperties = userProperties
  const has = Object.keys(application).length > 0
  return { end, expirySeconds, topicAlias, delaySeconds, application: has ? application : undefined }
}

/** The property block of an outgoing PUBLISH, its length included; topic alias 0 is none. */
export function encodePublishProperties(
  properties: Properties | undefined,
  expirySeconds: number | undefined,
  subscriptionIds: readonly number[] | undefined,
  topicAlias: number,
): Buffer {
  const parts: Buffer[] = []
  if (properties?.utf8 !== undefined) parts.push(Buffer.from([PAYLOAD_FORMAT, properties.utf8 ? 1 : 0]))
  if (expirySeconds !== undefined) {
    const part = Buffer.alloc(5, MESSAGE_EXPIRY)
    part.writeUInt32BE(expirySeconds, 1)
    parts.push(part)
  }
  if (topicAlias > 0) parts.push(Buffer.from([TOPIC_ALIAS, topicAlias >> 8, topicAlias & 255]))
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
