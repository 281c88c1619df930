/** One message to one datagram (MQTT-SN 1.2, 5.2 to 5.4). */
import { Slab } from '#bytes/slab'
import { Writer } from '#bytes/writer'
import { LONG_LENGTH } from './decode.ts'
import { CLEAN_SESSION, DUP, qosBits, RETAIN, WILL } from './flags.ts'
import { type Forwarder, type Message, MessageType, TopicType } from './messages.ts'
import { encodeText } from './text.ts'

/** Room in front of the body for the longest header. */
export const LONGEST_HEADER = 4
/** The longest message that the one-octet length can say (5.2.1). */
const LONGEST_SHORT = 255
const LONGEST = 65535
/** Length, type and control octet: what is left of 255 is for the node. */
const LONGEST_NODE_ID = 252

/** More octets than this are copied by the engine, fewer one by one. */
const SMALL = 64

const writer = new Writer(2048)
// A small typed array of its own would be moved out of the heap by the socket: dearer than all else about an answer.
const slab = new Slab()

/** For sending, not for keeping. The short form of the length where it is enough. Throws a RangeError for what no length can say. */
export function encode(message: Message): Uint8Array {
  if (message.type === 'forwarder') return encodeForwarder(message)
  writer.reset().u32(0)
  writeBody(message)
  return frame(writer, MessageType[message.type])
}

/** What was written after room for the longest header, with the header that it needs. */
export function frame(body: Writer, type: number): Uint8Array {
  const { bytes, length } = body
  const size = length - LONGEST_HEADER + 2
  bytes[LONGEST_HEADER - 1] = type
  if (size <= LONGEST_SHORT) {
    bytes[LONGEST_HEADER - 2] = size
    return copied(bytes, LONGEST_HEADER - 2, length)
  }
  if (length > LONGEST) throw new RangeError(`a message of ${length} octets: the longest has ${LONGEST}`)
  bytes[0] = LONG_LENGTH
  bytes[1] = length >> 8
  bytes[2] = length
  return copied(bytes, 0, length)
}

/** A view of a buffer that it shares with its neighbours. */
function copied(source: Uint8Array, start: number, end: number): Uint8Array {
  const size = end - start
  const at = slab.reserve(size)
  const { bytes } = slab
  if (size > SMALL) bytes.set(source.subarray(start, end), at)
  else for (let i = 0; i < size; i++) bytes[at + i] = source[start + i] as number
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, size)
}

function encodeForwarder({ radius, nodeId, message }: Forwarder): Uint8Array {
  if (nodeId.length > LONGEST_NODE_ID) throw new RangeError(`a node id of ${nodeId.length} octets`)
  writer
    .reset()
    .u8(3 + nodeId.length)
    .u8(MessageType.forwarder)
    .u8(radius)
  return writer.put(nodeId).put(message).finish()
}

function writeTopic({ topicType, topic, topicId }: { topicType: number; topic: string; topicId: number }): void {
  if (topicType === TopicType.predefined) writer.u16(topicId)
  else writer.put(encodeText(topic))
}

function writeBody(message: Exclude<Message, Forwarder>): void {
  switch (message.type) {
    case 'advertise':
      writer.u8(message.gatewayId).u16(message.duration)
      break
    case 'searchgw':
      writer.u8(message.radius)
      break
    case 'gwinfo':
      writer.u8(message.gatewayId).put(message.address)
      break
    case 'connect':
      writer.u8((message.will ? WILL : 0) | (message.cleanSession ? CLEAN_SESSION : 0)).u8(message.protocolId)
      writer.u16(message.duration).put(encodeText(message.clientId))
      break
    case 'connack':
    case 'willtopicresp':
    case 'willmsgresp':
      writer.u8(message.returnCode)
      break
    case 'willtopic':
    case 'willtopicupd':
      if (message.topic !== undefined)
        writer.u8(qosBits(message.qos) | (message.retain ? RETAIN : 0)).put(encodeText(message.topic))
      break
    case 'willmsg':
    case 'willmsgupd':
      writer.put(message.payload)
      break
    case 'register':
      writer.u16(message.topicId).u16(message.messageId).put(encodeText(message.topic))
      break
    case 'regack':
    case 'puback':
      writer.u16(message.topicId).u16(message.messageId).u8(message.returnCode)
      break
    case 'publish':
      writer.u8((message.dup ? DUP : 0) | qosBits(message.qos) | (message.retain ? RETAIN : 0) | message.topicType)
      writer.u16(message.topicId).u16(message.messageId).put(message.payload)
      break
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
    case 'unsuback':
      writer.u16(message.messageId)
      break
    case 'subscribe':
      writer.u8((message.dup ? DUP : 0) | qosBits(message.qos) | message.topicType).u16(message.messageId)
      writeTopic(message)
      break
    case 'suback':
      writer.u8(qosBits(message.qos)).u16(message.topicId).u16(message.messageId).u8(message.returnCode)
      break
    case 'unsubscribe':
      writer.u8(message.topicType).u16(message.messageId)
      writeTopic(message)
      break
    case 'pingreq':
      writer.put(encodeText(message.clientId))
      break
    case 'disconnect':
      if (message.duration !== undefined) writer.u16(message.duration)
      break
    case 'willtopicreq':
    case 'willmsgreq':
    case 'pingresp':
      break
  }
}
