/** One packet of MQTT-SN 2.0 to one datagram. */
import { Writer } from '#bytes/writer'
import { frame, LONGEST_HEADER } from '../encode.ts'
import { encodeText } from '../text.ts'
import { PacketType } from './constants.ts'
import * as flag from './flags.ts'
import type { Authentication, Connack, Connect, Disconnect, Packet, Protection, Publish, Subscribe, TopicRef } from './packets.ts'

const NAMED = 3

const writer = new Writer(2048)

/** The short form of the length where it is enough. Throws a RangeError for what no length can say. */
export function encodePacket(packet: Packet): Uint8Array {
  writer.reset().fill(0, LONGEST_HEADER)
  writeBody(packet)
  return frame(writer, PacketType[packet.type])
}

/** Alias or name, where something follows it. */
function named({ topicKind, alias, topic }: TopicRef): Uint8Array {
  if (topicKind !== NAMED) {
    writer.u16(alias)
    return NOTHING
  }
  const name = encodeText(topic)
  writer.u16(name.length)
  return name
}

/** Alias or name, where nothing does. */
function last({ topicKind, alias, topic }: TopicRef): void {
  if (topicKind === NAMED) writer.put(encodeText(topic))
  else writer.u16(alias)
}

const NOTHING = new Uint8Array(0)

function bit(value: unknown, mask: number): number {
  return value === undefined || value === false ? 0 : mask
}

function writeAuth({ method, data }: Authentication): void {
  const name = encodeText(method)
  writer.u8(name.length).put(name).u16(data.length).put(data)
}

function writeConnect(connect: Connect): void {
  const { will, auth, awakeMessages, sessionExpiry } = connect
  writer.u8(
    bit(connect.cleanStart, flag.CLEAN_START) |
      bit(will, flag.WITH_WILL) |
      bit(auth, flag.WITH_AUTH) |
      bit(sessionExpiry, flag.WITH_EXPIRY) |
      bit(awakeMessages, flag.WITH_AWAKE_MESSAGES) |
      bit(connect.allowAddressChange, flag.ALLOW_ADDRESS_CHANGE) |
      bit(connect.allowServerValues, flag.ALLOW_SERVER_VALUES),
  )
  if (will !== undefined) writer.u8(will.topicKind | (will.qos << flag.WILL_QOS_SHIFT) | bit(will.retain, flag.WILL_RETAIN))
  writer.u16(connect.packetId).u8(connect.protocolVersion).u16(connect.keepAlive).u16(connect.maxPacketSize)
  if (awakeMessages !== undefined) writer.u8(awakeMessages)
  if (sessionExpiry !== undefined) writer.u32(sessionExpiry)
  if (will !== undefined) writer.put(named(will)).u16(will.payload.length).put(will.payload)
  if (auth !== undefined) writeAuth(auth)
  writer.put(encodeText(connect.clientId))
}

function writeConnack(connack: Connack): void {
  const { sessionExpiry, keepAlive, auth } = connack
  writer.u8(
    bit(connack.sessionPresent, flag.SESSION_PRESENT) |
      bit(sessionExpiry, flag.ACK_EXPIRY) |
      bit(keepAlive, flag.ACK_KEEP_ALIVE) |
      bit(auth, flag.ACK_AUTH),
  )
  writer.u16(connack.packetId).u8(connack.reason)
  if (sessionExpiry !== undefined) writer.u32(sessionExpiry)
  if (keepAlive !== undefined) writer.u16(keepAlive)
  if (auth !== undefined) writeAuth(auth)
  writer.put(encodeText(connack.clientId))
}

function writePublish(publish: Publish): void {
  const { qos, topicKind } = publish
  writer.u8(bit(publish.dup, flag.DUP) | (qos << flag.QOS_SHIFT) | bit(publish.retain, flag.RETAIN) | topicKind)
  if (qos > 0) writer.u16(publish.packetId)
  writer.put(named(publish)).put(publish.payload)
}

function writeSubscribe(subscribe: Subscribe): void {
  writer.u8(
    bit(subscribe.noLocal, flag.NO_LOCAL) |
      (subscribe.qos << flag.QOS_SHIFT) |
      bit(subscribe.retainAsPublished, flag.RETAIN_AS_PUBLISHED) |
      (subscribe.retainHandling << flag.RETAIN_HANDLING_SHIFT) |
      subscribe.topicKind,
  )
  writer.u16(subscribe.packetId)
  last(subscribe)
}

function writeDisconnect({ packetId, sessionExpiry, reason, reasonString }: Disconnect): void {
  writer.u8(bit(packetId, flag.BYE_PACKET_ID) | bit(sessionExpiry, flag.BYE_EXPIRY) | bit(reason, flag.BYE_REASON))
  if (packetId !== undefined) writer.u16(packetId)
  if (reason !== undefined) writer.u8(reason)
  if (sessionExpiry !== undefined) writer.u32(sessionExpiry)
  writer.put(encodeText(reasonString))
}

function writeProtection(protection: Protection): void {
  writer.put(protectionHeader(protection)).put(protection.sealed)
}

/** The octets from the flags to the counter: those that follow the packet's type and come before what is protected. */
export function protectionHeader(protection: Omit<Protection, 'type' | 'sealed'>): Uint8Array {
  const { counter, keyMaterial, tagLength, scheme, senderId, random } = protection
  const bits =
    flag.COUNTER_LENGTHS.indexOf(counter.length as 0) |
    (flag.KEY_MATERIAL_LENGTHS.indexOf(keyMaterial.length as 0) << flag.KEY_MATERIAL_SHIFT) |
    (tagLength << flag.TAG_LENGTH_SHIFT)
  return Uint8Array.of(bits, scheme, ...senderId, ...random, ...keyMaterial, ...counter)
}

function writeReason(reason: number): void {
  if (reason !== 0) writer.u8(reason)
}

function writeBody(packet: Packet): void {
  switch (packet.type) {
    case 'connect':
      return writeConnect(packet)
    case 'connack':
      return writeConnack(packet)
    case 'auth': {
      const method = encodeText(packet.method)
      writer.u16(packet.packetId).u8(packet.reason).u8(method.length).put(method).put(packet.data)
      return
    }
    case 'register':
      writer.u8(bit(packet.alias, flag.REGISTER_ALIAS)).u16(packet.packetId)
      if (packet.alias !== undefined) writer.u16(packet.alias)
      writer.put(encodeText(packet.topic))
      return
    case 'regack':
    case 'suback':
      writer.u8(packet.topicKind | bit(packet.alias, flag.ACK_ALIAS)).u16(packet.packetId)
      if (packet.alias !== undefined) writer.u16(packet.alias)
      return writeReason(packet.reason)
    case 'publish':
      return writePublish(packet)
    case 'pubwos':
      writer.u8(bit(packet.retain, flag.RETAIN) | packet.topicKind)
      writer.put(named(packet)).put(packet.payload)
      return
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
    case 'unsuback':
      writer.u16(packet.packetId)
      return writeReason(packet.reason)
    case 'subscribe':
      return writeSubscribe(packet)
    case 'unsubscribe':
      writer.u8(packet.topicKind).u16(packet.packetId)
      return last(packet)
    case 'pingreq':
      writer.u16(packet.packetId)
      return
    case 'pingresp':
      writer.u16(packet.packetId)
      if (packet.remaining !== undefined) writer.u8(packet.remaining)
      return
    case 'disconnect':
      return writeDisconnect(packet)
    case 'sleepreq':
      writer.u8(bit(packet.retainAliases, flag.RETAIN_ALIASES)).u16(packet.packetId).u32(packet.duration)
      return
    case 'sleepresp':
      writer.u8(bit(packet.duration, flag.WITH_DURATION)).u16(packet.packetId)
      if (packet.duration !== undefined) writer.u32(packet.duration)
      return writeReason(packet.reason)
    case 'advertise':
      writer.u8(packet.gatewayId).u16(packet.duration)
      return
    case 'searchgw':
      writer.put(packet.networkInfo)
      return
    case 'gwinfo':
      writer.u8(packet.gatewayId).put(packet.address)
      return
    case 'forwarder':
      writer.u8(packet.address.length).put(packet.address).put(packet.packet)
      return
    case 'connection': {
      const clientId = encodeText(packet.clientId)
      writer.u16(clientId.length).put(clientId).put(packet.packet)
      return
    }
    case 'protection':
      return writeProtection(packet)
    case 'wakeup':
      return
  }
}
