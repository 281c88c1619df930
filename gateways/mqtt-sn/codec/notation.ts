/**
 * How people write MQTT-SN messages, in scripts and traces:
 *
 *     CONNECT clientId=c1 duration=60 clean will
 *     PUBLISH qos=1 topicType=predefined topicId=1 messageId=7 retain "21.5"
 *     FORWARDER node=0a0b | PINGREQ clientId=c1
 *
 * The name of the message, its fields in the order of the standard, then its payload. Fields that are 0, empty or unset
 * may be left out, and are left out in print. Octets that are no text are written `hex:0a0b`. What is written of version
 * 2.0 stands in `v2/notation.ts`.
 */
import { fromHex, toHex } from '#bytes/hex'
import { decode } from './decode.ts'
import { encode } from './encode.ts'
import { type Message, TopicType } from './messages.ts'
import { printPacketText, readPacketText } from './v2/notation.ts'
import { printPayload, quoted, readPayload, wordsOf } from './words.ts'

type Kind = 'number' | 'text' | 'flag' | 'topic-type' | 'octets' | 'payload'

/** A field as it is written, the member that it stands for, and what it is. */
type Field = readonly [word: string, member: string, kind: Kind]

const MESSAGE_ID: Field = ['messageId', 'messageId', 'number']
const TOPIC_ID: Field = ['topicId', 'topicId', 'number']
const TOPIC: Field = ['topic', 'topic', 'text']
const TOPIC_TYPE: Field = ['topicType', 'topicType', 'topic-type']
const QOS: Field = ['qos', 'qos', 'number']
const DUP: Field = ['dup', 'dup', 'flag']
const RETAIN: Field = ['retain', 'retain', 'flag']
const CODE: Field = ['code', 'returnCode', 'number']
const DURATION: Field = ['duration', 'duration', 'number']
const CLIENT_ID: Field = ['clientId', 'clientId', 'text']
const PAYLOAD: Field = ['payload', 'payload', 'payload']
const GATEWAY: Field = ['gateway', 'gatewayId', 'number']

const FIELDS: Readonly<Record<Exclude<Message['type'], 'forwarder'>, readonly Field[]>> = {
  advertise: [GATEWAY, DURATION],
  searchgw: [['radius', 'radius', 'number']],
  gwinfo: [GATEWAY, ['address', 'address', 'octets']],
  connect: [
    CLIENT_ID,
    DURATION,
    ['clean', 'cleanSession', 'flag'],
    ['will', 'will', 'flag'],
    ['protocol', 'protocolId', 'number'],
  ],
  connack: [CODE],
  willtopicreq: [],
  willtopic: [TOPIC, QOS, RETAIN],
  willmsgreq: [],
  willmsg: [PAYLOAD],
  register: [TOPIC_ID, MESSAGE_ID, TOPIC],
  regack: [TOPIC_ID, MESSAGE_ID, CODE],
  publish: [QOS, TOPIC_TYPE, TOPIC_ID, MESSAGE_ID, RETAIN, DUP, PAYLOAD],
  puback: [TOPIC_ID, MESSAGE_ID, CODE],
  pubcomp: [MESSAGE_ID],
  pubrec: [MESSAGE_ID],
  pubrel: [MESSAGE_ID],
  subscribe: [QOS, MESSAGE_ID, TOPIC_TYPE, TOPIC, TOPIC_ID, DUP],
  suback: [QOS, TOPIC_ID, MESSAGE_ID, CODE],
  unsubscribe: [MESSAGE_ID, TOPIC_TYPE, TOPIC, TOPIC_ID],
  unsuback: [MESSAGE_ID],
  pingreq: [CLIENT_ID],
  pingresp: [],
  disconnect: [DURATION],
  willtopicupd: [TOPIC, QOS, RETAIN],
  willtopicresp: [CODE],
  willmsgupd: [PAYLOAD],
  willmsgresp: [CODE],
}

/** Members whose absence says something: an empty will, the end of a connection; and those with another usual value. */
const UNLESS_WRITTEN: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  connect: { protocolId: 1 },
  willtopic: { topic: undefined },
  willtopicupd: { topic: undefined },
  disconnect: { duration: undefined },
}

const EMPTY: Readonly<Record<Kind, unknown>> = {
  number: 0,
  text: '',
  flag: false,
  'topic-type': 0,
  octets: new Uint8Array(0),
  payload: new Uint8Array(0),
}

const TOPIC_TYPES: readonly string[] = [...Object.keys(TopicType), 'reserved']

/** Of one connection: version 2.0 from the first packet on that only 2.0 has. */
export function notation(): { encode(text: string): Uint8Array; decode(datagram: Uint8Array): string } {
  let is2 = false
  return {
    encode(text) {
      is2 ||= ONLY_2.test(text)
      return is2 ? readPacketText(text) : encode(readMessage(text))
    },
    decode: (datagram) => (is2 ? printPacketText(datagram) : printDatagram(datagram)),
  }
}

const ONLY_2 = /\b(?:CONNECT\b.*\bprotocol=2\b|PUBWOS\b|CONNECTION\b|SEARCHGW\b.*\bnetwork=)/

// ---- text to message -------------------------------------------------------------------------------------------------

function readMessage(text: string): Message {
  const [, words = text, inner] = /^(FORWARDER[^|]*)\|(.*)$/s.exec(text) ?? []
  const [name, written] = wordsOf(words)
  const type = name.toLowerCase()
  if (type === 'forwarder') {
    const nodeId = fromHex(written.get('node') ?? '')
    if (inner === undefined || nodeId === undefined) throw new Error('write FORWARDER node=HEX | MESSAGE')
    return { type, radius: Number(written.get('radius') ?? 0), nodeId, message: encode(readMessage(inner.trim())) }
  }
  if (!(type in FIELDS)) throw new Error(`no message is called ${name}`)
  const fields = FIELDS[type as keyof typeof FIELDS]
  const message: Record<string, unknown> = { type }
  for (const [word, member, kind] of fields) {
    const value = written.get(word)
    const absent = UNLESS_WRITTEN[type] ?? {}
    message[member] = value !== undefined ? readValue(value, kind) : member in absent ? absent[member] : EMPTY[kind]
    written.delete(word)
  }
  for (const word of written.keys()) throw new Error(`no field of ${name} is called ${word}`)
  return message as unknown as Message
}

function readValue(value: string, kind: Kind): unknown {
  if (kind === 'number') return Number(value)
  if (kind === 'flag') return value === 'true'
  if (kind === 'topic-type') return Math.max(0, TOPIC_TYPES.indexOf(value))
  if (kind === 'octets') return fromHex(value) ?? EMPTY.octets
  return kind === 'payload' ? readPayload(value) : value
}

// ---- message to text -------------------------------------------------------------------------------------------------

function printDatagram(datagram: Uint8Array): string {
  const message = decode(datagram)
  if ('malformed' in message) throw new Error(message.malformed)
  return print(message)
}

function print(message: Message): string {
  if (message.type === 'forwarder') {
    const radius = message.radius === 0 ? '' : ` radius=${message.radius}`
    return `FORWARDER node=${toHex(message.nodeId)}${radius} | ${printDatagram(message.message)}`
  }
  const members = message as unknown as Readonly<Record<string, unknown>>
  const words = FIELDS[message.type].flatMap(([word, member, kind]) => printField(message.type, word, members[member], kind))
  return [message.type.toUpperCase(), ...words].join(' ')
}

/** What is always worth a look is printed also when it is 0. */
const ALWAYS: ReadonlySet<string> = new Set(['code', 'messageId', 'topicId', 'qos', 'gateway'])

function printField(type: Message['type'], word: string, value: unknown, kind: Kind): string[] {
  const usual = UNLESS_WRITTEN[type]
  if (kind === 'payload') return [printPayload(value as Uint8Array)]
  if (kind === 'octets') return (value as Uint8Array).length === 0 ? [] : [`${word}=${toHex(value as Uint8Array)}`]
  if (kind === 'flag') return value === true ? [word] : []
  if (word === 'protocol' && value === usual?.['protocolId']) return []
  if (value === undefined || value === '' || (value === 0 && !ALWAYS.has(word) && type !== 'disconnect')) return []
  if (kind === 'topic-type') return [`${word}=${TOPIC_TYPES[value as number]}`]
  return [`${word}=${quoted(String(value))}`]
}
