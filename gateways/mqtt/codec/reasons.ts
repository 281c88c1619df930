/** Reason codes, MQTT 5.0 section 2.4, and what they become for 3.x clients (3.1.1 section 3.2.2.3). */
import type { CloseReason, ConnectRefusal, Malformed, PublishOutcome, SubscribeOutcome } from '#sdk'

export const NO_MATCHING_SUBSCRIBERS = 0x10
export const NO_SUBSCRIPTION_EXISTED = 0x11
export const CONTINUE_AUTHENTICATION = 0x18
export const REAUTHENTICATE = 0x19
export const UNSPECIFIED = 0x80
export const MALFORMED_PACKET = 0x81
export const PROTOCOL_ERROR = 0x82
export const IMPLEMENTATION_SPECIFIC = 0x83
export const UNSUPPORTED_LEVEL = 0x84
export const CLIENT_ID_INVALID = 0x85
export const BAD_USER_OR_PASSWORD = 0x86
export const NOT_AUTHORIZED = 0x87
export const SERVER_UNAVAILABLE = 0x88
export const BANNED = 0x8a
export const SHUTTING_DOWN = 0x8b
export const BAD_AUTHENTICATION_METHOD = 0x8c
export const KEEPALIVE_TIMEOUT = 0x8d
export const TAKEN_OVER = 0x8e
export const FILTER_INVALID = 0x8f
export const TOPIC_INVALID = 0x90
export const PACKET_ID_NOT_FOUND = 0x92
export const RECEIVE_MAXIMUM_EXCEEDED = 0x93
export const TOPIC_ALIAS_INVALID = 0x94
export const PACKET_TOO_LARGE = 0x95
export const RATE_TOO_HIGH = 0x96
export const QUOTA_EXCEEDED = 0x97
export const ADMINISTRATIVE = 0x98
export const RETAIN_UNSUPPORTED = 0x9a
export const QOS_UNSUPPORTED = 0x9b
export const USE_ANOTHER_SERVER = 0x9c
export const SERVER_MOVED = 0x9d
export const SHARED_UNSUPPORTED = 0x9e
export const SUBSCRIPTION_ID_UNSUPPORTED = 0xa1
export const WILDCARD_UNSUPPORTED = 0xa2

/** What PUBACK and PUBREC may say (sections 3.4.2.1 and 3.5.2.1). */
const PUBLISH_ANSWERS = new Set([0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99])
/** What DISCONNECT may say (section 3.14.2.1), and of that what only a server says. */
const DISCONNECTS = new Set([0, 4, ...range(0x80, 0x83), 0x87, 0x89, 0x8b, ...range(0x8d, 0x90), ...range(0x93, 0xa2)])
const SERVER_DISCONNECTS = new Set([0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, ...range(0x9a, 0xa2)])

/** [MQTT-3.4.2-1], [MQTT-3.5.2-1], [MQTT-3.6.2-1], [MQTT-3.7.2-1]; `type` is that of the packet, 4 to 7. */
export function isAcknowledgementReason(type: number, reason: number): boolean {
  return type < 6 ? PUBLISH_ANSWERS.has(reason) : reason === 0 || reason === PACKET_ID_NOT_FOUND
}

/** [MQTT-3.14.2-1] */
export function isDisconnectReason(reason: number): boolean {
  return DISCONNECTS.has(reason)
}

export function isServersDisconnectReason(reason: number): boolean {
  return SERVER_DISCONNECTS.has(reason)
}

/** [MQTT-3.15.2-1] */
export function isAuthReason(reason: number): boolean {
  return reason === 0 || reason === CONTINUE_AUTHENTICATION || reason === REAUTHENTICATE
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

/** CONNACK of a refused connect, 5.0. */
export const REFUSALS: Readonly<Record<ConnectRefusal, number>> = {
  'bad-credentials': BAD_USER_OR_PASSWORD,
  'not-authorized': NOT_AUTHORIZED,
  banned: BANNED,
  quota: QUOTA_EXCEEDED,
  unavailable: SERVER_UNAVAILABLE,
  'bad-client-id': CLIENT_ID_INVALID,
  'unknown-method': BAD_AUTHENTICATION_METHOD,
}

/** CONNACK return codes of 3.1 and 3.1.1. */
export const REFUSALS_V3: Readonly<Record<ConnectRefusal, number>> = {
  'bad-credentials': 4,
  'not-authorized': 5,
  banned: 5,
  quota: 3,
  unavailable: 3,
  'bad-client-id': 2,
  'unknown-method': 5,
}
export const UNSUPPORTED_LEVEL_V3 = 1

/** The return code of 3.1 and 3.1.1 for a reason of 5.0 that the gateway itself gives. */
export function refusalV3(reason: number): number {
  if (reason === CLIENT_ID_INVALID) return 2
  return reason === USE_ANOTHER_SERVER || reason === SERVER_MOVED ? 3 : 5
}

/** DISCONNECT that tells a 5.0 client why; undefined where nothing is sent. */
export const GOODBYES: Readonly<Partial<Record<CloseReason, number>>> = {
  'keepalive-timeout': KEEPALIVE_TIMEOUT,
  'taken-over': TAKEN_OVER,
  kicked: ADMINISTRATIVE,
  'protocol-error': PROTOCOL_ERROR,
  'too-large': PACKET_TOO_LARGE,
  'not-authorized': NOT_AUTHORIZED,
  congested: QUOTA_EXCEEDED,
  'rate-limited': RATE_TOO_HIGH,
  'session-fault': UNSPECIFIED,
  unavailable: IMPLEMENTATION_SPECIFIC,
  shutdown: SHUTTING_DOWN,
}

/** PUBACK and PUBREC. */
export function publishReason(outcome: PublishOutcome): number {
  switch (outcome) {
    case 'delivered':
      return 0
    case 'no-subscribers':
      return NO_MATCHING_SUBSCRIBERS
    case 'invalid-topic':
      return TOPIC_INVALID
    case 'quota':
      return QUOTA_EXCEEDED
    case 'unavailable':
      return IMPLEMENTATION_SPECIFIC
    case 'not-authorized':
    case 'not-connected':
      return NOT_AUTHORIZED
  }
}

/** SUBACK, 5.0; 3.1.1 knows the granted QoS and 0x80. */
export function subscribeReason(outcome: SubscribeOutcome): number {
  switch (outcome) {
    case 'not-authorized':
      return NOT_AUTHORIZED
    case 'invalid-filter':
      return FILTER_INVALID
    case 'quota':
      return QUOTA_EXCEEDED
    case 'shared-unsupported':
      return SHARED_UNSUPPORTED
    case 'unavailable':
      return IMPLEMENTATION_SPECIFIC
    default:
      return outcome
  }
}

/** DISCONNECT for what a client should not have sent: malformed (cannot be parsed) or a protocol error. */
export function malformedReason(error: Malformed): number {
  switch (error.malformed) {
    case 'packet-too-large':
      return PACKET_TOO_LARGE
    case 'topic-alias':
      return TOPIC_ALIAS_INVALID
    case 'topic-name':
      return TOPIC_INVALID
    case 'topic-filter':
      return FILTER_INVALID
    case 'receive-maximum':
      return RECEIVE_MAXIMUM_EXCEEDED
    case 'qos-unsupported':
      return QOS_UNSUPPORTED
    case 'retain-unsupported':
      return RETAIN_UNSUPPORTED
    case 'shared-unsupported':
      return SHARED_UNSUPPORTED
    case 'wildcard-unsupported':
      return WILDCARD_UNSUPPORTED
    case 'subscription-id-unsupported':
      return SUBSCRIPTION_ID_UNSUPPORTED
    case 'property-repeated':
    case 'property-value':
    case 'property-of-server':
    case 'reason-code':
    case 'response-topic':
    case 'topic-missing':
    case 'topic-alias-unknown':
    case 'authentication':
    case 'second-connect':
    case 'unexpected-packet':
    case 'no-local-on-shared':
    case 'no-filters':
    case 'retain-handling':
    case 'session-expiry-raised':
    case 'packet-identifier-0':
    case 'acknowledgement-out-of-turn':
      return PROTOCOL_ERROR
    default:
      return MALFORMED_PACKET
  }
}
