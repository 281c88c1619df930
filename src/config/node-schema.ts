/** The `node` section: the process as a whole, and what it may hold in total. */
import * as z from 'zod'
import { duration, size } from '../sdk/schema.ts'
import { count, fieldInfo, MAX_COUNT, MAX_OCTETS, meta, PROCESS } from './schema-fields.ts'

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
