/** The few MQTT-SN 1.2 messages that the sensor speaks: octets after the length and the type. */

export const Type = {
  connect: 0x04,
  connack: 0x05,
  register: 0x0a,
  regack: 0x0b,
  publish: 0x0c,
  puback: 0x0d,
  subscribe: 0x12,
  suback: 0x13,
  pingreq: 0x16,
  pingresp: 0x17,
  disconnect: 0x18,
} as const

const PROTOCOL = 0x01
const QOS_1 = 0x20
const LONGEST_SHORT = 255

export interface Received {
  readonly type: number
  readonly body: Buffer
}

/** One datagram: length in one octet, or in three when it is longer than 255. */
export function message(type: number, ...parts: (number | string | Uint8Array)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part as string))))
  const short = body.length + 2
  if (short <= LONGEST_SHORT) return Buffer.concat([Buffer.of(short, type), body])
  const long = body.length + 4
  return Buffer.concat([Buffer.of(1, long >> 8, long & 0xff, type), body])
}

/** Undefined when the datagram is not one message. */
export function read(datagram: Buffer): Received | undefined {
  const at = datagram[0] === 1 ? 3 : 1
  if (datagram.length <= at) return undefined
  const length = at === 3 ? datagram.readUInt16BE(1) : datagram[0]
  return length === datagram.length ? { type: datagram[at] as number, body: datagram.subarray(at + 1) } : undefined
}

/** CleanSession 0: what came while the sensor slept must be there when it connects again. */
export function connect(clientId: string, keepAliveS: number): Buffer {
  return message(Type.connect, 0, PROTOCOL, word(keepAliveS), clientId)
}

export function register(messageId: number, topic: string): Buffer {
  return message(Type.register, 0, 0, word(messageId), topic)
}

export function subscribe(messageId: number, topic: string): Buffer {
  return message(Type.subscribe, QOS_1, word(messageId), topic)
}

/** QoS 1. */
export function publish(topicId: number, messageId: number, payload: string): Buffer {
  return message(Type.publish, QOS_1, word(topicId), word(messageId), payload)
}

export function puback(topicId: number, messageId: number): Buffer {
  return message(Type.puback, word(topicId), word(messageId), 0)
}

export function regack(topicId: number, messageId: number): Buffer {
  return message(Type.regack, word(topicId), word(messageId), 0)
}

export function pingreq(clientId: string): Buffer {
  return message(Type.pingreq, clientId)
}

export function disconnect(sleepS?: number): Buffer {
  return sleepS === undefined ? message(Type.disconnect) : message(Type.disconnect, word(sleepS))
}

function word(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff)
}
