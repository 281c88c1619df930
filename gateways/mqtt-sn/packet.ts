/**
 * MQTT-SN 1.2 messages without a gateway: `import { parse, generate } from 'omnigate/mqttsn-packet'`.
 *
 *     const message = parse(datagram)
 *     if (isMalformed(message)) console.log(`${message.malformed} at octet ${message.offset}`)
 *     else if (message.type === 'publish') console.log(message.topicId, message.payload)
 *
 *     socket.send(generate({ type: 'pingreq', clientId: 'meter-7' }), 1884, 'gateway.example')
 *
 * One datagram is one message. What a peer sends never throws. Octets in a parsed message are views of the datagram.
 * A forwarder's message holds another one as octets: parse `message.message`.
 */
import type { Malformed } from '#sdk'
import { decode, encode, type Message } from './codec/index.ts'

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

/** The message of a datagram, or what is wrong with it and where. */
export function parse(datagram: Uint8Array): Message | Malformed {
  return decode(datagram)
}

/**
 * The datagram of a message, with the short form of the length where it is enough. Numbers are cut to their fields.
 * Throws a RangeError when the message has more than 65535 octets, or a node id more than 252.
 */
export function generate(message: Message): Uint8Array {
  return encode(message)
}
