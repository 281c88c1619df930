/**
 * The config's schema, minus what gateways add to their own instance: every key, default, limit and unit stands here
 * once, and types, validation, JSON Schema and messages come from it.
 */
import * as z from 'zod'
import { duration, type FieldInfo, size } from '../sdk/schema.ts'
import { multicastSchema } from './multicast.ts'

/** `process`: takes a restart of Omnigate. The rest as in the SDK. */
type ConfigReloadClass = NonNullable<FieldInfo['x-reload']> | 'process'

type Meta = {
  readonly title: string
  readonly description: string
  readonly 'x-reload': ConfigReloadClass
  readonly 'x-unit'?: string
}

export function meta(reload: ConfigReloadClass, title: string, description: string, unit?: string): Meta {
  return { title, description, 'x-reload': reload, ...(unit === undefined ? {} : { 'x-unit': unit }) }
}

function fieldInfo(reload: NonNullable<FieldInfo['x-reload']>, title: string, description: string): FieldInfo {
  return { title, description, 'x-reload': reload }
}

/** A whole number with a default and bounds. */
export function count(fallback: number, min: number, max: number, info: Meta) {
  return z.int().min(min).max(max).default(fallback).meta(info)
}

/** Added to fields that the SDK's building blocks made, which know of gateways only. */
const PROCESS = { 'x-reload': 'process' } as const

export const MAX_COUNT = 100_000_000
/** Texts have a length of 16 bits in protocols that carry topics. */
const MAX_OCTETS = 65_535
/** Packet identifiers are 16 bits wide in every protocol that has them. */
const MAX_INFLIGHT = 65_535

export const nodeSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'write 1 to 64 letters, digits, dots, hyphens or underscores')
      .default('omnigate')
      .meta(meta('process', 'Node name', 'Names this node in the logs')),
    dataDir: z
      .string()
      .min(1)
      .default('./data')
      .meta(meta('process', 'Data directory', 'Where state is kept; relative to the config file', 'path')),
    durability: z
      .enum(['fsync', 'os', 'memory'])
      .default('os')
      .meta(
        meta(
          'process',
          'Durability',
          'What persistent sessions and retained messages outlive: `fsync` a power loss, `os` a crash of the process, `memory` nothing',
        ),
      ),
    logLevel: z
      .enum(['debug', 'info', 'warn', 'error'])
      .default('info')
      .meta(meta('live', 'Log level', 'The least severe messages that are logged')),
    sysInterval: duration('10s', {
      title: '$SYS interval',
      description: 'Between two updates of the $SYS topics; "0s" switches them off',
    }).meta(PROCESS),
    sysTopics: z
      .array(z.enum(['mosquitto', 'emqx']))
      .default(['mosquitto', 'emqx'])
      .meta(meta('process', '$SYS topics', 'Whose names are used: $SYS/broker/... of mosquitto, $SYS/brokers/... of EMQX')),
    drainTimeout: duration('10s', fieldInfo('live', 'Drain timeout', 'How long a stop waits for connections to drain')),
    willOnShutdown: z
      .boolean()
      .default(true)
      .meta(
        meta(
          'process',
          'Wills on shutdown',
          'Publish the wills of connected clients when Omnigate, or their gateway, is stopped',
        ),
      ),
    maxConnections: count(
      1_000_000,
      1,
      MAX_COUNT,
      meta('process', 'Connections in total', 'Open connections and datagram peers over all listeners; further ones are refused'),
    ),
    maxClients: count(
      4_000_000,
      1,
      MAX_COUNT,
      meta(
        'process',
        'Clients in total',
        'Clients over all gateways, connected or with a kept session; further ones are refused',
      ),
    ),
    maxQueuedBytes: size('1GiB', {
      title: 'Queued bytes in total',
      description: 'Deliveries queued for all clients; and, counted apart, bytes that no device has taken yet',
    }).meta(PROCESS),
    maxRetained: count(
      4_000_000,
      0,
      MAX_COUNT,
      meta('process', 'Retained messages', 'Retained messages in total; further topics are not retained, and counted'),
    ),
    maxRetainedBytes: size('1GiB', {
      title: 'Retained bytes',
      description: 'Topics and payloads of retained messages in total',
    }).meta(PROCESS),
    maxRetainedPayload: size('1MiB', {
      title: 'Retained payload',
      description: 'Largest payload of one retained message; a larger one is refused and counted',
    }).meta(PROCESS),
    maxTopicLevels: count(
      128,
      1,
      MAX_OCTETS + 1,
      meta(
        'process',
        'Topic levels',
        'Levels of a topic or filter; publishes and subscriptions beyond it are refused as invalid',
      ),
    ),
    maxTopicLength: count(
      MAX_OCTETS,
      1,
      MAX_OCTETS,
      meta('process', 'Topic length', 'Octets of a topic or filter; longer ones are refused as invalid', 'bytes'),
    ),
    maxClientIdLength: count(
      MAX_OCTETS,
      1,
      MAX_OCTETS,
      meta('process', 'Client id length', 'Octets of a client id; clients with a longer one are refused', 'bytes'),
    ),
    maxDelayed: count(
      100_000,
      0,
      MAX_COUNT,
      meta('process', 'Delayed messages', 'Messages to $delayed/{seconds}/{topic} that wait; further ones are refused'),
    ),
    maxDelayedBytes: size('256MiB', { title: 'Delayed bytes', description: 'Payloads of delayed messages in total' }).meta(
      PROCESS,
    ),
    sharedPolicy: z
      .enum(['round-robin', 'random', 'sticky'])
      .default('round-robin')
      .meta(meta('process', 'Shared subscriptions', 'Which member of a $share group receives the next message')),
  })
  .meta({ title: 'Node', description: 'What concerns the process as a whole' })

const sessionSchema = z
  .strictObject({
    maxInflight: count(
      128,
      1,
      MAX_INFLIGHT,
      meta('gateway', 'Inflight window', 'Unacknowledged deliveries per client; further ones are queued'),
    ),
    maxQueued: count(
      10_000,
      0,
      MAX_COUNT,
      meta('gateway', 'Queue length', 'Queued deliveries per client (window full, asleep or offline)'),
    ),
    maxQueuedBytes: size('4MiB', fieldInfo('gateway', 'Queue bytes', 'Bytes of queued deliveries per client')),
    dropPolicy: z
      .enum(['drop-oldest', 'drop-newest'])
      .default('drop-oldest')
      .meta(meta('gateway', 'Drop policy', 'What gives way when the queue of a client is full')),
    queueQos0Offline: z
      .boolean()
      .default(false)
      .meta(meta('gateway', 'Queue QoS 0 offline', 'Keep QoS 0 messages for clients that are offline but have a session')),
    maxSubscriptions: count(
      1000,
      1,
      MAX_COUNT,
      meta('gateway', 'Subscriptions', 'Subscriptions per client; further ones are refused'),
    ),
  })
  .meta({ title: 'Session limits', description: 'Bounds of each client of this gateway' })

const tlsSchema = z
  .strictObject({
    cert: z
      .string()
      .min(1)
      .meta(meta('listener', 'Certificate', 'PEM file with the certificate and its chain', 'path')),
    key: z
      .string()
      .min(1)
      .meta(meta('listener', 'Private key', 'PEM file with the private key', 'path')),
    passphrase: z
      .string()
      .optional()
      .meta(meta('listener', 'Passphrase', 'Opens the private key', 'secret')),
    ca: z
      .string()
      .min(1)
      .optional()
      .meta(meta('listener', 'Client CA', 'PEM file: who may sign client certificates', 'path')),
    requestClientCert: z
      .boolean()
      .default(false)
      .meta(meta('listener', 'Ask for client certificates', 'A certificate that `ca` verifies gives the device its identity')),
    requireClientCert: z
      .boolean()
      .default(false)
      .meta(meta('listener', 'Insist on client certificates', 'Refuse devices without a certificate that `ca` verifies')),
    handshakeTimeout: duration(
      '10s',
      fieldInfo('listener', 'Handshake timeout', 'From the connection to the finished handshake'),
    ),
    ciphers: z
      .string()
      .min(1)
      .optional()
      .meta(meta('listener', 'Ciphers', 'OpenSSL cipher list, in place of the default')),
  })
  .meta({ title: 'TLS', description: 'Paths are relative to the config file' })

export const listenerLimitsSchema = z
  .strictObject({
    maxConnections: count(
      100_000,
      1,
      MAX_COUNT,
      meta('listener', 'Connections', 'Open connections or datagram peers of this listener; further ones are refused'),
    ),
    maxConnectRate: count(
      10_000,
      0,
      MAX_COUNT,
      meta('listener', 'Connect rate', 'New connections or peers a second; further ones are refused. 0 is no limit', '1/s'),
    ),
    maxMessageRate: count(
      0,
      0,
      MAX_COUNT,
      meta(
        'listener',
        'Message rate',
        'Messages a second from one device; above it the device has to wait. 0 is no limit',
        '1/s',
      ),
    ),
    maxByteRate: size(
      '0B',
      fieldInfo('listener', 'Byte rate', 'Bytes a second from one device: streams wait, datagrams are dropped. "0B" is no limit'),
    ),
    maxQueuedBytes: size(
      '4MiB',
      fieldInfo('listener', 'Unsent bytes', 'Bytes that may wait for one device; above it the device is cut off'),
    ),
    highWater: size(
      '64KiB',
      fieldInfo('listener', 'High water', 'Unsent bytes at which deliveries to the device pause until half is sent'),
    ),
    idlePeerTimeout: duration(
      '5m',
      fieldInfo(
        'listener',
        'Idle peer timeout',
        'Silence after which a datagram peer without a session is forgotten; "0s" is never',
      ),
    ),
    maxFrame: size('1MiB', fieldInfo('listener', 'WebSocket message', 'Largest WebSocket message')),
  })
  .meta({ title: 'Listener limits', description: 'What one listener takes in' })

/** Transports of the contract; which of them this version has, and a gateway supports, is checked by code. */
export const TRANSPORTS = ['tcp', 'tls', 'udp', 'dtls', 'ws', 'wss'] as const

export const listenerSchema = z
  .strictObject({
    type: z.enum(TRANSPORTS).meta(meta('listener', 'Transport', 'What the listener speaks below the protocol')),
    bind: z
      .union([z.string(), z.int().min(0).max(65_535)])
      .optional()
      .meta(
        meta(
          'listener',
          'Address',
          'Address and port, such as "127.0.0.1:1883", "[::1]:1883" or ":1883" (all addresses); port 0 is any free port. Default: the standard port of the protocol on 127.0.0.1',
        ),
      ),
    path: z
      .string()
      .regex(/^\/[^\s?#]*$/, 'write a path that begins with "/"')
      .optional()
      .meta(meta('listener', 'WebSocket path', 'Request path, for ws and wss only')),
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'write 1 to 64 letters, digits, dots, hyphens or underscores')
      .optional()
      .meta(meta('listener', 'Listener name', 'Unique within the gateway; by default made of transport and port')),
    proxyProtocol: z
      .boolean()
      .default(false)
      .meta(meta('listener', 'PROXY protocol', 'Expect a PROXY header, version 1 or 2, from the load balancer in front')),
    tls: tlsSchema.optional(),
    requireSubprotocol: z
      .boolean()
      .default(true)
      .meta(meta('listener', 'Insist on the sub-protocol', 'Refuse WebSocket clients that name no sub-protocol of the gateway')),
    tcpKeepAlive: duration(
      '0s',
      fieldInfo('listener', 'TCP keep-alive', 'Silence of a stream after which the kernel probes the device; "0s" is never'),
    ),
    receiveBuffer: size(
      '0B',
      fieldInfo('listener', 'Receive buffer', 'Socket buffer of a datagram listener; "0B" leaves it to the system'),
    ),
    sendBuffer: size(
      '0B',
      fieldInfo('listener', 'Send buffer', 'Socket buffer of a datagram listener; "0B" leaves it to the system'),
    ),
    multicast: multicastSchema.optional(),
    limits: listenerLimitsSchema.prefault({}),
  })
  .meta({ title: 'Listener', description: 'One address that devices connect to' })

/** The keys that every gateway instance has; all others belong to the gateway's own schema. */
export const instanceSchema = z
  .strictObject({
    use: z
      .string()
      .min(1)
      .optional()
      .meta(meta('gateway', 'Protocol', 'Gateway name, npm package or path of a module; by default the key of this section')),
    enabled: z
      .boolean()
      .default(true)
      .meta(meta('gateway', 'Enabled', 'false keeps the section but does not start it')),
    mountpoint: z
      .string()
      .default('')
      .meta(
        meta('gateway', 'Mountpoint', 'Put before every topic that devices name; may hold ${clientid}, ${username} and the like'),
      ),
    session: sessionSchema.prefault({}),
    listeners: z
      .array(listenerSchema)
      .min(1, 'name at least one listener, or leave the key out for the standard one')
      .optional()
      .meta(meta('listener', 'Listeners', 'Where devices connect; by default the standard port on 127.0.0.1')),
  })
  .meta({ title: 'Gateway', description: 'One instance of a protocol gateway' })

export const INSTANCE_KEYS: readonly string[] = Object.keys(instanceSchema.shape)

export const apiSchema = z
  .strictObject({
    bind: z
      .union([z.string(), z.int().min(0).max(65_535)])
      .default('127.0.0.1:18083')
      .meta(meta('process', 'API address', 'Address and port of the REST API and dashboard')),
  })
  .meta({ title: 'API', description: 'REST API and dashboard' })

export const INSTANCE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

export const ROOT_KEYS = ['node', 'broker', 'gateways', 'api'] as const

/** Placeholders of a mountpoint. */
export const PLACEHOLDERS: readonly string[] = ['clientid', 'username', 'endpoint_name', 'peerhost', 'gateway']
