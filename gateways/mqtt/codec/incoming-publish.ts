/** PUBLISH as it comes in, read in place (MQTT 5.0 section 3.3, 3.1.1 likewise). */
import type { Properties } from '#sdk'
import { isTopicName } from '#sdk'
import { decodeMessageProperties } from './properties.ts'
import { decodeString, TopicCache } from './topic-cache.ts'

const QOS_3 = 3
const DUP = 0x08
const RETAIN = 0x01

const topics = new TopicCache()

/** One object serves every packet: the data path allocates nothing to pass these fields on. */
export class IncomingPublish {
  qos: 0 | 1 | 2 = 0
  retain = false
  /** Empty in 5.0 where the packet names its topic by alias alone. */
  topic = ''
  /** Packet identifier; 0 in QoS 0. */
  id = 0
  /** Offset of the payload; it reaches to the end of the packet. */
  payload = 0
  expirySeconds: number | undefined = undefined
  topicAlias: number | undefined = undefined
  properties: Properties | undefined = undefined

  /** Reads `bytes[start, end)`, whose variable header begins at `body`. The name of the fault; undefined when there is none. */
  read(bytes: Uint8Array, start: number, body: number, end: number, isV5: boolean): string | undefined {
    const first = bytes[start] as number
    const qos = (first >> 1) & 3
    if (qos === QOS_3) return 'qos-3' // [MQTT-3.3.1-4]
    if (qos === 0 && (first & DUP) !== 0) return 'flags' // [MQTT-3.3.1-2]
    const topicEnd = body + 2 + (((bytes[body] as number) << 8) | (bytes[body + 1] as number))
    const at = topicEnd + (qos > 0 ? 2 : 0)
    if (body + 2 > end || at > end) return 'truncated'
    this.qos = qos as 0 | 1 | 2
    this.retain = (first & RETAIN) === RETAIN
    this.id = 0
    if (qos > 0) {
      this.id = ((bytes[topicEnd] as number) << 8) | (bytes[topicEnd + 1] as number)
      if (this.id === 0) return 'packet-identifier-0' // [MQTT-2.3.1-1], 5.0: [MQTT-2.2.1-3]
    }
    const isNamed = topicEnd > body + 2
    const topic = isNamed ? topics.find(bytes, body + 2, topicEnd) : ''
    if (topic === undefined) return topicFault(bytes, body + 2, topicEnd)
    this.topic = topic
    this.payload = at
    this.expirySeconds = undefined
    this.topicAlias = undefined
    this.properties = undefined
    if (!isV5) return isNamed ? undefined : 'topic-missing' // [MQTT-4.7.3-1]
    if (bytes[at] === 0 && at < end) {
      this.payload = at + 1
      return isNamed ? undefined : 'topic-missing'
    }
    const properties = decodeMessageProperties(bytes, at, end, 'publish')
    if (typeof properties === 'string') return properties
    this.payload = properties.end
    this.expirySeconds = properties.expirySeconds
    this.topicAlias = properties.topicAlias
    this.properties = properties.application
    return isNamed || this.topicAlias !== undefined ? undefined : 'topic-missing'
  }
}

/** Text that is none is malformed (section 1.5.4), text with wildcards a bad name [MQTT-3.3.2-2]. */
function topicFault(bytes: Uint8Array, start: number, end: number): string {
  const text = decodeString(bytes, start, end)
  return text === undefined || isTopicName(text) ? 'utf-8' : 'topic-name'
}
