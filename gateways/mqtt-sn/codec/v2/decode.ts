/** One datagram to one packet of MQTT-SN 2.0. Never throws: what is wrong becomes a `Malformed` value. */
import { Reader } from '#bytes/reader'
import { type Malformed, malformed, type QoS } from '#sdk'
import { LONG_LENGTH } from '../decode.ts'
import { decodeText } from '../text.ts'
import { PacketType, type TopicKindBits } from './constants.ts'
import * as flag from './flags.ts'
import type { Acknowledgement, Authentication, Packet, Regack, TopicRef, Will } from './packets.ts'

const SHORTEST = 2
const SHORTEST_LONG = 4
const RESERVED_TOPIC_KIND = 2
const NAMED = 3
const SENDER_ID = 8
const RANDOM = 4

/** Undefined: the body does not fit its type. */
type ReadBody = (body: Reader) => Packet | undefined

/** A datagram that holds exactly one packet. */
export function decodePacket(datagram: Uint8Array): Packet | Malformed {
  const size = datagram.length
  if (size < SHORTEST) return malformed('truncated', size)
  const long = datagram[0] === LONG_LENGTH
  if (long && size < SHORTEST_LONG) return malformed('truncated', size)
  const length = long ? ((datagram[1] as number) << 8) | (datagram[2] as number) : (datagram[0] as number)
  const header = long ? SHORTEST_LONG : SHORTEST
  if (length < header) return malformed('bad-length')
  if (length > size) return malformed('truncated', size)
  if (length < size) return malformed('trailing-octets', length)
  const read = READERS.get(datagram[header - 1] as number)
  if (read === undefined) return malformed('reserved-type', header - 1)
  const body = new Reader(datagram, header)
  const packet = read(body)
  return packet === undefined || !body.ok ? malformed('bad-body', body.offset) : packet
}

/** The type of a whole packet, without a look at the rest; undefined when it has none. */
export function packetType(packet: Uint8Array): number | undefined {
  return packet[packet[0] === LONG_LENGTH ? SHORTEST_LONG - 1 : SHORTEST - 1]
}

function ended<P extends Packet>(body: Reader, packet: P): P | undefined {
  return body.remaining === 0 ? packet : undefined
}

/** Bits that this packet does not use must be 0. */
function flags(body: Reader, allowed: number): number {
  const value = body.u8()
  if ((value & ~allowed) !== 0) body.fail()
  return value
}

function text(body: Reader, octets: Uint8Array): string {
  const value = decodeText(octets)
  if (value === undefined) body.fail()
  return value ?? ''
}

function kindOf(body: Reader, bits: number): TopicKindBits {
  const kind = bits & flag.TWO_BITS
  if (kind === RESERVED_TOPIC_KIND) body.fail()
  return kind as TopicKindBits
}

function qosOf(body: Reader, bits: number): QoS {
  const qos = bits & flag.TWO_BITS
  if (qos === flag.TWO_BITS) body.fail()
  return qos as QoS
}

/** An alias, or the length of a name that stands before what follows. */
function readNamed(body: Reader, topicKind: TopicKindBits): TopicRef & { readonly named: number } {
  const value = body.u16()
  return { topicKind, alias: topicKind === NAMED ? 0 : value, topic: '', named: topicKind === NAMED ? value : 0 }
}

function finishNamed(body: Reader, { named, ...ref }: TopicRef & { readonly named: number }): TopicRef {
  if (ref.topicKind !== NAMED) return ref
  return { ...ref, topic: text(body, body.take(named)) }
}

/** An alias, or a name that runs to the end. */
function readLast(body: Reader, topicKind: TopicKindBits): TopicRef {
  if (topicKind === NAMED) return { topicKind, alias: 0, topic: text(body, body.rest()) }
  const alias = body.u16()
  if (body.remaining > 0) body.fail()
  return { topicKind, alias, topic: '' }
}

function readWill(body: Reader, bits: number): Will {
  if (bits >> 5 !== 0) body.fail()
  const topic = finishNamed(body, readNamed(body, kindOf(body, bits)))
  const retain = (bits & flag.WILL_RETAIN) !== 0
  return { ...topic, qos: qosOf(body, bits >> flag.WILL_QOS_SHIFT), retain, payload: body.take(body.u16()) }
}

function readAuth(body: Reader): Authentication {
  return { method: text(body, body.take(body.u8())), data: body.take(body.u16()) }
}

function readConnect(body: Reader): Packet {
  const bits = flags(body, 0x7f)
  const has = (bit: number): boolean => (bits & bit) !== 0
  const willBits = has(flag.WITH_WILL) ? body.u8() : 0
  return {
    type: 'connect',
    cleanStart: has(flag.CLEAN_START),
    allowAddressChange: has(flag.ALLOW_ADDRESS_CHANGE),
    allowServerValues: has(flag.ALLOW_SERVER_VALUES),
    packetId: body.u16(),
    protocolVersion: body.u8(),
    keepAlive: body.u16(),
    maxPacketSize: body.u16(),
    awakeMessages: has(flag.WITH_AWAKE_MESSAGES) ? body.u8() : undefined,
    sessionExpiry: has(flag.WITH_EXPIRY) ? body.u32() : undefined,
    will: has(flag.WITH_WILL) ? readWill(body, willBits) : undefined,
    auth: has(flag.WITH_AUTH) ? readAuth(body) : undefined,
    clientId: text(body, body.rest()),
  }
}

function readConnack(body: Reader): Packet {
  const bits = flags(body, 0x0f)
  const has = (bit: number): boolean => (bits & bit) !== 0
  return {
    type: 'connack',
    sessionPresent: has(flag.SESSION_PRESENT),
    packetId: body.u16(),
    reason: body.u8(),
    sessionExpiry: has(flag.ACK_EXPIRY) ? body.u32() : undefined,
    keepAlive: has(flag.ACK_KEEP_ALIVE) ? body.u16() : undefined,
    auth: has(flag.ACK_AUTH) ? readAuth(body) : undefined,
    clientId: text(body, body.rest()),
  }
}

function readAuthPacket(body: Reader): Packet {
  const packetId = body.u16()
  const reason = body.u8()
  return { type: 'auth', packetId, reason, method: text(body, body.take(body.u8())), data: body.rest() }
}

function readPublish(body: Reader): Packet {
  const bits = flags(body, 0xf3)
  const qos = qosOf(body, bits >> flag.QOS_SHIFT)
  const dup = (bits & flag.DUP) !== 0
  // Only QoS 2 knows duplicates.
  if (dup && qos !== 2) body.fail()
  const packetId = qos > 0 ? body.u16() : 0
  const topic = finishNamed(body, readNamed(body, kindOf(body, bits)))
  return { type: 'publish', dup, qos, retain: (bits & flag.RETAIN) !== 0, packetId, ...topic, payload: body.rest() }
}

function readPubwos(body: Reader): Packet {
  const bits = flags(body, 0x13)
  const topicKind = kindOf(body, bits)
  // There is no session whose alias it could be.
  if (topicKind === 0) body.fail()
  const topic = finishNamed(body, readNamed(body, topicKind))
  return { type: 'pubwos', retain: (bits & flag.RETAIN) !== 0, ...topic, payload: body.rest() }
}

function readAcknowledgement(type: Acknowledgement['type']): ReadBody {
  return (body) => ended(body, { type, packetId: body.u16(), reason: reasonOf(body) })
}

/** Left out when it is 0. */
function reasonOf(body: Reader): number {
  return body.remaining === 0 ? 0 : body.u8()
}

function readRegister(body: Reader): Packet {
  const bits = flags(body, flag.REGISTER_ALIAS)
  const packetId = body.u16()
  const alias = bits === 0 ? undefined : body.u16()
  return { type: 'register', packetId, alias, topic: text(body, body.rest()) }
}

function readRegack(type: Regack['type']): ReadBody {
  return (body) => {
    const bits = flags(body, 0x07)
    const topicKind = kindOf(body, bits)
    const packetId = body.u16()
    const alias = (bits & flag.ACK_ALIAS) === 0 ? undefined : body.u16()
    return ended(body, { type, packetId, topicKind, alias, reason: reasonOf(body) })
  }
}

function readSubscribe(body: Reader): Packet {
  const bits = body.u8()
  const retainHandling = (bits >> flag.RETAIN_HANDLING_SHIFT) & flag.TWO_BITS
  if (retainHandling > 2) body.fail()
  return {
    type: 'subscribe',
    noLocal: (bits & flag.NO_LOCAL) !== 0,
    qos: qosOf(body, bits >> flag.QOS_SHIFT),
    retainAsPublished: (bits & flag.RETAIN_AS_PUBLISHED) !== 0,
    retainHandling: retainHandling as 0 | 1 | 2,
    packetId: body.u16(),
    ...readLast(body, kindOf(body, bits)),
  }
}

function readUnsubscribe(body: Reader): Packet {
  const bits = flags(body, flag.TWO_BITS)
  const packetId = body.u16()
  return { type: 'unsubscribe', packetId, ...readLast(body, kindOf(body, bits)) }
}

function readDisconnect(body: Reader): Packet {
  // Nothing at all is the shortest goodbye.
  const bits = body.remaining === 0 ? 0 : flags(body, 0x07)
  return {
    type: 'disconnect',
    packetId: (bits & flag.BYE_PACKET_ID) === 0 ? undefined : body.u16(),
    // On the wire in the order of their sections, which is not that of their flags.
    reason: (bits & flag.BYE_REASON) === 0 ? undefined : body.u8(),
    sessionExpiry: (bits & flag.BYE_EXPIRY) === 0 ? undefined : body.u32(),
    reasonString: text(body, body.rest()),
  }
}

function readSleepreq(body: Reader): Packet | undefined {
  const retainAliases = flags(body, flag.RETAIN_ALIASES) !== 0
  return ended(body, { type: 'sleepreq', retainAliases, packetId: body.u16(), duration: body.u32() })
}

function readSleepresp(body: Reader): Packet | undefined {
  const bits = flags(body, flag.WITH_DURATION)
  const packetId = body.u16()
  const duration = bits === 0 ? undefined : body.u32()
  return ended(body, { type: 'sleepresp', packetId, duration, reason: reasonOf(body) })
}

/** What follows must be able to be a packet, and no forwarder's where that may not be. */
function inner(body: Reader, forbidden: readonly number[]): Uint8Array {
  const packet = body.rest()
  const type = packetType(packet)
  if (type === undefined || forbidden.includes(type)) body.fail()
  return packet
}

function readProtection(body: Reader): Packet | undefined {
  const bits = body.u8()
  const counterLength = flag.COUNTER_LENGTHS[bits & flag.TWO_BITS]
  if (counterLength === undefined) return undefined
  return {
    type: 'protection',
    tagLength: bits >> flag.TAG_LENGTH_SHIFT,
    scheme: body.u8(),
    senderId: body.take(SENDER_ID),
    random: body.take(RANDOM),
    keyMaterial: body.take(flag.KEY_MATERIAL_LENGTHS[(bits >> flag.KEY_MATERIAL_SHIFT) & flag.TWO_BITS] ?? 0),
    counter: body.take(counterLength),
    sealed: body.rest(),
  }
}

const READERS: ReadonlyMap<number, ReadBody> = new Map<number, ReadBody>([
  [PacketType.connect, readConnect],
  [PacketType.connack, readConnack],
  [PacketType.publish, readPublish],
  [PacketType.puback, readAcknowledgement('puback')],
  [PacketType.pubrec, readAcknowledgement('pubrec')],
  [PacketType.pubrel, readAcknowledgement('pubrel')],
  [PacketType.pubcomp, readAcknowledgement('pubcomp')],
  [PacketType.subscribe, readSubscribe],
  [PacketType.suback, readRegack('suback')],
  [PacketType.unsubscribe, readUnsubscribe],
  [PacketType.unsuback, readAcknowledgement('unsuback')],
  [PacketType.pingreq, (body) => ended(body, { type: 'pingreq', packetId: body.u16() })],
  [
    PacketType.pingresp,
    (body) => ended(body, { type: 'pingresp', packetId: body.u16(), remaining: body.remaining === 0 ? undefined : body.u8() }),
  ],
  [PacketType.disconnect, readDisconnect],
  [PacketType.auth, readAuthPacket],
  [PacketType.register, readRegister],
  [PacketType.regack, readRegack('regack')],
  [PacketType.pubwos, readPubwos],
  [PacketType.sleepreq, readSleepreq],
  [PacketType.sleepresp, readSleepresp],
  [PacketType.wakeup, (body) => ended(body, { type: 'wakeup' })],
  [PacketType.advertise, (body) => ended(body, { type: 'advertise', gatewayId: body.u8(), duration: body.u16() })],
  [PacketType.searchgw, (body) => ({ type: 'searchgw', networkInfo: body.rest() })],
  [PacketType.gwinfo, (body) => ({ type: 'gwinfo', gatewayId: body.u8(), address: body.rest() })],
  [
    PacketType.forwarder,
    (body) => ({ type: 'forwarder', address: body.take(body.u8()), packet: inner(body, [PacketType.forwarder]) }),
  ],
  [
    PacketType.connection,
    (body) => ({
      type: 'connection',
      clientId: text(body, body.take(body.u16())),
      packet: inner(body, [PacketType.forwarder, PacketType.connection, PacketType.protection]),
    }),
  ],
  [PacketType.protection, readProtection],
])
