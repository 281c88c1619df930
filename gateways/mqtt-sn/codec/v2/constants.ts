/**
 * The numbers of MQTT-SN 2.0, all in one place: it is a committee draft, and they move. Values are those of the working
 * draft of 14 August 2026 (towards Committee Specification Draft 01).
 */

/** The octet of each packet type; all others are forbidden. */
export const PacketType = {
  connect: 0x01,
  connack: 0x02,
  publish: 0x03,
  puback: 0x04,
  pubrec: 0x05,
  pubrel: 0x06,
  pubcomp: 0x07,
  subscribe: 0x08,
  suback: 0x09,
  unsubscribe: 0x0a,
  unsuback: 0x0b,
  pingreq: 0x0c,
  pingresp: 0x0d,
  disconnect: 0x0e,
  auth: 0x0f,
  register: 0x10,
  regack: 0x11,
  pubwos: 0x12,
  sleepreq: 0x13,
  sleepresp: 0x14,
  wakeup: 0x15,
  advertise: 0x16,
  searchgw: 0x17,
  gwinfo: 0x18,
  forwarder: 0xfc,
  connection: 0xfe,
  protection: 0xff,
} as const

/** Of the CONNECT packet. */
export const PROTOCOL_VERSION = 0x02

/** What names a topic (2 bits); 2 is reserved. */
export const TopicKind = { session: 0, predefined: 1, name: 3 } as const
export type TopicKindBits = 0 | 1 | 3

/** CONNECT without session expiry ends with its connection; this one never ends. */
export const NEVER_EXPIRES_S = 0xffffffff
/** The smallest packet size that a client may insist on, besides 0 for any. */
export const SMALLEST_MAX_PACKET = 10
/** PINGRESP: there is more, and how much is not said. */
export const SOME_REMAIN = 255

/** Retransmission: the first wait, then from one second on twice as long each time. */
export const FIRST_RETRY_MS = 5_000
export const BACKOFF_MS = 1_000
export const MAX_BACKOFF_MS = 60_000

/** The only authentication method that needs no second packet. */
export const BASIC_METHOD = 'MQTT-BASIC'

/** Those of MQTT 5.0, and 0xe6 to 0xf4 of its own. */
export const Reason = {
  success: 0x00,
  disconnectWithWill: 0x04,
  noSubscriptionExisted: 0x11,
  continueAuthentication: 0x18,
  reauthenticate: 0x19,
  topicAliasExists: 0x1a,
  unspecified: 0x80,
  protocolError: 0x82,
  unsupportedVersion: 0x84,
  clientIdInvalid: 0x85,
  badCredentials: 0x86,
  notAuthorized: 0x87,
  serverUnavailable: 0x88,
  banned: 0x8a,
  shuttingDown: 0x8b,
  badAuthenticationMethod: 0x8c,
  keepAliveTimeout: 0x8d,
  sessionTakenOver: 0x8e,
  filterInvalid: 0x8f,
  topicNameInvalid: 0x90,
  packetIdNotFound: 0x92,
  receiveMaximumExceeded: 0x93,
  quotaExceeded: 0x97,
  administrative: 0x98,
  sharedUnsupported: 0x9e,
  protectionOnly: 0xe6,
  schemeInvalid: 0xe7,
  unknownSender: 0xe8,
  unknownAlias: 0xf0,
  congestion: 0xf1,
  protectionUnsupported: 0xf2,
  forwarderUnsupported: 0xf3,
  noConnection: 0xf4,
} as const

/** From here on a reason is a failure. */
const FIRST_FAILURE = 0x80

export function isFailure(reason: number): boolean {
  return reason >= FIRST_FAILURE
}
