/**
 * The config's schema, minus what gateways add to their own instance: every key, default, limit and unit stands here
 * once, and types, validation, JSON Schema and messages come from it. `node` and `broker` have files of their own.
 */
import * as z from 'zod'
import { duration, size } from '../sdk/schema.ts'
import { multicastSchema } from './multicast.ts'
import { count, fieldInfo, MAX_COUNT, MAX_INFLIGHT, meta } from './schema-fields.ts'

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
    maxPublishRate: count(
      0,
      0,
      MAX_COUNT,
      meta(
        'gateway',
        'Publish rate',
        'Messages a second that a client may publish: streams wait, the rest is refused. 0 is no limit',
        '1/s',
      ),
    ),
    maxPublishBurst: count(
      0,
      0,
      MAX_COUNT,
      meta('gateway', 'Publish burst', 'Messages that a client may publish at once; 0 is as many as in one second'),
    ),
    maxPublishByteRate: size(
      '0B',
      fieldInfo('gateway', 'Publish byte rate', 'Payload bytes a second that a client may publish. "0B" is no limit'),
    ),
    maxPublishByteBurst: size(
      '0B',
      fieldInfo(
        'gateway',
        'Publish byte burst',
        'Payload bytes that a client may publish at once; "0B" is as many as in one second',
      ),
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
