/** The packets of MQTT-SN 2.0 as values, one shape for each packet type. */
import type { QoS } from '#sdk'
import type { TopicKindBits } from './constants.ts'

/** By an alias of the session or a predefined one (`topic` is empty), or by name (`alias` is 0). */
export interface TopicRef {
  readonly topicKind: TopicKindBits
  readonly alias: number
  readonly topic: string
}

export interface Will extends TopicRef {
  readonly qos: QoS
  readonly retain: boolean
  readonly payload: Uint8Array
}

export interface Authentication {
  readonly method: string
  readonly data: Uint8Array
}

export interface Connect {
  readonly type: 'connect'
  readonly cleanStart: boolean
  /** The server may be reached from another address by connection encapsulation. */
  readonly allowAddressChange: boolean
  /** The server may answer with other values for keep-alive, session expiry and sleep. */
  readonly allowServerValues: boolean
  readonly packetId: number
  readonly protocolVersion: number
  /** Seconds, above 0. */
  readonly keepAlive: number
  /** 0 is no limit. */
  readonly maxPacketSize: number
  /** Messages for each time awake; undefined is all. */
  readonly awakeMessages: number | undefined
  /** Seconds; undefined ends the session with the connection. */
  readonly sessionExpiry: number | undefined
  readonly will: Will | undefined
  readonly auth: Authentication | undefined
  /** Empty asks the server for one. */
  readonly clientId: string
}

export interface Connack {
  readonly type: 'connack'
  readonly sessionPresent: boolean
  readonly packetId: number
  readonly reason: number
  readonly sessionExpiry: number | undefined
  readonly keepAlive: number | undefined
  readonly auth: Authentication | undefined
  /** The one that the server has assigned, else empty. */
  readonly clientId: string
}

export interface Auth extends Authentication {
  readonly type: 'auth'
  readonly packetId: number
  readonly reason: number
}

export interface Register {
  readonly type: 'register'
  readonly packetId: number
  /** From the server only. */
  readonly alias: number | undefined
  readonly topic: string
}

export interface Regack {
  readonly type: 'regack' | 'suback'
  readonly packetId: number
  readonly topicKind: TopicKindBits
  /** From the server only. */
  readonly alias: number | undefined
  readonly reason: number
}

export interface Publish extends TopicRef {
  readonly type: 'publish'
  readonly dup: boolean
  readonly qos: QoS
  readonly retain: boolean
  /** 0 with QoS 0. */
  readonly packetId: number
  readonly payload: Uint8Array
}

/** A publish without a session. */
export interface Pubwos extends TopicRef {
  readonly type: 'pubwos'
  readonly retain: boolean
  readonly payload: Uint8Array
}

export interface Acknowledgement {
  readonly type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp' | 'unsuback'
  readonly packetId: number
  readonly reason: number
}

export interface Subscribe extends TopicRef {
  readonly type: 'subscribe'
  readonly noLocal: boolean
  readonly qos: QoS
  readonly retainAsPublished: boolean
  readonly retainHandling: 0 | 1 | 2
  readonly packetId: number
}

export interface Unsubscribe extends TopicRef {
  readonly type: 'unsubscribe'
  readonly packetId: number
}

export interface Pingreq {
  readonly type: 'pingreq'
  readonly packetId: number
}

export interface Pingresp {
  readonly type: 'pingresp'
  readonly packetId: number
  /** Messages that wait still; 255 is some. */
  readonly remaining: number | undefined
}

export interface Disconnect {
  readonly type: 'disconnect'
  readonly packetId: number | undefined
  /** From the client only, seconds. */
  readonly sessionExpiry: number | undefined
  /** Undefined is a normal end. */
  readonly reason: number | undefined
  readonly reasonString: string
}

export interface Sleepreq {
  readonly type: 'sleepreq'
  readonly retainAliases: boolean
  readonly packetId: number
  /** Seconds, above 0. */
  readonly duration: number
}

export interface Sleepresp {
  readonly type: 'sleepresp'
  readonly packetId: number
  readonly duration: number | undefined
  readonly reason: number
}

export interface Wakeup {
  readonly type: 'wakeup'
}

export interface Advertise {
  readonly type: 'advertise'
  readonly gatewayId: number
  readonly duration: number
}

export interface Searchgw {
  readonly type: 'searchgw'
  readonly networkInfo: Uint8Array
}

export interface Gwinfo {
  readonly type: 'gwinfo'
  readonly gatewayId: number
  readonly address: Uint8Array
}

export interface Forwarder {
  readonly type: 'forwarder'
  readonly address: Uint8Array
  /** A whole packet. */
  readonly packet: Uint8Array
}

/** A packet of a client whose address has changed. */
export interface Connection {
  readonly type: 'connection'
  readonly clientId: string
  /** A whole packet. */
  readonly packet: Uint8Array
}

export interface Protection {
  readonly type: 'protection'
  readonly scheme: number
  /** As on the wire: 0 is the provider's, 1 nominal, 4 to 15 times 16 bits. */
  readonly tagLength: number
  /** Eight octets. */
  readonly senderId: Uint8Array
  /** Four octets. */
  readonly random: Uint8Array
  /** None, 2, 4 or 12 octets. */
  readonly keyMaterial: Uint8Array
  /** None, 2 or 4 octets, big-endian. */
  readonly counter: Uint8Array
  /** Protected packet and tag: which is which, the scheme knows. */
  readonly sealed: Uint8Array
}

export type Packet =
  | Connect
  | Connack
  | Auth
  | Register
  | Regack
  | Publish
  | Pubwos
  | Acknowledgement
  | Subscribe
  | Unsubscribe
  | Pingreq
  | Pingresp
  | Disconnect
  | Sleepreq
  | Sleepresp
  | Wakeup
  | Advertise
  | Searchgw
  | Gwinfo
  | Forwarder
  | Connection
  | Protection

/** The packet of one type, in the shape that it may share with others. */
export type PacketOf<T extends Packet['type']> = OneOf<Packet, T>

type OneOf<P extends Packet, T> = P extends { readonly type: infer Types } ? (T extends Types ? P : never) : never
