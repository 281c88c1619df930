/** What an operator can set for MQTT-SN, beyond what every gateway has. */
import * as z from 'zod'
import { duration, size } from '#sdk/schema'
import { FIRST_TOPIC_ID } from './topic-ids.ts'
import { SCHEME_NAMES, SCHEMES } from './v2/schemes.ts'

const live = { 'x-reload': 'live' } as const

/** 0x0000 and 0xffff are reserved (MQTT-SN 1.2, 5.3.11). */
export const MAX_TOPIC_ID = 0xfffe
/** The most that one IPv4 datagram carries. */
const MAX_DATAGRAM = '65507B'

const predefined = z.strictObject({
  id: z.int().min(1).max(MAX_TOPIC_ID).meta({ title: 'Predefined topic id' }),
  topic: z.string().min(1).max(65535).meta({ title: 'Topic name that it stands for' }),
  clientId: z.string().min(1).optional().meta({
    title: 'Only for this client',
    description: 'For that client it comes before an entry for everybody with the same id or name.',
  }),
})

const retry = z.strictObject({
  interval: duration('10s', {
    title: 'T_retry: wait for an answer before a message is sent again',
    description: 'The standard recommends 10 to 15 s; on a local network 2 to 5 s are usual.',
    ...live,
  }),
  attempts: z
    .int()
    .min(0)
    .max(20)
    .default(3)
    .meta({
      title: 'N_retry: repetitions of a message',
      description: 'After the last one a client that is awake is taken to have fallen asleep; any other is lost.',
      ...live,
    }),
})

/** The duration in ADVERTISE has 16 bits (5.3.5). */
const MAX_ADVERTISE_MS = 65_535_000

const advertise = z.strictObject({
  interval: duration('15m', {
    title: 'T_ADV: time between two ADVERTISE',
    description:
      "To every address in a listener's `multicast.announceTo`. The standard recommends more than 15 minutes; up to 18 hours, and 0s is never.",
    ...live,
  }).refine((ms) => ms <= MAX_ADVERTISE_MS, 'the duration in ADVERTISE has 16 bits: 65535 s at most'),
  gwinfo: z
    .enum(['sender', 'groups'])
    .default('sender')
    .meta({
      title: 'Who hears the answer to SEARCHGW',
      description: 'The address that asked, or the groups that ADVERTISE goes to, if there are any.',
      ...live,
    }),
})

const HEX = /^(?:[0-9a-fA-F]{2})+$/
const SENDER_ID = /^[0-9a-fA-F]{16}$/

const protectionKey = z
  .strictObject({
    senderId: z
      .string()
      .regex(SENDER_ID, 'write 16 hexadecimal digits')
      .meta({ title: 'Sender id', description: '8 octets in hex.' }),
    scheme: z.enum(SCHEME_NAMES).default('aes-ccm-64-128').meta({ title: 'Protection scheme' }),
    psk: z.string().min(32).max(256).regex(HEX, 'write pairs of hexadecimal digits').meta({
      title: 'Pre-shared key',
      description: 'In hex, of the length that the scheme asks for; at least 16 octets.',
      writeOnly: true,
    }),
  })
  .refine(({ scheme, psk }) => (SCHEMES[scheme]?.keyBytes ?? psk.length / 2) * 2 === psk.length, {
    message: 'the key has not the length that the scheme asks for',
    path: ['psk'],
  })

const protection = z.strictObject({
  keys: z
    .array(protectionKey)
    .max(100_000)
    .default([])
    .meta({ title: 'Senders and their keys', ...live }),
  required: z
    .boolean()
    .default(false)
    .meta({ title: 'Refuse what is not protected', ...live }),
  requireCounter: z
    .boolean()
    .default(true)
    .meta({
      title: 'Insist on counters',
      description: 'Without a counter a recording cannot be told from the original; it is dropped and counted.',
      ...live,
    }),
  senderId: z
    .string()
    .regex(SENDER_ID, 'write 16 hexadecimal digits')
    .default('0000000000000001')
    .meta({ title: 'Sender id of the gateway', ...live }),
})

const qosMinus1 = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .meta({ title: 'Accept publishes without a connection (QoS -1)', ...live }),
  clientId: z
    .string()
    .min(1)
    .max(200)
    .default('mqtt-sn-qos-minus-1')
    .meta({
      title: 'Client id in whose name they are published and authorized',
      description: 'Placeholders: `${peerhost}`, `${peerport}`, `${gateway}`. Addresses that give the same id share a client.',
      ...live,
    }),
  idleTimeout: duration('60s', { title: 'Silence after which that client is taken offline', ...live }),
})

const forwarder = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .meta({ title: 'Accept messages that forwarders encapsulate', ...live }),
  maxNodes: z
    .int()
    .min(1)
    .max(65535)
    .default(1024)
    .meta({
      title: 'Nodes behind one forwarder',
      description: 'Further ones are answered congestion.',
      ...live,
    }),
})

export const config = z.strictObject({
  version: z.enum(['1.2', '2.0', 'auto']).default('1.2').meta({
    title: 'Versions of MQTT-SN',
    description: '2.0 is a committee draft: experimental. auto tells by the first datagram of an address.',
    'x-reload': 'gateway',
  }),
  gatewayId: z
    .int()
    .min(0)
    .max(255)
    .default(1)
    .meta({ title: 'Gateway id in ADVERTISE and GWINFO', ...live }),
  advertise: advertise.prefault({}).meta({ title: 'Discovery' }),
  predefined: z
    .array(predefined)
    .max(65535)
    .default([])
    .meta({ title: 'Predefined topics', ...live }),
  window: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .meta({
      title: 'Deliveries that may wait for their acknowledgement at once, per client',
      description: 'The standard allows one. Applies to clients that connect afterwards.',
      ...live,
    }),
  retry: retry.prefault({}).meta({ title: 'Retransmission' }),
  keepAliveFactor: z
    .number()
    .min(1)
    .max(10)
    .default(1.5)
    .meta({
      title: 'Keep-alive factor',
      description: 'An active client that is silent for so many keep-alive periods is lost, and its will published.',
      ...live,
    }),
  sleepFactor: z
    .number()
    .min(1)
    .max(10)
    .default(1.5)
    .meta({
      title: 'Sleep factor',
      description: 'A sleeping client that is silent for so many times the duration it announced is lost, too.',
      ...live,
    }),
  idleTimeout: duration('1h', {
    title: 'Silence that ends a connection without a keep-alive',
    description: 'For clients that connect with the duration 0.',
    ...live,
  }),
  sessionExpiry: duration('2h', {
    title: 'How long a session outlives its connection',
    description: 'For clients that connect with CleanSession 0.',
    ...live,
  }),
  roaming: z
    .boolean()
    .default(true)
    .meta({
      title: 'A client may go on from another address',
      description:
        'A CONNECT or a PINGREQ that names a known client id moves its session. A client id is no secret: turn this off where the network in between is not trusted.',
      ...live,
    }),
  maxClientIdLength: z
    .int()
    .min(1)
    .max(1000)
    .default(64)
    .meta({
      title: 'Longest client id',
      description: 'In characters. The standard has 23; many clients use more.',
      ...live,
    }),
  maxTopics: z
    .int()
    .min(1)
    .max(MAX_TOPIC_ID - FIRST_TOPIC_ID + 1)
    .default(1024)
    .meta({
      title: 'Topic ids per client',
      description: 'Further registrations are answered congestion.',
      ...live,
    }),
  registerAgain: z
    .boolean()
    .default(false)
    .meta({
      title: 'Register topics again after CONNECT',
      description:
        'A client that goes on with its session (CleanSession 0) is told the id of a topic again before the first message on it: for clients that forget their ids and do not say so. By default they are told when they answer "unknown topic id".',
      ...live,
    }),
  maxDatagram: size(MAX_DATAGRAM, {
    title: 'Longest datagram to a client',
    description: 'There is no fragmentation: a message that needs more is dropped and counted.',
    ...live,
  }),
  maxStrayReplies: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(1000)
    .meta({
      title: 'Answers to strangers, per second',
      description: 'To SEARCHGW, and DISCONNECT to who is not connected. Nobody else is to be flooded through this gateway.',
      ...live,
    }),
  qosMinus1: qosMinus1.prefault({}).meta({ title: 'Publishes without a connection' }),
  forwarder: forwarder.prefault({}).meta({ title: 'Forwarder encapsulation' }),
  protection: protection.prefault({}).meta({ title: 'Protection encapsulation, of version 2.0' }),
})

export type Config = z.output<typeof config>
