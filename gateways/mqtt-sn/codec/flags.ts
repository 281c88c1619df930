/** The flags octet (MQTT-SN 1.2, 5.3.4): DUP, QoS, Retain, Will, CleanSession, TopicIdType. */
import type { PublishQos, TopicTypeBits } from './messages.ts'

export const DUP = 0x80
export const RETAIN = 0x10
export const WILL = 0x08
export const CLEAN_SESSION = 0x04
const QOS_SHIFT = 5
const TWO_BITS = 3

export function qosOf(flags: number): PublishQos {
  const bits = (flags >> QOS_SHIFT) & TWO_BITS
  return bits === TWO_BITS ? -1 : (bits as PublishQos)
}

export function qosBits(qos: PublishQos): number {
  return (qos & TWO_BITS) << QOS_SHIFT
}

export function topicTypeOf(flags: number): TopicTypeBits {
  return (flags & TWO_BITS) as TopicTypeBits
}
