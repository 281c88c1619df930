/** The messages of MQTT-SN 1.2 as values, one shape for each message type (section 5.4). */

/** The octet of each message type (5.2.2, table 3); 0x03, 0x11, 0x19, 0x1e to 0xfd and 0xff are reserved. */
export const MessageType = {
  advertise: 0x00,
  searchgw: 0x01,
  gwinfo: 0x02,
  connect: 0x04,
  connack: 0x05,
  willtopicreq: 0x06,
  willtopic: 0x07,
  willmsgreq: 0x08,
  willmsg: 0x09,
  register: 0x0a,
  regack: 0x0b,
  publish: 0x0c,
  puback: 0x0d,
  pubcomp: 0x0e,
  pubrec: 0x0f,
  pubrel: 0x10,
  subscribe: 0x12,
  suback: 0x13,
  unsubscribe: 0x14,
  unsuback: 0x15,
  pingreq: 0x16,
  pingresp: 0x17,
  disconnect: 0x18,
  willtopicupd: 0x1a,
  willtopicresp: 0x1b,
  willmsgupd: 0x1c,
  willmsgresp: 0x1d,
  forwarder: 0xfe,
} as const

/** 5.3.10, table 5; 0x04 and above are reserved. */
export const ReturnCode = { accepted: 0, congestion: 1, invalidTopicId: 2, notSupported: 3 } as const

/** What a topic id field holds (5.3.4); 3 is reserved. */
export const TopicType = { normal: 0, predefined: 1, short: 2 } as const

/** The two bits of the flags: 3 is reserved, and is answered where the message has an answer. */
export type TopicTypeBits = 0 | 1 | 2 | 3

/** -1 is a publish without a connection. */
export type PublishQos = -1 | 0 | 1 | 2

export interface Advertise {
  readonly type: 'advertise'
  readonly gatewayId: number
  /** Seconds until the next one. */
  readonly duration: number
}

export interface Searchgw {
  readonly type: 'searchgw'
  /** Hops; 0 is the whole network. */
  readonly radius: number
}

export interface Gwinfo {
  readonly type: 'gwinfo'
  readonly gatewayId: number
  /** Only when a client answers for a gateway; else empty. */
  readonly address: Uint8Array
}

export interface Connect {
  readonly type: 'connect'
  readonly will: boolean
  readonly cleanSession: boolean
  /** 0x01 in this version. */
  readonly protocolId: number
  /** Keep-alive, seconds. */
  readonly duration: number
  readonly clientId: string
}

export interface Connack {
  readonly type: 'connack'
  readonly returnCode: number
}

/** Messages without a body. */
export interface Willtopicreq {
  readonly type: 'willtopicreq'
}
export interface Willmsgreq {
  readonly type: 'willmsgreq'
}
export interface Pingresp {
  readonly type: 'pingresp'
}

/** An undefined topic is the empty message, which deletes the will; `qos` and `retain` are then 0 and false. */
export interface Willtopic {
  readonly type: 'willtopic' | 'willtopicupd'
  readonly qos: PublishQos
  readonly retain: boolean
  readonly topic: string | undefined
}

export interface Willmsg {
  readonly type: 'willmsg' | 'willmsgupd'
  readonly payload: Uint8Array
}

export interface Willresp {
  readonly type: 'willtopicresp' | 'willmsgresp'
  readonly returnCode: number
}

export interface Register {
  readonly type: 'register'
  /** 0 from a client. */
  readonly topicId: number
  readonly messageId: number
  readonly topic: string
}

export interface Acknowledgement {
  readonly type: 'regack' | 'puback'
  readonly topicId: number
  readonly messageId: number
  readonly returnCode: number
}

export interface Publish {
  readonly type: 'publish'
  readonly dup: boolean
  readonly qos: PublishQos
  readonly retain: boolean
  readonly topicType: TopicTypeBits
  /** As on the wire: an id, or the two octets of a short name. */
  readonly topicId: number
  /** 0 with QoS 0 and -1. */
  readonly messageId: number
  readonly payload: Uint8Array
}

/** The second half of QoS 2, and what ends an UNSUBSCRIBE. */
export interface MessageIdOnly {
  readonly type: 'pubrec' | 'pubrel' | 'pubcomp' | 'unsuback'
  readonly messageId: number
}

export interface Subscribe {
  readonly type: 'subscribe'
  readonly dup: boolean
  readonly qos: PublishQos
  readonly topicType: TopicTypeBits
  readonly messageId: number
  /** A filter, or a short name; empty with a predefined id. */
  readonly topic: string
  /** 0 with a name. */
  readonly topicId: number
}

export interface Suback {
  readonly type: 'suback'
  readonly qos: PublishQos
  readonly topicId: number
  readonly messageId: number
  readonly returnCode: number
}

export interface Unsubscribe {
  readonly type: 'unsubscribe'
  readonly topicType: TopicTypeBits
  readonly messageId: number
  readonly topic: string
  readonly topicId: number
}

export interface Pingreq {
  readonly type: 'pingreq'
  /** Empty from an active client; a sleeping one says who it is. */
  readonly clientId: string
}

export interface Disconnect {
  readonly type: 'disconnect'
  /** Seconds of sleep; undefined ends the connection. */
  readonly duration: number | undefined
}

/** A message that a forwarder passes on for one of its nodes (5.4.20). */
export interface Forwarder {
  readonly type: 'forwarder'
  /** Broadcast radius, 0 to 3. */
  readonly radius: number
  readonly nodeId: Uint8Array
  /** The whole message, with its own length. */
  readonly message: Uint8Array
}

export type Message =
  | Advertise
  | Searchgw
  | Gwinfo
  | Connect
  | Connack
  | Willtopicreq
  | Willtopic
  | Willmsgreq
  | Willmsg
  | Willresp
  | Register
  | Acknowledgement
  | Publish
  | MessageIdOnly
  | Subscribe
  | Suback
  | Unsubscribe
  | Pingreq
  | Pingresp
  | Disconnect
  | Forwarder

/** The message of one type, in the shape that it may share with others. */
export type Of<T extends Message['type']> = OneOf<Message, T>

type OneOf<M extends Message, T> = M extends { readonly type: infer Types } ? (T extends Types ? M : never) : never
