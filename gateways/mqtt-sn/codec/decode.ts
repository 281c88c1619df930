/** One datagram to one message (MQTT-SN 1.2, 5.2 to 5.4). Never throws: what is wrong becomes a `Malformed` value. */
import { Reader } from '#bytes/reader'
import { type Malformed, malformed } from '#sdk'
import { CLEAN_SESSION, DUP, qosOf, RETAIN, topicTypeOf, WILL } from './flags.ts'
import { type Message, type MessageIdOnly, MessageType, TopicType } from './messages.ts'
import { decodeText } from './text.ts'

/** The first octet of the three that a long length takes (5.2.1). */
export const LONG_LENGTH = 0x01
/** A length octet and a message type. */
const SHORTEST = 2
const SHORTEST_LONG = 4
/** Length, type and control octet of the encapsulation (5.4.20). */
const FORWARDER_HEADER = 3
/** Two bits of the control octet; the others are reserved. */
const RADIUS_BITS = 3

/** Undefined: the body does not fit its type. */
type ReadBody = (body: Reader) => Message | undefined

/** A datagram that holds exactly one message. */
export function decode(datagram: Uint8Array): Message | Malformed {
  const size = datagram.length
  if (size < SHORTEST) return malformed('truncated', size)
  const long = datagram[0] === LONG_LENGTH
  if (long && size < SHORTEST_LONG) return malformed('truncated', size)
  const length = long ? ((datagram[1] as number) << 8) | (datagram[2] as number) : (datagram[0] as number)
  const header = long ? SHORTEST_LONG : SHORTEST
  if (length < header) return malformed('bad-length')
  const type = datagram[header - 1] as number
  if (type === MessageType.forwarder) return readForwarder(datagram, long, length)
  if (length > size) return malformed('truncated', size)
  if (length < size) return malformed('trailing-octets', length)
  const read = READERS[type]
  if (read === undefined) return malformed('reserved-type', header - 1)
  const body = new Reader(datagram, header)
  const message = read(body)
  return message === undefined || !body.ok ? malformed('bad-body', body.offset) : message
}

/** Its length ends before the message that it carries, so that the datagram is longer than it says. */
function readForwarder(datagram: Uint8Array, long: boolean, length: number): Message | Malformed {
  // Such a short header has no use for the long form, and 5.4.20 gives it one octet of length.
  if (long || length < FORWARDER_HEADER) return malformed('bad-length')
  const inner = datagram.subarray(length)
  if (length > datagram.length || inner.length < SHORTEST) return malformed('truncated', datagram.length)
  const at = inner[0] === LONG_LENGTH ? SHORTEST_LONG : SHORTEST
  if (inner[at - 1] === MessageType.forwarder) return malformed('nested-forwarder', length + at - 1)
  return {
    type: 'forwarder',
    radius: (datagram[2] as number) & RADIUS_BITS,
    nodeId: datagram.subarray(FORWARDER_HEADER, length),
    message: inner,
  }
}

/** The body must end here. */
function ended<M extends Message>(body: Reader, message: M): M | undefined {
  return body.remaining === 0 ? message : undefined
}

/** A NUL at its end is how clients in C end their strings: not part of it. */
function text(body: Reader): string | undefined {
  const octets = body.rest()
  return decodeText(octets[octets.length - 1] === 0 ? octets.subarray(0, -1) : octets)
}

function readMessageId(type: MessageIdOnly['type']): ReadBody {
  return (body) => ended(body, { type, messageId: body.u16() })
}

function readAcknowledgement(type: 'regack' | 'puback'): ReadBody {
  return (body) => ended(body, { type, topicId: body.u16(), messageId: body.u16(), returnCode: body.u8() })
}

function readWillTopic(type: 'willtopic' | 'willtopicupd'): ReadBody {
  return (body) => {
    if (body.remaining === 0) return { type, qos: 0, retain: false, topic: undefined }
    const flags = body.u8()
    const topic = text(body)
    // Flags alone name no topic: as good as the empty message, which is how a will is deleted (5.4.7).
    if (topic === '') return { type, qos: 0, retain: false, topic: undefined }
    return topic === undefined ? undefined : { type, qos: qosOf(flags), retain: (flags & RETAIN) !== 0, topic }
  }
}

function readWillResponse(type: 'willtopicresp' | 'willmsgresp'): ReadBody {
  return (body) => ended(body, { type, returnCode: body.u8() })
}

/** The tail of SUBSCRIBE and UNSUBSCRIBE: an id, or a name; the name of the short type has two octets. */
function readTopic(body: Reader, topicType: number): { topic: string; topicId: number } | undefined {
  if (topicType === TopicType.predefined) {
    const topicId = body.u16()
    return body.remaining === 0 ? { topic: '', topicId } : undefined
  }
  const isShort = topicType === TopicType.short
  if (isShort && body.remaining !== 2) return undefined
  const topic = isShort ? decodeText(body.rest()) : text(body)
  return topic === undefined ? undefined : { topic, topicId: 0 }
}

function readConnect(body: Reader): Message | undefined {
  const flags = body.u8()
  const protocolId = body.u8()
  const duration = body.u16()
  const clientId = text(body)
  if (clientId === undefined) return undefined
  const will = (flags & WILL) !== 0
  return { type: 'connect', will, cleanSession: (flags & CLEAN_SESSION) !== 0, protocolId, duration, clientId }
}

function readRegister(body: Reader): Message | undefined {
  const topicId = body.u16()
  const messageId = body.u16()
  const topic = text(body)
  return topic === undefined || topic === '' ? undefined : { type: 'register', topicId, messageId, topic }
}

function readPublish(body: Reader): Message {
  const flags = body.u8()
  return {
    type: 'publish',
    dup: (flags & DUP) !== 0,
    qos: qosOf(flags),
    retain: (flags & RETAIN) !== 0,
    topicType: topicTypeOf(flags),
    topicId: body.u16(),
    messageId: body.u16(),
    payload: body.rest(),
  }
}

function readSubscribe(body: Reader): Message | undefined {
  const flags = body.u8()
  const topicType = topicTypeOf(flags)
  const messageId = body.u16()
  const topic = readTopic(body, topicType)
  if (topic === undefined) return undefined
  return { type: 'subscribe', dup: (flags & DUP) !== 0, qos: qosOf(flags), topicType, messageId, ...topic }
}

function readSuback(body: Reader): Message | undefined {
  const qos = qosOf(body.u8())
  return ended(body, { type: 'suback', qos, topicId: body.u16(), messageId: body.u16(), returnCode: body.u8() })
}

function readUnsubscribe(body: Reader): Message | undefined {
  const topicType = topicTypeOf(body.u8())
  const messageId = body.u16()
  const topic = readTopic(body, topicType)
  return topic === undefined ? undefined : { type: 'unsubscribe', topicType, messageId, ...topic }
}

function readPingreq(body: Reader): Message | undefined {
  const clientId = text(body)
  return clientId === undefined ? undefined : { type: 'pingreq', clientId }
}

const READERS: readonly (ReadBody | undefined)[] = table({
  [MessageType.advertise]: (body) => ended(body, { type: 'advertise', gatewayId: body.u8(), duration: body.u16() }),
  [MessageType.searchgw]: (body) => ended(body, { type: 'searchgw', radius: body.u8() }),
  [MessageType.gwinfo]: (body) => ({ type: 'gwinfo', gatewayId: body.u8(), address: body.rest() }),
  [MessageType.connect]: readConnect,
  [MessageType.connack]: (body) => ended(body, { type: 'connack', returnCode: body.u8() }),
  [MessageType.willtopicreq]: (body) => ended(body, { type: 'willtopicreq' }),
  [MessageType.willtopic]: readWillTopic('willtopic'),
  [MessageType.willmsgreq]: (body) => ended(body, { type: 'willmsgreq' }),
  [MessageType.willmsg]: (body) => ({ type: 'willmsg', payload: body.rest() }),
  [MessageType.register]: readRegister,
  [MessageType.regack]: readAcknowledgement('regack'),
  [MessageType.publish]: readPublish,
  [MessageType.puback]: readAcknowledgement('puback'),
  [MessageType.pubcomp]: readMessageId('pubcomp'),
  [MessageType.pubrec]: readMessageId('pubrec'),
  [MessageType.pubrel]: readMessageId('pubrel'),
  [MessageType.subscribe]: readSubscribe,
  [MessageType.suback]: readSuback,
  [MessageType.unsubscribe]: readUnsubscribe,
  [MessageType.unsuback]: readMessageId('unsuback'),
  [MessageType.pingreq]: readPingreq,
  [MessageType.pingresp]: (body) => ended(body, { type: 'pingresp' }),
  [MessageType.disconnect]: (body) =>
    ended(body, { type: 'disconnect', duration: body.remaining === 0 ? undefined : body.u16() }),
  [MessageType.willtopicupd]: readWillTopic('willtopicupd'),
  [MessageType.willtopicresp]: readWillResponse('willtopicresp'),
  [MessageType.willmsgupd]: (body) => ({ type: 'willmsgupd', payload: body.rest() }),
  [MessageType.willmsgresp]: readWillResponse('willmsgresp'),
})

/** An array by message type: dense, so that finding a reader hashes nothing. */
function table(readers: Readonly<Record<number, ReadBody>>): readonly (ReadBody | undefined)[] {
  return Array.from({ length: MessageType.willmsgresp + 1 }, (_, type) => readers[type])
}
