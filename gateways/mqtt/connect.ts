/** CONNECT in, CONNACK out (MQTT 5.0 sections 3.1 and 3.2, 3.1.1 likewise). */
import type { IConnackPacket, IConnectPacket } from 'mqtt-packet'
import type { ConnectOutcome, ConnectRequest, Malformed, QoS, Will } from '#sdk'
import { encodeClientId, isTopicName, Message, malformed } from '#sdk'
import type { Version } from './codec/control.ts'
import { encodeConnack, encodeWithin } from './codec/control.ts'
import {
  CLIENT_ID_INVALID,
  malformedReason,
  QOS_UNSUPPORTED,
  REFUSALS,
  REFUSALS_V3,
  RETAIN_UNSUPPORTED,
  refusalV3,
  SERVER_MOVED,
  UNSUPPORTED_LEVEL,
  UNSUPPORTED_LEVEL_V3,
  USE_ANOTHER_SERVER,
} from './codec/reasons.ts'
import { BRIDGE_BIT } from './codec/structure.ts'
import { decodeWillProperties } from './codec/will-properties.ts'
import type { Config } from './config.ts'

/** 5.0: the session never expires. */
const NEVER_EXPIRES = 0xffffffff
/** The protocol names with their lengths, and the levels under each. */
const NAMED: readonly (readonly [name: Buffer, levels: readonly number[]])[] = [
  [Buffer.from('\0\x04MQTT', 'latin1'), [4, 5]],
  [Buffer.from('\0\x06MQIsdp', 'latin1'), [3]],
]
/** Both end here at the latest: behind the first octet and four of the remaining length. */
const CONNECT_HEAD = 13
const NAMES: Readonly<Record<Version, string>> = { 3: '3.1', 4: '3.1.1', 5: '5.0' }

export interface Connect {
  readonly version: Version
  readonly request: ConnectRequest
  /** Milliseconds of silence that end the connection; 0 is never. */
  readonly silenceMs: number
  /** 5.0: the keep-alive that replaces the client's. */
  readonly serverKeepAlive: number | undefined
  /** 5.0: what the client may receive at most. */
  readonly maximumPacketSize: number
  /** 5.0: topics that the broker may shorten for it. */
  readonly topicAliases: number
  /** 5.0: acknowledgements may say in words why (section 3.1.2.11.7). */
  readonly wantsReasons: boolean
  /** 5.0: it asks for response information (section 3.1.2.11.6). */
  readonly wantsResponseInformation: boolean
  /** 5.0: the session expiry that replaces the client's, seconds. */
  readonly cappedExpiry: number | undefined
}

/** `frame` is the packet as it came. */
export function readConnect(packet: IConnectPacket, frame: Uint8Array, config: Config): Connect | Malformed {
  const version = (packet.protocolVersion ?? 4) as Version
  if (packet.username === undefined && packet.password !== undefined && version < 5)
    return malformed('password-without-user', 0, true) // [MQTT-3.1.2-22]
  const { properties } = packet
  if (properties?.authenticationMethod === undefined && properties?.authenticationData !== undefined)
    return malformed('authentication', 0, true) // section 3.1.2.11.10
  const will = readWill(packet, frame, version)
  if (will !== undefined && 'malformed' in will) return will
  const keepAlive = packet.keepalive ?? 0
  const longest = Math.min(65535, Math.floor(config.maxKeepAlive / 1000))
  const serverKeepAlive = version === 5 && longest > 0 && (keepAlive === 0 || keepAlive > longest) ? longest : undefined
  const keepAliveMs = (serverKeepAlive ?? keepAlive) * 1000
  const { expiryMs, cappedExpiry } = readExpiry(packet, version, config)
  return {
    version,
    silenceMs: keepAliveMs * config.keepAliveFactor,
    serverKeepAlive,
    maximumPacketSize: properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY,
    topicAliases: Math.min(properties?.topicAliasMaximum ?? 0, config.outgoingTopicAliases),
    wantsReasons: version === 5 && properties?.requestProblemInformation !== false,
    wantsResponseInformation: properties?.requestResponseInformation === true,
    cappedExpiry,
    request: {
      clientId: packet.clientId,
      protocol: 'mqtt',
      version: NAMES[version],
      cleanStart: packet.clean ?? false,
      expiryMs,
      keepAliveMs,
      receiveMaximum: properties?.receiveMaximum ?? 65535,
      ...(packet.username !== undefined && { username: packet.username }),
      ...(packet.password !== undefined && { password: packet.password }),
      ...(will !== undefined && { will }),
      ...readAuthentication(packet),
    },
  }
}

function readAuthentication({ properties }: IConnectPacket): Pick<ConnectRequest, 'authentication'> {
  if (properties?.authenticationMethod === undefined) return {}
  const { authenticationMethod: method, authenticationData: data } = properties
  return { authentication: { method, ...(data !== undefined && { data }) } }
}

function readExpiry(
  packet: IConnectPacket,
  version: Version,
  config: Config,
): { expiryMs: number; cappedExpiry: number | undefined } {
  if (version < 5) return { expiryMs: packet.clean ? 0 : config.sessionExpiry, cappedExpiry: undefined }
  const seconds = packet.properties?.sessionExpiryInterval ?? 0
  const asked = seconds === NEVER_EXPIRES ? Number.POSITIVE_INFINITY : seconds * 1000
  if (asked <= config.maxSessionExpiry) return { expiryMs: asked, cappedExpiry: undefined }
  return { expiryMs: config.maxSessionExpiry, cappedExpiry: Math.floor(config.maxSessionExpiry / 1000) }
}

function readWill(packet: IConnectPacket, frame: Uint8Array, version: Version): Will | undefined | Malformed {
  const { will } = packet
  if (will === undefined) return undefined
  if (!isTopicName(will.topic)) return malformed('topic-name', 0, true)
  const properties = version === 5 ? decodeWillProperties(frame) : undefined
  if (typeof properties === 'string') return malformed(properties, 0, true)
  const payload = typeof will.payload === 'string' ? new TextEncoder().encode(will.payload) : new Uint8Array(will.payload)
  const expiry = properties?.expirySeconds
  return {
    message: new Message(will.topic, payload, (will.qos ?? 0) as QoS, will.retain ?? false, properties?.application),
    delayMs: (properties?.delaySeconds ?? 0) * 1000,
    ...(expiry !== undefined && { expiryMs: expiry * 1000 }),
  }
}

/** The reason code with which a CONNECT that was read is refused, whoever sends it; undefined where it is not. */
export function refusalOf({ version, request }: Connect, config: Config): number | undefined {
  const { redirect } = config
  if (redirect?.when === 'always') return redirectReason(redirect)
  // 3.1 wants a name; 3.1.1 one for every session that shall last [MQTT-3.1.3-8].
  if (request.clientId === '' && (version === 3 || (version === 4 && !request.cleanStart))) return CLIENT_ID_INVALID
  const will = request.will?.message
  if (will !== undefined && will.qos > config.maximumQos) return QOS_UNSUPPORTED // [MQTT-3.2.2-12]
  if (will?.retain && !config.retainAvailable) return RETAIN_UNSUPPORTED // [MQTT-3.2.2-13]
  return undefined
}

/**
 * What a CONNECT that cannot be read is answered with. A level that is not supported gets the answer of 3.1.1, or, above 5, that
 * of 5.0 (both [MQTT-3.1.2-2]); 5.0 its reason code; every other one just sees the close [MQTT-3.1.4-1].
 */
export function brokenConnack(error: Malformed, frame: Uint8Array): Uint8Array | undefined {
  const head = Buffer.from(frame.buffer, frame.byteOffset, Math.min(frame.length, CONNECT_HEAD))
  for (const [name, levels] of NAMED) {
    const at = head.indexOf(name)
    const octet = at < 0 ? undefined : frame[at + name.length]
    if (octet === undefined) continue
    const level = octet & ~BRIDGE_BIT
    if (level > 5) return encodeConnack({ sessionPresent: false, reasonCode: UNSUPPORTED_LEVEL }, 5)
    if (!levels.includes(level)) return encodeConnack({ sessionPresent: false, returnCode: UNSUPPORTED_LEVEL_V3 }, 4)
    if (level === 5) return encodeConnack({ sessionPresent: false, reasonCode: malformedReason(error) }, 5)
  }
  return undefined
}

export function redirectReason({ mode }: NonNullable<Config['redirect']>): number {
  return mode === 'moved' ? SERVER_MOVED : USE_ANOTHER_SERVER
}

/** CONNACK of `refusalOf`. */
export function refusal(reasonCode: number, { version }: Connect, config: Config): Uint8Array {
  if (version < 5) return encodeConnack({ sessionPresent: false, returnCode: refusalV3(reasonCode) }, version)
  const isElsewhere = reasonCode === USE_ANOTHER_SERVER || reasonCode === SERVER_MOVED
  const properties = isElsewhere && config.redirect !== undefined ? { serverReference: config.redirect.server } : {}
  return encodeConnack({ sessionPresent: false, reasonCode, properties }, version)
}

/** CONNACK of what the broker decided; undefined where the client would not take it. */
export function connack(outcome: ConnectOutcome, connect: Connect, gateway: string, config: Config): Uint8Array | undefined {
  const { version, maximumPacketSize } = connect
  if (!outcome.ok) {
    if (version < 5) return encodeConnack({ sessionPresent: false, returnCode: REFUSALS_V3[outcome.reason] }, version)
    const properties = outcome.message === undefined ? {} : { reasonString: outcome.message }
    const packet = { cmd: 'connack', sessionPresent: false, reasonCode: REFUSALS[outcome.reason], properties } as const
    return encodeWithin(packet, version, maximumPacketSize)
  }
  // 3.1 has no session present flag (its octet is reserved).
  const sessionPresent = version > 3 && outcome.sessionPresent
  if (version < 5) return encodeConnack({ sessionPresent, returnCode: 0 }, version)
  const properties = { ...limitsOf(config), ...answersTo(connect, outcome, gateway, config) }
  return encodeWithin({ cmd: 'connack', sessionPresent, reasonCode: 0, properties }, version, maximumPacketSize)
}

type ConnackProperties = NonNullable<IConnackPacket['properties']>

/** What holds for every client; what the standard takes for granted is not said. */
function limitsOf(config: Config): ConnackProperties {
  return {
    receiveMaximum: config.receiveMaximum,
    maximumPacketSize: config.maxPacketSize,
    topicAliasMaximum: config.topicAliasMaximum,
    ...(config.maximumQos < 2 && { maximumQoS: config.maximumQos }),
    ...(!config.retainAvailable && { retainAvailable: false }),
    ...(!config.wildcardSubscriptions && { wildcardSubscriptionAvailable: false }),
    ...(!config.subscriptionIdentifiers && { subscriptionIdentifiersAvailable: false }),
    ...(!config.sharedSubscriptions && { sharedSubscriptionAvailable: false }),
  }
}

/** What answers this CONNECT. */
function answersTo(
  connect: Connect,
  outcome: Extract<ConnectOutcome, { ok: true }>,
  gateway: string,
  config: Config,
): ConnackProperties {
  const properties: ConnackProperties = {}
  if (outcome.assigned) properties.assignedClientIdentifier = outcome.clientId // [MQTT-3.1.3-7]
  if (connect.serverKeepAlive !== undefined) properties.serverKeepAlive = connect.serverKeepAlive
  if (connect.cappedExpiry !== undefined) properties.sessionExpiryInterval = connect.cappedExpiry
  // [MQTT-3.1.2-28]
  if (connect.wantsResponseInformation && config.responseInformation !== '')
    properties.responseInformation = responseInformation(config.responseInformation, outcome.clientId, connect, gateway)
  const { authentication } = connect.request
  if (authentication !== undefined) properties.authenticationMethod = authentication.method
  if (outcome.authenticationData !== undefined) properties.authenticationData = Buffer.from(outcome.authenticationData)
  if (outcome.tookOver !== undefined) {
    const { protocol, gateway: other, peer } = outcome.tookOver
    properties.reasonString = `took this client id over from ${protocol} (gateway ${other}, ${peer})`
  }
  return properties
}

function responseInformation(template: string, clientId: string, { request }: Connect, gateway: string): string {
  const values: Readonly<Record<string, string>> = {
    clientid: encodeClientId(clientId),
    username: encodeClientId(request.username ?? ''),
    gateway,
  }
  return template.replace(/\$\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)
}
