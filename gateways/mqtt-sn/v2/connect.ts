/** What a CONNECT of MQTT-SN 2.0 asks for, and what is wrong with it. */
import { Reader } from '#bytes/reader'
import { type CloseReason, type ConnectRefusal, type ConnectRequest, isTopicName, Message } from '#sdk'
import { TopicKind } from '../codec/v2/constants.ts'
import {
  type Authentication,
  BASIC_METHOD,
  NEVER_EXPIRES_S,
  type PacketOf,
  PROTOCOL_VERSION,
  Reason,
  SMALLEST_MAX_PACKET,
} from '../codec/v2/index.ts'
import type { Shared } from '../shared.ts'

const SECOND_MS = 1000

/** The reason of the refusal; undefined when there is none. */
export function faultOf(connect: PacketOf<'connect'>, { config, predefined }: Shared): number | undefined {
  const { clientId, will, auth, maxPacketSize } = connect
  if (connect.protocolVersion !== PROTOCOL_VERSION) return Reason.unsupportedVersion
  if (connect.keepAlive === 0 || (maxPacketSize > 0 && maxPacketSize < SMALLEST_MAX_PACKET)) return Reason.protocolError
  if (clientId.length > config.maxClientIdLength) return Reason.clientIdInvalid
  if (auth?.method === BASIC_METHOD && credentialsOf(auth) === undefined) return Reason.badCredentials
  if (will === undefined) return undefined
  // There is no session yet whose alias it could be.
  if (will.topicKind === TopicKind.session) return Reason.unknownAlias
  if (will.topicKind === TopicKind.predefined) {
    return predefined.name(will.alias, clientId) === undefined ? Reason.unknownAlias : undefined
  }
  return isTopicName(will.topic) ? undefined : Reason.topicNameInvalid
}

/** Of a CONNECT without a fault. */
export function requestOf(connect: PacketOf<'connect'>, shared: Shared): ConnectRequest {
  const { clientId, will, auth } = connect
  const topic = will?.topicKind === TopicKind.predefined ? shared.predefined.name(will.alias, clientId) : will?.topic
  return {
    clientId,
    protocol: 'mqtt-sn',
    version: '2.0',
    ...(auth !== undefined && proofOf(auth)),
    cleanStart: connect.cleanStart,
    expiryMs: expiryOf(connect.sessionExpiry),
    keepAliveMs: connect.keepAlive * SECOND_MS,
    ...(will !== undefined && {
      will: { message: new Message(topic ?? '', will.payload.slice(), will.qos, will.retain), delayMs: 0 },
    }),
    // One request at a time in either direction; a message without acknowledgement takes its turn, too.
    receiveMaximum: 1,
    trackQos0: true,
  }
}

/** Seconds, absent is 0, to milliseconds. */
export function expiryOf(seconds: number | undefined): number {
  return seconds === NEVER_EXPIRES_S ? Number.POSITIVE_INFINITY : (seconds ?? 0) * SECOND_MS
}

function proofOf(auth: Authentication): Pick<ConnectRequest, 'username' | 'password' | 'authentication'> | undefined {
  if (auth.method === BASIC_METHOD) return credentialsOf(auth)
  return { authentication: { method: auth.method, data: new Uint8Array(auth.data) } }
}

/** User name and password of the basic method, each with its length; undefined: the data is something else. */
function credentialsOf({ data }: Authentication): { username: string; password: Uint8Array } | undefined {
  const reader = new Reader(data)
  const username = reader.take(reader.u16())
  const password = new Uint8Array(reader.take(reader.u16()))
  if (!reader.ok || reader.remaining > 0) return undefined
  return { username: new TextDecoder().decode(username), password }
}

export function refusalReason(refusal: ConnectRefusal): number {
  switch (refusal) {
    case 'bad-credentials':
      return Reason.badCredentials
    case 'not-authorized':
      return Reason.notAuthorized
    case 'banned':
      return Reason.banned
    case 'quota':
      return Reason.quotaExceeded
    case 'unavailable':
      return Reason.serverUnavailable
    case 'bad-client-id':
      return Reason.clientIdInvalid
    case 'unknown-method':
      return Reason.badAuthenticationMethod
  }
}

/** An answer to CONNECT. */
export function connackOf(packetId: number, reason: number, more: Partial<PacketOf<'connack'>> = {}): PacketOf<'connack'> {
  const rest = { sessionPresent: false, sessionExpiry: undefined, keepAlive: undefined, auth: undefined, clientId: '' }
  return { type: 'connack', packetId, reason, ...rest, ...more }
}

/** A goodbye; undefined is a normal one. With a packet id it answers the client's. */
export function disconnectOf(reason: number | undefined, packetId?: number): PacketOf<'disconnect'> {
  return { type: 'disconnect', packetId, sessionExpiry: undefined, reason, reasonString: '' }
}

/** What DISCONNECT says of the end; undefined: nobody would hear it, or it has been said. */
export function goodbyeReason(reason: CloseReason): number | undefined {
  switch (reason) {
    case 'disconnected':
    case 'connection-lost':
    case 'connect-timeout':
    case 'idle':
    case 'not-authorized':
    case 'protocol-error':
      return undefined
    case 'keepalive-timeout':
      return Reason.keepAliveTimeout
    case 'taken-over':
      return Reason.sessionTakenOver
    case 'kicked':
      return Reason.administrative
    case 'shutdown':
      return Reason.shuttingDown
    default:
      return Reason.unspecified
  }
}
