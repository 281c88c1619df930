/**
 * MQTT-SN without a gateway: `import { parse, generate } from 'omnigate/mqttsn-packet'`. Messages are those of 1.2, packets
 * those of 2.0, a committee draft that may still change.
 *
 *     const message = parse(datagram)
 *     if (isMalformed(message)) console.log(`${message.malformed} at octet ${message.offset}`)
 *     else if (message.type === 'publish') console.log(message.topicId, message.payload)
 *
 *     socket.send(generate({ type: 'pingreq', clientId: 'meter-7' }), 1884, 'gateway.example')
 *
 *     const packet = parse(datagram, versionOf(datagram))
 *
 * One datagram is one message. What a peer sends never throws. Octets in a parsed message are views of the datagram.
 * A forwarder's message holds another one as octets: parse `message.message`; an encapsulation of 2.0 in `packet.packet`.
 */
import type { Malformed } from '#sdk'
import { decode, encode, type Message } from './codec/index.ts'
import { decodePacket, encodePacket, type Packet, type Version } from './codec/v2/index.ts'

export { isMalformed, type Malformed } from '#sdk'
export {
  type Message,
  MessageType,
  type Of,
  type PublishQos,
  ReturnCode,
  shortTopicId,
  shortTopicName,
  TopicType,
  type TopicTypeBits,
} from './codec/index.ts'
export type {
  Acknowledgement,
  Advertise,
  Connack,
  Connect,
  Disconnect,
  Forwarder,
  Gwinfo,
  MessageIdOnly,
  Pingreq,
  Pingresp,
  Publish,
  Register,
  Searchgw,
  Suback,
  Subscribe,
  Unsubscribe,
  Willmsg,
  Willmsgreq,
  Willresp,
  Willtopic,
  Willtopicreq,
} from './codec/messages.ts'

export {
  type Packet,
  type PacketOf,
  PacketType,
  Reason,
  TopicKind,
  type TopicKindBits,
  type Version,
  versionOf,
} from './codec/v2/index.ts'

/** The message of a datagram, or what is wrong with it and where; of version 2.0, the packet. */
export function parse(datagram: Uint8Array, version?: '1.2'): Message | Malformed
export function parse(datagram: Uint8Array, version: '2.0'): Packet | Malformed
export function parse(datagram: Uint8Array, version: Version): Message | Packet | Malformed
export function parse(datagram: Uint8Array, version: Version = '1.2'): Message | Packet | Malformed {
  return version === '1.2' ? decode(datagram) : decodePacket(datagram)
}

/**
 * The datagram of a message, with the short form of the length where it is enough. Numbers are cut to their fields.
 * Throws a RangeError when the message has more than 65535 octets, or a node id more than 252.
 */
export function generate(message: Message, version?: '1.2'): Uint8Array
export function generate(packet: Packet, version: '2.0'): Uint8Array
export function generate(value: Message | Packet, version: Version = '1.2'): Uint8Array {
  const datagram = version === '1.2' ? encode(value as Message) : encodePacket(value as Packet)
  return datagram.slice()
}
