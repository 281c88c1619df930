/** CONNECT in, CONNACK out (MQTT 5.0 sections 3.1 and 3.2, 3.1.1 likewise). */
import type { IConnackPacket, IConnectPacket } from 'mqtt-packet'
import type { ConnectOutcome, ConnectRequest, Malformed, Properties, QoS, Will } from '#sdk'
import { isTopicName, Message, malformed } from '#sdk'
import type { Version } from './codec/control.ts'
import { encodeConnack } from './codec/control.ts'
import { REFUSALS, REFUSALS_V3 } from './codec/reasons.ts'
import type { Config } from './config.ts'

/** 5.0: the session never expires. */
const NEVER_EXPIRES = 0xffffffff
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
  /** 5.0: the session expiry that replaces the client's, seconds. */
  readonly cappedExpiry: number | undefined
}

export function readConnect(packet: IConnectPacket, config: Config): Connect | Malformed {
  const version = (packet.protocolVersion ?? 4) as Version
  if (packet.username === undefined && packet.password !== undefined && version < 5)
    return malformed('password-without-user', 0, true) // [MQTT-3.1.2-22]
  const asked = packet.properties?.receiveMaximum
  if (asked === 0 || packet.properties?.maximumPacketSize === 0) return malformed('property-value', 0, true)
  const will = readWill(packet)
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
    maximumPacketSize: packet.properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY,
    cappedExpiry,
    request: {
      clientId: packet.clientId,
      protocol: 'mqtt',
      version: NAMES[version],
      cleanStart: packet.clean ?? false,
      expiryMs,
      keepAliveMs,
      receiveMaximum: asked ?? 65535,
      ...(packet.username !== undefined && { username: packet.username }),
      ...(packet.password !== undefined && { password: packet.password }),
      ...(will !== undefined && { will }),
    },
  }
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

function readWill(packet: IConnectPacket): Will | undefined | Malformed {
  const { will } = packet
  if (will === undefined) return undefined
  if (!isTopicName(will.topic)) return malformed('topic-name', 0, true)
  const given = will.properties
  const properties: Properties = {
    ...(given?.payloadFormatIndicator !== undefined && { utf8: given.payloadFormatIndicator }),
    ...(given?.contentType !== undefined && { contentType: given.contentType }),
    ...(given?.responseTopic !== undefined && { responseTopic: given.responseTopic }),
    ...(given?.correlationData !== undefined && { correlationData: given.correlationData }),
    ...(given?.userProperties !== undefined && {
      userProperties: Object.entries(given.userProperties).flatMap(([name, value]) =>
        (Array.isArray(value) ? value : [value]).map((each): [string, string] => [name, each]),
      ),
    }),
  }
  const payload = typeof will.payload === 'string' ? new TextEncoder().encode(will.payload) : new Uint8Array(will.payload)
  const has = Object.keys(properties).length > 0
  const expiry = given?.messageExpiryInterval
  return {
    message: new Message(will.topic, payload, (will.qos ?? 0) as QoS, will.retain ?? false, has ? properties : undefined),
    delayMs: (given?.willDelayInterval ?? 0) * 1000,
    ...(expiry !== undefined && { expiryMs: expiry * 1000 }),
  }
}

/** CONNACK of an accepted or refused connect. */
export function connack(outcome: ConnectOutcome, connect: Connect, config: Config): Uint8Array {
  const { version } = connect
  if (!outcome.ok) {
    if (version < 5) return encodeConnack({ sessionPresent: false, returnCode: REFUSALS_V3[outcome.reason] }, version)
    const properties = outcome.message === undefined ? {} : { reasonString: outcome.message }
    return withinLimit({ sessionPresent: false, reasonCode: REFUSALS[outcome.reason], properties }, connect)
  }
  // 3.1 has no session present flag (its octet is reserved).
  const sessionPresent = version > 3 && outcome.sessionPresent
  if (version < 5) return encodeConnack({ sessionPresent, returnCode: 0 }, version)
  const properties: NonNullable<IConnackPacket['properties']> = {
    receiveMaximum: config.receiveMaximum,
    maximumPacketSize: config.maxPacketSize,
    topicAliasMaximum: config.topicAliasMaximum,
  }
  if (outcome.assigned) properties.assignedClientIdentifier = outcome.clientId // [MQTT-3.1.3-7]
  if (connect.serverKeepAlive !== undefined) properties.serverKeepAlive = connect.serverKeepAlive
  if (connect.cappedExpiry !== undefined) properties.sessionExpiryInterval = connect.cappedExpiry
  if (outcome.tookOver !== undefined) {
    const { protocol, gateway, peer } = outcome.tookOver
    properties.reasonString = `took this client id over from ${protocol} (gateway ${gateway}, ${peer})`
  }
  return withinLimit({ sessionPresent, reasonCode: 0, properties }, connect)
}

/** [MQTT-3.2.2-19]: a reason in words gives way where the client would not take the packet. */
function withinLimit(packet: Omit<IConnackPacket, 'cmd'>, { version, maximumPacketSize }: Connect): Uint8Array {
  const told = encodeConnack(packet, version)
  if (told.length <= maximumPacketSize || packet.properties?.reasonString === undefined) return told
  const { reasonString: _, ...properties } = packet.properties
  return encodeConnack({ ...packet, properties }, version)
}
