/**
 * How people write packets of MQTT-SN 2.0, in scripts and traces:
 *
 *     CONNECT protocol=2 clientId=c1 packetId=1 keepAlive=60 cleanStart
 *     PUBLISH qos=1 packetId=7 alias=3 "21.5"
 *     FORWARDER node=0a0b | PINGREQ packetId=9
 *
 * A topic is `topic=NAME`, `alias=N` or `predefined=N`. What is 0, empty or unset may be left out, and is left out in print.
 */
import { fromHex, toHex } from '#bytes/hex'
import type { QoS } from '#sdk'
import { printPayload, quoted, readPayload, wordsOf } from '../words.ts'
import { PacketType, PROTOCOL_VERSION, TopicKind } from './constants.ts'
import { decodePacket } from './decode.ts'
import { encodePacket } from './encode.ts'
import type { Acknowledgement, Packet, Regack, TopicRef, Will } from './packets.ts'

const ENCAPSULATION = /^(FORWARDER|CONNECTION)\b([^|]*)\|(.*)$/s

export function readPacketText(text: string): Uint8Array {
  return encodePacket(readPacket(text))
}

export function printPacketText(datagram: Uint8Array): string {
  const packet = decodePacket(datagram)
  if ('malformed' in packet) throw new Error(packet.malformed)
  return print(packet)
}

// ---- text to packet --------------------------------------------------------------------------------------------------

/** The words of one packet; each is taken once, and what is left is a mistake. */
class Words {
  readonly #written: Map<string, string>

  constructor(written: Map<string, string>) {
    this.#written = written
  }

  take(name: string): string | undefined {
    const value = this.#written.get(name)
    this.#written.delete(name)
    return value
  }

  number(name: string, otherwise = 0): number {
    return Number(this.take(name) ?? otherwise)
  }

  optional(name: string): number | undefined {
    const value = this.take(name)
    return value === undefined ? undefined : Number(value)
  }

  flag(name: string): boolean {
    return this.take(name) === 'true'
  }

  text(name: string): string {
    return this.take(name) ?? ''
  }

  octets(name: string): Uint8Array {
    return fromHex(this.text(name)) ?? new Uint8Array(0)
  }

  payload(name = 'payload'): Uint8Array {
    return readPayload(this.take(name))
  }

  qos(name = 'qos'): QoS {
    return this.number(name) as QoS
  }

  topic(prefix = ''): TopicRef {
    const word = (name: string): string => (prefix === '' ? name : prefix + name[0]?.toUpperCase() + name.slice(1))
    const alias = this.optional(word('alias'))
    const predefined = this.optional(word('predefined'))
    if (alias !== undefined) return { topicKind: TopicKind.session, alias, topic: '' }
    if (predefined !== undefined) return { topicKind: TopicKind.predefined, alias: predefined, topic: '' }
    return { topicKind: TopicKind.name, alias: 0, topic: this.text(word('topic')) }
  }

  will(): Will | undefined {
    if (!['willTopic', 'willAlias', 'willPredefined'].some((name) => this.#written.has(name))) return undefined
    const topic = this.topic('will')
    return { ...topic, qos: this.qos('willQos'), retain: this.flag('willRetain'), payload: this.payload('willPayload') }
  }

  auth(): { method: string; data: Uint8Array } | undefined {
    const method = this.take('method')
    return method === undefined ? undefined : { method, data: this.octets('data') }
  }

  /** Of REGACK and SUBACK: an alias may be absent. */
  given(): Pick<Regack, 'topicKind' | 'alias'> {
    const predefined = this.optional('predefined')
    if (predefined !== undefined) return { topicKind: TopicKind.predefined, alias: predefined }
    const alias = this.optional('alias')
    const topicKind = alias === undefined ? (this.number('kind', 0) as TopicRef['topicKind']) : TopicKind.session
    return { topicKind, alias }
  }

  end(packet: string): void {
    for (const word of this.#written.keys()) throw new Error(`no field of ${packet} is called ${word}`)
  }
}

function readPacket(text: string): Packet {
  const [, encapsulation, outside = '', inside = ''] = ENCAPSULATION.exec(text) ?? []
  const [name = '', words] = wordsOf(encapsulation === undefined ? text : encapsulation + outside)
  const taken = new Words(words)
  const packet = build(name.toLowerCase(), taken, inside.trim())
  taken.end(name)
  return packet
}

function build(type: string, words: Words, inside: string): Packet {
  const packetId = words.number('packetId')
  switch (type as Packet['type']) {
    case 'connect':
      return {
        type: 'connect',
        packetId,
        cleanStart: words.flag('cleanStart'),
        allowAddressChange: words.flag('mobile'),
        allowServerValues: words.flag('suggest'),
        protocolVersion: words.number('protocol', PROTOCOL_VERSION),
        keepAlive: words.number('keepAlive'),
        maxPacketSize: words.number('maxPacket'),
        awakeMessages: words.optional('awakeMessages'),
        sessionExpiry: words.optional('expiry'),
        will: words.will(),
        auth: words.auth(),
        clientId: words.text('clientId'),
      }
    case 'connack':
      return {
        type: 'connack',
        packetId,
        sessionPresent: words.flag('sessionPresent'),
        reason: words.number('reason'),
        sessionExpiry: words.optional('expiry'),
        keepAlive: words.optional('keepAlive'),
        auth: words.auth(),
        clientId: words.text('clientId'),
      }
    case 'auth': {
      const reason = words.number('reason')
      return { type: 'auth', packetId, reason, method: words.text('method'), data: words.octets('data') }
    }
    case 'register':
      return { type: 'register', packetId, alias: words.optional('alias'), topic: words.text('topic') }
    case 'regack':
    case 'suback':
      return { type: type as Regack['type'], packetId, ...words.given(), reason: words.number('reason') }
    case 'publish': {
      const flags = { qos: words.qos(), dup: words.flag('dup'), retain: words.flag('retain') }
      return { type: 'publish', packetId, ...flags, ...words.topic(), payload: words.payload() }
    }
    case 'pubwos':
      return { type: 'pubwos', retain: words.flag('retain'), ...words.topic(), payload: words.payload() }
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
    case 'unsuback':
      return { type: type as Acknowledgement['type'], packetId, reason: words.number('reason') }
    case 'subscribe':
      return {
        type: 'subscribe',
        packetId,
        noLocal: words.flag('noLocal'),
        qos: words.qos(),
        retainAsPublished: words.flag('retainAsPublished'),
        retainHandling: words.number('retainHandling') as 0 | 1 | 2,
        ...words.topic(),
      }
    case 'unsubscribe':
      return { type: 'unsubscribe', packetId, ...words.topic() }
    case 'pingreq':
      return { type: 'pingreq', packetId }
    case 'pingresp':
      return { type: 'pingresp', packetId, remaining: words.optional('remaining') }
    case 'disconnect':
      return {
        type: 'disconnect',
        packetId: packetId === 0 ? undefined : packetId,
        sessionExpiry: words.optional('expiry'),
        reason: words.optional('reason'),
        reasonString: words.text('text'),
      }
    case 'sleepreq':
      return { type: 'sleepreq', packetId, retainAliases: words.flag('retainAliases'), duration: words.number('duration') }
    case 'sleepresp':
      return { type: 'sleepresp', packetId, duration: words.optional('duration'), reason: words.number('reason') }
    case 'wakeup':
      return { type: 'wakeup' }
    case 'advertise':
      return { type: 'advertise', gatewayId: words.number('gateway'), duration: words.number('duration') }
    case 'searchgw':
      return { type: 'searchgw', networkInfo: words.octets('network') }
    case 'gwinfo':
      return { type: 'gwinfo', gatewayId: words.number('gateway'), address: words.octets('address') }
    case 'forwarder':
      return { type: 'forwarder', address: words.octets('node'), packet: readPacketText(inside) }
    case 'connection':
      return { type: 'connection', clientId: words.text('clientId'), packet: readPacketText(inside) }
    default:
      throw new Error(type in PacketType ? `write a ${type} packet as octets` : `no packet is called ${type}`)
  }
}

// ---- packet to text --------------------------------------------------------------------------------------------------

const PREFERRED: Readonly<Record<string, string>> = {
  sessionExpiry: 'expiry',
  gatewayId: 'gateway',
  maxPacketSize: 'maxPacket',
  protocolVersion: 'protocol',
  allowAddressChange: 'mobile',
  allowServerValues: 'suggest',
  reasonString: 'text',
  networkInfo: 'network',
  address: 'node',
}

/** What is always worth a look is printed also when it is 0. */
const ALWAYS: ReadonlySet<string> = new Set(['packetId', 'reason', 'remaining', 'qos', 'gatewayId'])
const LAST: ReadonlySet<string> = new Set(['payload', 'packet'])

function print(packet: Packet): string {
  const name = packet.type.toUpperCase()
  const words = Object.entries(packet).flatMap(([member, value]) => printMember(packet, member, value))
  if (packet.type === 'forwarder' || packet.type === 'connection') {
    return `${[name, ...words].join(' ')} | ${printPacketText(packet.packet)}`
  }
  if ('payload' in packet) words.push(printPayload(packet.payload))
  return [name, ...words].join(' ')
}

function printMember(packet: Packet, member: string, value: unknown): string[] {
  if (member === 'type' || LAST.has(member) || value === undefined || value === false || value === '') return []
  if (member === 'topicKind') return printTopic(packet as unknown as TopicRef)
  if (member === 'alias' && 'topicKind' in packet) return []
  if (member === 'topic' && 'topicKind' in packet) return []
  const word = PREFERRED[member] ?? member
  if (value === true) return [word]
  if (value instanceof Uint8Array) return value.length === 0 ? [] : [`${word}=${toHex(value)}`]
  if (typeof value === 'object' && value !== null) {
    if (member === 'will') return printWill(value as Will)
    return Object.entries(value).flatMap(([inner, each]) => printMember(packet, inner, each))
  }
  // QoS 0 has none.
  if (member === 'packetId' && packet.type === 'publish' && packet.qos === 0) return []
  return value === 0 && !ALWAYS.has(member) ? [] : [`${word}=${quoted(String(value))}`]
}

function printWill(will: Will): string[] {
  const words = [...printTopic(will), ...(will.qos > 0 ? [`qos=${will.qos}`] : []), ...(will.retain ? ['retain'] : [])]
  return [...words, `payload=${printPayload(will.payload)}`].map((word) => `will${word[0]?.toUpperCase()}${word.slice(1)}`)
}

function printTopic({ topicKind, alias, topic }: Omit<TopicRef, 'alias'> & { readonly alias: number | undefined }): string[] {
  if (topicKind === TopicKind.name) return [`topic=${quoted(topic)}`]
  if (alias === undefined) return []
  return [`${topicKind === TopicKind.session ? 'alias' : 'predefined'}=${alias}`]
}
