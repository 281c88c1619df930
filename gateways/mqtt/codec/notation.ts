/**
 * MQTT packets as people write them, for scripts (specs/scripts.md): the packet's name and its fields in a fixed order,
 * `PUBLISH topic=a/b qos=1 id=5 retain "21.5"`. 5.0 properties follow as `name=value`, those of a will as `will.name=value`.
 */
import type { IConnectPacket, ISubscribePacket, IUnsubscribePacket, Packet } from 'mqtt-packet'
import { encodeConnect } from './connect-encoder.ts'
import type { Version } from './control.ts'
import { decodeControl, encodeControl } from './control.ts'
import { isProperty, printProperties, readProperties, readWord, split, wordOf } from './notation-words.ts'

const CONNECT = 1
const NAMES: Readonly<Record<string, Version>> = { '3.1': 3, '3.1.1': 4, '5.0': 5 }
const PROTOCOL_NAMES: Readonly<Record<Version, 'MQIsdp' | 'MQTT'>> = { 3: 'MQIsdp', 4: 'MQTT', 5: 'MQTT' }

const FIELDS = new Set(
  (
    'clientId clean keepalive version username password will willQos willPayload willRetain ' +
    'topic qos retain dup id reason filter nl rap rh'
  ).split(' '),
)

/** One for each connection: its CONNECT says in which version the rest is written. */
export function notation(): { encode(text: string): Uint8Array; decode(frame: Uint8Array): string } {
  let version: Version = 4
  return {
    encode(text) {
      const words = split(text)
      if (words[0] === 'CONNECT') version = NAMES[fieldsOf(words.slice(1)).get('version')?.[0] ?? '3.1.1'] ?? 4
      const packet = read(words, version)
      return packet.cmd === 'connect' ? encodeConnect(packet) : encodeControl(packet, version)
    },
    decode(frame) {
      const packet = decodeControl(frame, (frame[0] as number) >> 4 === CONNECT ? 'connect' : version)
      if ('malformed' in packet) throw new Error(packet.malformed)
      return print(packet, version)
    },
  }
}

// ---- text to packet --------------------------------------------------------------------------------------------------

/** `key=value` words by key, each with its values in order; a word without `=` is a flag with an empty value. */
function fieldsOf(words: readonly string[]): Map<string, string[]> {
  const fields = new Map<string, string[]>()
  for (const word of words) {
    if (word.startsWith('"')) continue
    const [, key = word, value = ''] = /^([^=]+)=(.*)$/s.exec(word) ?? []
    if (!FIELDS.has(key) && !isProperty(key.replace(/^will\./, ''))) throw new Error(`no field of a packet is called ${key}`)
    fields.set(key, [...(fields.get(key) ?? []), readWord(value)])
  }
  return fields
}

function read([name = '', ...words]: readonly string[], version: Version): Packet {
  const fields = fieldsOf(words)
  const one = (key: string): string | undefined => fields.get(key)?.[0]
  const number = (key: string): number => Number(one(key) ?? 0)
  const properties = version === 5 ? readProperties(words, '') : undefined
  const more = properties === undefined ? {} : { properties }
  const cmd = name.toLowerCase()
  switch (cmd) {
    case 'connect':
      return readConnect(fields, words, version)
    case 'publish': {
      const payload = words.find((word) => word.startsWith('"'))
      return {
        cmd,
        topic: one('topic') ?? '',
        qos: number('qos') as 0 | 1 | 2,
        retain: fields.has('retain'),
        dup: fields.has('dup'),
        messageId: number('id'),
        payload: payload === undefined ? '' : readWord(payload),
        ...more,
      } as Packet
    }
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return { cmd, messageId: number('id'), ...(fields.has('reason') && { reasonCode: number('reason') }), ...more } as Packet
    case 'subscribe':
      return { cmd, messageId: number('id'), subscriptions: readFilters(words), ...more } as ISubscribePacket
    case 'unsubscribe':
      return { cmd, messageId: number('id'), unsubscriptions: fields.get('filter') ?? [], ...more } as IUnsubscribePacket
    case 'disconnect':
      return { cmd, ...(version === 5 && { reasonCode: number('reason') }), ...more } as Packet
    case 'auth':
      return { cmd, reasonCode: number('reason'), ...more } as Packet
    case 'pingreq':
      return { cmd }
    default:
      throw new Error(`no packet that a client sends is called ${name}`)
  }
}

function readConnect(fields: ReadonlyMap<string, readonly string[]>, words: readonly string[], version: Version): IConnectPacket {
  const one = (key: string): string | undefined => fields.get(key)?.[0]
  const properties = version === 5 ? readProperties(words, '') : undefined
  const willProperties = version === 5 ? readProperties(words, 'will.') : undefined
  const topic = one('will')
  return {
    cmd: 'connect',
    protocolId: PROTOCOL_NAMES[version],
    protocolVersion: version,
    clientId: one('clientId') ?? '',
    clean: one('clean') !== 'false',
    keepalive: Number(one('keepalive') ?? 0),
    ...(fields.has('username') && { username: one('username') as string }),
    ...(fields.has('password') && { password: Buffer.from(one('password') as string) }),
    ...(topic !== undefined && {
      will: {
        topic,
        payload: Buffer.from(one('willPayload') ?? ''),
        qos: Number(one('willQos') ?? 0) as 0 | 1 | 2,
        retain: fields.has('willRetain'),
        ...(willProperties !== undefined && { properties: willProperties }),
      },
    }),
    ...(properties !== undefined && { properties }),
  }
}

/** `filter=a/b qos=1 nl rap rh=2`: options belong to the filter before them. */
function readFilters(words: readonly string[]): ISubscribePacket['subscriptions'] {
  const filters: ISubscribePacket['subscriptions'] = []
  for (const word of words) {
    const [key = '', value = ''] = word.split(/=(.*)/s)
    const last = filters.at(-1)
    if (key === 'filter') filters.push({ topic: readWord(value), qos: 0, nl: false, rap: false, rh: 0 })
    else if (last === undefined) continue
    else if (key === 'qos') last.qos = Number(value) as 0 | 1 | 2
    else if (key === 'nl') last.nl = true
    else if (key === 'rap') last.rap = true
    else if (key === 'rh') last.rh = Number(value)
  }
  return filters
}

// ---- packet to text --------------------------------------------------------------------------------------------------

function print(packet: Packet, version: Version): string {
  const properties = printProperties(packet as { properties?: object }, '')
  const fields = [packet.cmd.toUpperCase(), ...printFields(packet, version), ...properties]
  // The payload stands last, where the eye looks for it.
  if (packet.cmd === 'publish') fields.push(JSON.stringify(packet.payload.toString()))
  return fields.join(' ')
}

function printFields(packet: Packet, version: Version): string[] {
  switch (packet.cmd) {
    case 'connect':
      return printConnect(packet)
    case 'connack':
      return [`code=${code(version === 5 ? packet.reasonCode : packet.returnCode)}`, `sessionPresent=${packet.sessionPresent}`]
    case 'publish':
      return [
        `topic=${wordOf(packet.topic)}`,
        ...(packet.qos > 0 ? [`qos=${packet.qos}`, `id=${packet.messageId}`] : []),
        ...(packet.retain ? ['retain'] : []),
        ...(packet.dup ? ['dup'] : []),
      ]
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return [`id=${packet.messageId}`, ...(packet.reasonCode ? [`reason=${code(packet.reasonCode)}`] : [])]
    case 'subscribe':
      return [
        `id=${packet.messageId}`,
        ...packet.subscriptions.flatMap(({ topic, qos, nl, rap, rh }) => [
          `filter=${wordOf(topic)}`,
          `qos=${qos}`,
          ...(nl ? ['nl'] : []),
          ...(rap ? ['rap'] : []),
          ...(rh ? [`rh=${rh}`] : []),
        ]),
      ]
    case 'unsubscribe':
      return [`id=${packet.messageId}`, ...packet.unsubscriptions.map((filter) => `filter=${wordOf(filter)}`)]
    case 'suback':
    case 'unsuback': {
      const { granted } = packet as { granted?: readonly number[] }
      return [`id=${packet.messageId}`, ...(granted === undefined ? [] : [`codes=${granted.map(code).join(',')}`])]
    }
    case 'disconnect':
    case 'auth':
      return version === 5 ? [`reason=${code(packet.reasonCode)}`] : []
    default:
      return []
  }
}

function printConnect({ clientId, clean, keepalive, protocolVersion, username, password, will }: IConnectPacket): string[] {
  const version = Object.keys(NAMES).find((name) => NAMES[name] === protocolVersion)
  const fields = [`clientId=${wordOf(clientId)}`, `clean=${clean}`, `keepalive=${keepalive}`, `version=${version}`]
  if (username !== undefined) fields.push(`username=${wordOf(username)}`)
  if (password !== undefined) fields.push(`password=${wordOf(password.toString())}`)
  if (will === undefined) return fields
  fields.push(`will=${wordOf(will.topic)}`, `willQos=${will.qos}`, `willPayload=${wordOf(will.payload.toString())}`)
  if (will.retain) fields.push('willRetain')
  return [...fields, ...printProperties(will, 'will.')]
}

/** Small ones as numbers (a granted QoS, a 3.1.1 return code), the others as the standard writes them: `0x87`. */
function code(value: number | undefined): string {
  return value === undefined || value < 16 ? String(value ?? 0) : `0x${value.toString(16).padStart(2, '0')}`
}
