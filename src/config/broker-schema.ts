/** The `broker` section: what the broker does with the topics and clients of every gateway beyond carrying messages. */
import * as z from 'zod'
import { rewriteFault } from '../broker/topic-rewrite.ts'
import { duration } from '../sdk/schema.ts'
import { isTopicFilter, parseShared } from '../sdk.ts'
import { bridgeSchema } from './bridge-schema.ts'
import { INSTANCE_NAME, PLACEHOLDERS } from './schema.ts'
import { count, MAX_COUNT, meta, PROCESS } from './schema-fields.ts'

/** Bounds what each publish of an unknown topic costs. */
const MAX_RULES = 1000
const MAX_BRIDGES = 100

/** Also of a shared subscription. */
function isFilter(filter: string): boolean {
  const shared = parseShared(filter)
  return shared === undefined ? isTopicFilter(filter) : shared !== 'invalid'
}

const topicFilter = z
  .string()
  .refine((filter) => isTopicFilter(filter) && parseShared(filter) === undefined, { error: 'this is no topic filter' })

const rewriteSchema = z
  .strictObject({
    action: z
      .enum(['publish', 'subscribe', 'all'])
      .default('all')
      .meta(meta('live', 'Action', 'Which topics the rule is for: those published to, those subscribed to, or both')),
    source: topicFilter.meta(meta('live', 'Source', 'Topic filter: the rule decides about the topics that match it')),
    pattern: z
      .string()
      .meta(meta('live', 'Pattern', 'Regular expression; topics that it does not fit stay as they are', 'pattern')),
    target: z
      .string()
      .min(1)
      .meta(
        meta(
          'live',
          'Target',
          'The new topic; $1 to $9 are the groups of the pattern, %c or ${clientid} and %u or ${username} the client',
        ),
      ),
  })
  .check(({ value, issues }) => {
    const fault = rewriteFault(value)
    if (fault !== undefined) issues.push({ code: 'custom', input: value[fault.key], path: [fault.key], message: fault.text })
  })
  .meta({ title: 'Rewrite rule', description: 'Of the rules whose source matches a topic, the last one decides' })

/** Placeholders of an automatic subscription: those of a mountpoint, and where the client is. */
const TOPIC_PLACEHOLDERS: readonly string[] = [...PLACEHOLDERS, 'host', 'port']

const autoSubscribeSchema = z
  .strictObject({
    topic: z
      .string()
      .min(1)
      .refine((topic) => [...topic.matchAll(/\$\{(\w*)\}/g)].every(([, name = '']) => TOPIC_PLACEHOLDERS.includes(name)), {
        error: `a placeholder is unknown; there are ${TOPIC_PLACEHOLDERS.map((name) => `\${${name}}`).join(', ')}`,
      })
      .refine((topic) => isFilter(topic.replace(/\$\{\w*\}/g, 'x')), { error: 'this is no topic filter' })
      .meta(meta('live', 'Topic', 'Topic filter; may hold ${clientid}, ${username}, ${peerhost}, ${port} and ${gateway}')),
    qos: z
      .union([z.literal(0), z.literal(1), z.literal(2)])
      .default(0)
      .meta(meta('live', 'QoS', 'Highest QoS of deliveries')),
    noLocal: z
      .boolean()
      .default(false)
      .meta(meta('live', 'No local', "Leave out the client's own messages")),
    retainAsPublished: z
      .boolean()
      .default(false)
      .meta(meta('live', 'Retain as published', 'Keep the retain flag of live messages')),
    retainHandling: z
      .union([z.literal(0), z.literal(1), z.literal(2)])
      .default(0)
      .meta(meta('live', 'Retain handling', 'Whether retained messages are sent: 0 and 1 when the subscription is new, 2 never')),
    gateways: z
      .array(z.string().regex(INSTANCE_NAME))
      .min(1, 'name at least one gateway, or leave the key out for all of them')
      .optional()
      .meta(meta('live', 'Gateways', 'Only for clients of these gateways, by the key of their section')),
  })
  .meta({ title: 'Automatic subscription', description: 'Given to each client that connects, if it may subscribe to the topic' })

const LIVE = { 'x-reload': 'live' } as const

const flappingSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .meta(meta('live', 'Enabled', 'Whether clients are watched')),
    maxDisconnects: count(
      15,
      1,
      MAX_COUNT,
      meta('live', 'Disconnects', 'Ends of connections within the window that lead to a ban'),
    ),
    window: duration('1m', { title: 'Window', description: 'Counted from the first disconnect', ...LIVE }),
    banTime: duration('5m', { title: 'Ban time', description: 'How long connects are refused', ...LIVE }),
    by: z
      .array(z.enum(['clientid', 'address']))
      .min(1, 'name clientid, address or both')
      .default(['clientid'])
      .meta(meta('live', 'By', 'What is counted and banned: the client id, the address, or both')),
  })
  .meta({ title: 'Flapping', description: 'Bans clients that connect and disconnect all the time' })

const slowSubscribersSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .meta(meta('process', 'Enabled', 'Whether deliveries with QoS above 0 are measured')),
    threshold: duration('500ms', { title: 'Threshold', description: 'From publish to acknowledgement' }).meta(PROCESS),
    top: count(10, 1, 1000, meta('process', 'Top', 'How many of the slowest are listed')),
    expiry: duration('5m', { title: 'Expiry', description: 'Who has not been slow for this long is forgotten' }).meta(PROCESS),
  })
  .meta({ title: 'Slow subscribers', description: 'A list of the slowest subscribers' })

export const brokerSchema = z
  .strictObject({
    rewrite: z
      .array(rewriteSchema)
      .max(MAX_RULES)
      .default([])
      .meta(meta('live', 'Topic rewriting', 'Rules that change the topics which clients publish and subscribe to')),
    autoSubscribe: z
      .array(autoSubscribeSchema)
      .max(MAX_RULES)
      .default([])
      .meta(meta('live', 'Automatic subscriptions', 'What clients are subscribed to without asking')),
    bridges: z
      .array(bridgeSchema)
      .max(MAX_BRIDGES)
      .refine((bridges) => new Set(bridges.map(({ name }) => name)).size === bridges.length, {
        error: 'two bridges have the same name',
      })
      .default([])
      .meta(meta('process', 'Bridges', 'Other brokers that messages are exchanged with')),
    flapping: flappingSchema.prefault({}),
    slowSubscribers: slowSubscribersSchema.prefault({}),
    maxBans: count(100_000, 0, MAX_COUNT, meta('live', 'Bans', 'Bans at once; further ones are not set, and counted')),
  })
  .meta({ title: 'Broker', description: 'What the broker does with the topics and clients of every gateway' })

export type BrokerConfig = z.infer<typeof brokerSchema>
