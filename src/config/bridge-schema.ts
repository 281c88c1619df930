/** `broker.bridges`: other brokers that messages are exchanged with. */
import * as z from 'zod'
import { duration, size } from '../sdk/schema.ts'
import type { SessionLimits } from '../sdk.ts'
import { isTopicFilter, isTopicName, parseShared } from '../sdk.ts'
import { INSTANCE_NAME } from './schema.ts'
import { count, MAX_COUNT, meta } from './schema-fields.ts'

const PROCESS = { 'x-reload': 'process' } as const

const prefix = z
  .string()
  .refine((text) => text === '' || isTopicName(text), { error: 'a prefix holds no wildcard' })
  .default('')

const topicSchema = z
  .strictObject({
    topic: z
      .string()
      .refine((filter) => isTopicFilter(filter) && parseShared(filter) === undefined, { error: 'this is no topic filter' })
      .meta(meta('process', 'Topic', 'Topic filter without the prefixes')),
    direction: z
      .enum(['out', 'in', 'both'])
      .default('out')
      .meta(meta('process', 'Direction', '`out` sends what is published here, `in` publishes here what is published there')),
    qos: z
      .union([z.literal(0), z.literal(1), z.literal(2)])
      .default(1)
      .meta(meta('process', 'QoS', 'Highest QoS of what is exchanged')),
    localPrefix: prefix.meta(meta('process', 'Local prefix', 'Put before the topic here, and taken away there')),
    remotePrefix: prefix.meta(meta('process', 'Remote prefix', 'Put before the topic there, and taken away here')),
  })
  .meta({ title: 'Bridged topic', description: 'Of several that match a message, the first one names its topic' })

export const bridgeSchema = z
  .strictObject({
    name: z
      .string()
      .regex(INSTANCE_NAME, 'write 1 to 64 letters, digits, dots, hyphens or underscores')
      .meta(meta('process', 'Name', 'Unique: what waits for the remote broker is kept under it')),
    url: z
      .string()
      .regex(/^(mqtt|mqtts|ws|wss):\/\/[^/]+/, 'write mqtt://host:1883, mqtts://host:8883, ws://... or wss://...')
      .meta(meta('process', 'URL', 'Of the remote broker')),
    version: z
      .enum(['3.1.1', '5'])
      .default('5')
      .meta(
        meta('process', 'Protocol version', 'With 3.1.1 properties are lost, and the remote must know bridges to prevent loops'),
      ),
    clientId: z
      .string()
      .min(1)
      .optional()
      .meta(meta('process', 'Client id', 'By default omnigate-, the name of the node and the name of the bridge')),
    username: z
      .string()
      .optional()
      .meta(meta('process', 'Username', 'For the remote broker')),
    password: z
      .string()
      .optional()
      .meta(meta('process', 'Password', 'For the remote broker', 'secret')),
    ca: z
      .string()
      .min(1)
      .optional()
      .meta(meta('process', 'CA', 'PEM file: who may sign the certificate of the remote broker', 'path')),
    cert: z
      .string()
      .min(1)
      .optional()
      .meta(meta('process', 'Client certificate', 'PEM file', 'path')),
    key: z
      .string()
      .min(1)
      .optional()
      .meta(meta('process', 'Private key', 'PEM file of the client certificate', 'path')),
    keepAlive: duration('60s', { title: 'Keep-alive', description: 'Silence after which the connection is probed' }).meta(
      PROCESS,
    ),
    reconnect: duration('2s', { title: 'Reconnect', description: 'Pause between two attempts to connect' }).meta(PROCESS),
    sessionExpiry: duration('7d', {
      title: 'Session expiry',
      description: 'How long the remote broker is asked to keep what waits for us',
    }).meta(PROCESS),
    maxQueued: count(
      100_000,
      0,
      MAX_COUNT,
      meta(
        'process',
        'Queue length',
        'Messages with QoS above 0 that wait while the remote broker is away; stored by `node.durability`',
      ),
    ),
    maxQueuedBytes: size('64MiB', { title: 'Queue bytes', description: 'Octets of what waits' }).meta(PROCESS),
    maxInflight: count(
      128,
      1,
      65_535,
      meta('process', 'Inflight window', 'Messages that the remote broker has not acknowledged'),
    ),
    dropPolicy: z
      .enum(['drop-oldest', 'drop-newest'])
      .default('drop-oldest')
      .meta(meta('process', 'Drop policy', 'What gives way when the queue is full')),
    topics: z
      .array(topicSchema)
      .min(1, 'name at least one topic')
      .meta(meta('process', 'Topics', 'What is exchanged')),
  })
  .check(({ value, issues }) => {
    if ((value.cert === undefined) === (value.key === undefined)) return
    const path = [value.cert === undefined ? 'cert' : 'key']
    issues.push({ code: 'custom', input: value, path, message: '`cert` and `key` belong together' })
  })
  .meta({ title: 'Bridge', description: 'One remote broker' })

export type BridgeConfig = z.infer<typeof bridgeSchema>
export type BridgedTopic = BridgeConfig['topics'][number]

/** What the registry shows as the gateway, and as the client id, of a bridge's session here. */
export function bridgeGateway(name: string): string {
  return `bridge:${name}`
}

/** Bounds of that session. */
export function bridgeLimits({ maxInflight, maxQueued, maxQueuedBytes, dropPolicy, topics }: BridgeConfig): SessionLimits {
  const unlimited = { maxPublishRate: 0, maxPublishBurst: 0, maxPublishByteRate: 0, maxPublishByteBurst: 0 }
  const queue = { maxInflight, maxQueued, maxQueuedBytes, dropPolicy, queueQos0Offline: false }
  return { ...queue, ...unlimited, maxSubscriptions: topics.length }
}
