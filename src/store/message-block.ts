/**
 * A message as octets:
 *
 *     flags(1) topic-length(2) topic [expires-at(8)] [properties-length(4) properties] payload
 *
 * Properties are rare here, and JSON.
 */
import { Message, type Properties, type QoS } from '../sdk.ts'

const QOS_MASK = 3
const RETAIN = 4
const PROPERTIES = 8
const EXPIRES = 16

/** Upper bound of `writeMessageBlock`; `properties` is what `propertiesText` answers. */
export function messageBlockBytes({ topic, size }: Message, properties: string | undefined): number {
  return 1 + 2 + 3 * topic.length + 8 + 4 + 3 * (properties?.length ?? 0) + size
}

export function propertiesText({ properties }: Message): string | undefined {
  if (properties === undefined) return undefined
  const { correlationData, ...rest } = properties
  return JSON.stringify(
    correlationData === undefined ? rest : { ...rest, correlationData: Buffer.from(correlationData).toString('base64') },
  )
}

/** Returns where it ends. */
export function writeMessageBlock(buffer: Buffer, start: number, message: Message, properties: string | undefined): number {
  const { topic, expiresAt } = message
  buffer[start] =
    message.qos | (message.retain ? RETAIN : 0) | (properties === undefined ? 0 : PROPERTIES) | (expiresAt === 0 ? 0 : EXPIRES)
  let at = start + 3
  const topicBytes = buffer.write(topic, at)
  buffer[start + 1] = topicBytes >>> 8
  buffer[start + 2] = topicBytes
  at += topicBytes
  if (expiresAt !== 0) at = buffer.writeDoubleBE(expiresAt, at)
  if (properties !== undefined) {
    const length = buffer.write(properties, at + 4)
    buffer.writeUInt32BE(length, at)
    at += 4 + length
  }
  buffer.set(message.payload, at)
  return at + message.size
}

/** A message of its own from `buffer[start, end)`, which is known to be whole. */
export function readMessageBlock(buffer: Buffer, start: number, end: number): Message {
  const flags = buffer[start] as number
  let at = start + 3
  const topicEnd = at + buffer.readUInt16BE(start + 1)
  const topic = buffer.toString('utf8', at, topicEnd)
  at = topicEnd
  let expiresAt = 0
  if ((flags & EXPIRES) !== 0) {
    expiresAt = buffer.readDoubleBE(at)
    at += 8
  }
  let properties: Properties | undefined
  if ((flags & PROPERTIES) !== 0) {
    const length = buffer.readUInt32BE(at)
    properties = parseProperties(buffer.toString('utf8', at + 4, at + 4 + length))
    at += 4 + length
  }
  const payload = new Uint8Array(end - at)
  payload.set(buffer.subarray(at, end))
  const message = new Message(topic, payload, (flags & QOS_MASK) as QoS, (flags & RETAIN) !== 0, properties)
  message.expiresAt = expiresAt
  return message
}

function parseProperties(text: string): Properties {
  const { correlationData, ...rest } = JSON.parse(text) as Properties & { correlationData?: string }
  return correlationData === undefined
    ? rest
    : { ...rest, correlationData: new Uint8Array(Buffer.from(correlationData, 'base64')) }
}
