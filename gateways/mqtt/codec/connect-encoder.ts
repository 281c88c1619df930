/**
 * CONNECT as octets (MQTT 5.0 section 3.1, 3.1.1 likewise), for tools and tests. mqtt-packet refuses some that the
 * standard allows or that a broker has to refuse itself: a password alone, an empty client identifier with clean session 0.
 */
import type { IConnectPacket } from 'mqtt-packet'
import { Writer } from '#bytes/writer'
import { typeOf } from './property-table.ts'

const CONNECT = 0x10
const BRIDGE_BIT = 0x80

/** Identifiers of the properties of CONNECT and its will, by the names of mqtt-packet. */
const PROPERTIES: Readonly<Record<string, number>> = {
  payloadFormatIndicator: 1,
  messageExpiryInterval: 2,
  contentType: 3,
  responseTopic: 8,
  correlationData: 9,
  sessionExpiryInterval: 17,
  authenticationMethod: 21,
  authenticationData: 22,
  requestProblemInformation: 23,
  willDelayInterval: 24,
  requestResponseInformation: 25,
  receiveMaximum: 33,
  topicAliasMaximum: 34,
  userProperties: 38,
  maximumPacketSize: 39,
}

export function encodeConnect(packet: IConnectPacket): Uint8Array {
  const { protocolVersion = 4, clientId, clean, keepalive = 0, will, username, password } = packet
  const v5 = protocolVersion === 5
  const body = new Writer()
  putBytes(body, packet.protocolId ?? 'MQTT')
  body.u8(protocolVersion | ('bridgeMode' in packet && packet.bridgeMode ? BRIDGE_BIT : 0))
  body.u8(
    (clean === false ? 0 : 0x02) |
      (will === undefined ? 0 : 0x04 | ((will.qos ?? 0) << 3) | (will.retain ? 0x20 : 0)) |
      (password === undefined ? 0 : 0x40) |
      (username === undefined ? 0 : 0x80),
  )
  body.u16(keepalive)
  if (v5) putProperties(body, packet.properties)
  putBytes(body, clientId)
  if (will !== undefined) {
    if (v5) putProperties(body, will.properties)
    putBytes(body, will.topic)
    putBytes(body, will.payload)
  }
  if (username !== undefined) putBytes(body, username)
  if (password !== undefined) putBytes(body, password)
  const whole = new Writer(body.length + 5)
  whole.u8(CONNECT)
  putVarint(whole, body.length)
  return whole.put(body.view()).finish()
}

/** In the order in which the object has them. */
function putProperties(writer: Writer, properties: object | undefined): void {
  const block = new Writer()
  for (const [name, value] of Object.entries(properties ?? {})) {
    const id = PROPERTIES[name]
    if (id === undefined) throw new RangeError(`no property of CONNECT is called ${name}`)
    putProperty(block, id, value)
  }
  putVarint(writer, block.length)
  writer.put(block.view())
}

function putProperty(block: Writer, id: number, value: unknown): void {
  switch (typeOf(id)) {
    case 'pair':
      for (const [key, each] of Object.entries(value as Record<string, string | readonly string[]>)) {
        for (const one of [each].flat()) {
          block.u8(id)
          putBytes(block, key)
          putBytes(block, one)
        }
      }
      return
    case 'flag':
      block.u8(id).u8(value === true ? 1 : 0)
      return
    case 'u32':
    case 'u32-not-0':
      block.u8(id).u32(value as number)
      return
    case 'u16':
    case 'u16-not-0':
      block.u8(id).u16(value as number)
      return
    default:
      block.u8(id)
      putBytes(block, value as string | Uint8Array)
  }
}

function putBytes(writer: Writer, value: string | Uint8Array): void {
  const bytes = Buffer.from(value)
  writer.u16(bytes.length).put(bytes)
}

function putVarint(writer: Writer, value: number): void {
  let rest = value
  do {
    writer.u8((rest & 127) | (rest > 127 ? 128 : 0))
    rest >>>= 7
  } while (rest > 0)
}
