/** What an operator can set for MQTT, beyond what every gateway has. */
import * as z from 'zod'
import { duration, size } from '#sdk/schema'

export const config = z.strictObject({
  maxPacketSize: size('1MiB', {
    title: 'Maximum packet size',
    description: 'Larger packets are refused on their declared length, before anything is buffered',
    'x-reload': 'gateway',
  }),
  connectTimeout: duration('10s', {
    title: 'CONNECT timeout',
    description: 'A connection that has not sent CONNECT by then is closed',
    'x-reload': 'gateway',
  }),
  keepAliveFactor: z.number().min(1).max(10).default(1.5).meta({
    title: 'Keep-alive factor',
    description: 'Silence of this many keep-alive periods ends a connection',
    'x-reload': 'gateway',
  }),
  maxKeepAlive: duration('18h', {
    title: 'Longest keep-alive',
    description: 'A 5.0 client that asks for more, or for none, is told this one; 0s leaves the choice to the client',
    'x-reload': 'gateway',
  }),
  sessionExpiry: duration('2h', {
    title: 'Session expiry of 3.1 and 3.1.1',
    description: 'How long the session of a client that connected with clean session 0 outlives its connection',
    'x-reload': 'gateway',
  }),
  maxSessionExpiry: duration('7d', {
    title: 'Longest session expiry',
    description: 'Caps what 5.0 clients ask for',
    'x-reload': 'gateway',
  }),
  receiveMaximum: z.int().min(1).max(65535).default(1024).meta({
    title: 'Receive maximum',
    description: 'QoS 2 messages a client may have open toward the broker',
    'x-reload': 'gateway',
  }),
  topicAliasMaximum: z.int().min(0).max(65535).default(32).meta({
    title: 'Topic alias maximum',
    description: 'Topic aliases a 5.0 client may use toward the broker',
    'x-reload': 'gateway',
  }),
  unauthorizedPublish: z.enum(['ignore', 'disconnect']).default('ignore').meta({
    title: 'Publish without permission',
    description:
      '`ignore` drops and counts it (5.0: reason code 0x87 on the acknowledgement), `disconnect` closes the connection',
    'x-reload': 'gateway',
  }),
})

export type Config = z.infer<typeof config>
