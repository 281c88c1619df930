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
  outgoingTopicAliases: z.int().min(0).max(65535).default(32).meta({
    title: 'Topic aliases toward a client',
    description: 'Topics that the broker shortens for a 5.0 client that takes aliases; the topics that come first get them',
    'x-reload': 'gateway',
  }),
  maximumQos: z.literal([0, 1, 2]).default(2).meta({
    title: 'Maximum QoS',
    description: 'A client that publishes with more is disconnected; subscriptions are granted no more',
    'x-reload': 'gateway',
  }),
  retainAvailable: z.boolean().default(true).meta({
    title: 'Retained messages',
    description: 'Off, a client that publishes a retained message is disconnected',
    'x-reload': 'gateway',
  }),
  wildcardSubscriptions: z.boolean().default(true).meta({
    title: 'Wildcard subscriptions',
    description: 'Off, filters with `+` or `#` are refused',
    'x-reload': 'gateway',
  }),
  sharedSubscriptions: z.boolean().default(true).meta({
    title: 'Shared subscriptions',
    description: 'Off, filters that begin with `$share/` are refused',
    'x-reload': 'gateway',
  }),
  subscriptionIdentifiers: z.boolean().default(true).meta({
    title: 'Subscription identifiers',
    description: 'Off, a 5.0 client that gives a subscription an identifier is disconnected',
    'x-reload': 'gateway',
  }),
  responseInformation: z.string().max(1024).default('').meta({
    title: 'Response information',
    description:
      'Where a 5.0 client that asks for it may receive responses, such as `response/${clientid}`; also `${username}` and `${gateway}`. Empty gives none',
    'x-reload': 'gateway',
  }),
  redirect: z
    .strictObject({
      server: z.string().min(1).max(1024).meta({
        title: 'Server reference',
        description: 'Where to, as clients of 5.0 are told: `host:port`, or several, separated by spaces',
      }),
      mode: z.enum(['use-another', 'moved']).default('use-another').meta({
        title: 'Mode',
        description: '`use-another`: for now (0x9C). `moved`: for good (0x9D)',
      }),
      when: z.enum(['shutdown', 'always']).default('shutdown').meta({
        title: 'When',
        description: '`shutdown`: connected clients, as the gateway stops. `always`: whoever connects, too',
      }),
    })
    .optional()
    .meta({
      title: 'Server redirection',
      description: 'Sends 5.0 clients elsewhere; 3.x clients are told that the server is unavailable',
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
