/** Reason codes, MQTT 5.0 section 2.4, and what they become for 3.x clients (3.1.1 section 3.2.2.3). */
import type { CloseReason, ConnectRefusal, Malformed, PublishOutcome, SubscribeOutcome } from '#sdk'

export const NO_MATCHING_SUBSCRIBERS = 0x10
export const NO_SUBSCRIPTION_EXISTED = 0x11
export const UNSPECIFIED = 0x80
export const MALFORMED_PACKET = 0x81
export const PROTOCOL_ERROR = 0x82
export const IMPLEMENTATION_SPECIFIC = 0x83
export const UNSUPPORTED_VERSION = 0x84
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
export const SHARED_UNSUPPORTED = 0x9e

/** CONNACK of a refused connect, 5.0. */
export const REFUSALS: Readonly<Record<ConnectRefusal, number>> = {
  'bad-credentials': BAD_USER_OR_PASSWORD,
  'not-authorized': NOT_AUTHORIZED,
  banned: BANNED,
  quota: QUOTA_EXCEEDED,
  unavailable: SERVER_UNAVAILABLE,
  'bad-client-id': CLIENT_ID_INVALID,
}

/** CONNACK return codes of 3.1 and 3.1.1. */
export const REFUSALS_V3: Readonly<Record<ConnectRefusal, number>> = {
  'bad-credentials': 4,
  'not-authorized': 5,
  banned: 5,
  quota: 3,
  unavailable: 3,
  'bad-client-id': 2,
}
export const UNSUPPORTED_VERSION_V3 = 1
export const CLIENT_ID_REJECTED_V3 = 2

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
    case 'receive-maximum':
      return RECEIVE_MAXIMUM_EXCEEDED
    case 'property-repeated':
    case 'property-value':
    case 'property-not-allowed':
    case 'response-topic':
    case 'second-connect':
    case 'unexpected-packet':
    case 'no-local-on-shared':
    case 'no-filters':
    case 'retain-handling':
    case 'session-expiry-raised':
      return PROTOCOL_ERROR
    default:
      return MALFORMED_PACKET
  }
}
