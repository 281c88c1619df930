/** MQTT-SN 1.2 on the wire: one datagram is one message. */
import type { WireFormat } from '#sdk'
import { decode } from './decode.ts'
import { encode } from './encode.ts'
import type { Message } from './messages.ts'
import { decodePacket, encodePacket, type Packet } from './v2/index.ts'

export { decode } from './decode.ts'
export { encode } from './encode.ts'
export {
  type Message,
  MessageType,
  type Of,
  type PublishQos,
  ReturnCode,
  TopicType,
  type TopicTypeBits,
} from './messages.ts'
export { shortTopicId, shortTopicName } from './text.ts'

export const wire: WireFormat<Message> = { codec: { decode, encode } }
/** Version 2.0, named by its vectors. */
export const wire2: WireFormat<Packet> = { codec: { decode: decodePacket, encode: encodePacket } }
