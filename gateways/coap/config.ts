/** The gateway's settings. Every limit, default and unit of it stands here, once. */

import * as z from 'zod'
import { duration, type FieldInfo, size } from '#sdk/schema'
import { oscore } from './oscore/config.ts'

function info(title: string, description: string): FieldInfo {
  return { title, description, 'x-reload': 'gateway' }
}

function count(fallback: number, min: number, max: number, title: string, description: string) {
  return z.int().min(min).max(max).default(fallback).meta(info(title, description))
}

const QOS_RULES = ['coap', 'qos0', 'qos1', 'qos2'] as const

const transmission = z
  .strictObject({
    ackTimeout: duration('2s', info('ACK_TIMEOUT', 'How long to wait for the first acknowledgement, RFC 7252 4.8')),
    ackRandomFactor: z
      .number()
      .min(1)
      .max(10)
      .default(1.5)
      .meta(info('ACK_RANDOM_FACTOR', 'The first wait is up to this many times as long, at random')),
    maxRetransmit: count(4, 0, 10, 'MAX_RETRANSMIT', 'Repetitions of a confirmable message; then the peer counts as unreachable'),
    nstart: count(1, 1, 64, 'NSTART', 'Confirmable messages under way to one address at a time; further ones wait'),
    maxLatency: duration('100s', info('MAX_LATENCY', 'How long a datagram may live in the network, RFC 7252 4.8.2')),
    separateAfter: duration('1s', info('Separate response after', 'A request still unanswered then is acknowledged first')),
  })
  .meta({ title: 'Transmission', description: 'Message layer of RFC 7252; derived times follow' })

const blockwise = z
  .strictObject({
    maxBlockSize: z
      .literal([16, 32, 64, 128, 256, 512, 1024])
      .default(1024)
      .meta(info('Block size', 'Largest block in either direction, in bytes')),
    maxBodySize: size('1MiB', info('Body size', 'Largest body in either direction; larger ones get 4.13, or are not delivered')),
    maxTransfers: count(4, 1, 1000, 'Transfers', 'Unfinished transfers of one address, each way; the oldest gives way'),
    qBlock: z
      .boolean()
      .default(true)
      .meta(
        info(
          'Q-Block',
          'Whether bursts of blocks are taken and sent where the device asks for them, RFC 9177; else they are refused with 4.02',
        ),
      ),
    maxMemory: size('64MiB', info('Transfer memory', 'Bytes of unfinished transfers in total; beyond it uploads get 5.03')),
  })
  .meta({ title: 'Block-wise transfer', description: 'RFC 7959' })

const limits = z
  .strictObject({
    maxClients: count(1_000_000, 1, 100_000_000, 'Clients', 'Client ids in total; further ones get 5.03'),
    maxClientsPerAddress: count(
      1000,
      1,
      1_000_000,
      'Clients per address',
      'Client ids behind one address; further ones get 5.03',
    ),
    maxObservations: count(100, 0, 100_000, 'Observations', 'Observations of one client; further ones get 5.03, or no Observe'),
    maxPendingRequests: count(
      16,
      1,
      10_000,
      'Pending requests',
      'Requests of one client that wait for its login; further ones get 5.03',
    ),
    maxExchanges: count(128, 16, 65_536, 'Exchanges', 'Requests of one address kept against repetition; the oldest is forgotten'),
    maxReplySize: size(
      '64KiB',
      info('Kept replies', 'Bytes of answers of one address kept against repetition; the oldest are forgotten'),
    ),
    maxTopics: count(10_000, 0, 10_000_000, 'Topics', 'Topics configured at /pubsub; further ones get 5.03'),
    maxMessageSize: size(
      '128KiB',
      info('Message size', 'Largest message over TCP, TLS and WebSocket; a larger one ends the connection'),
    ),
    maxListed: count(2000, 0, 100_000, 'Listed topics', 'Retained topics that discovery looks at; further ones are left out'),
    window: count(16, 1, 65_535, 'Window', 'Notifications of one client under way; the broker queues further ones'),
  })
  .meta({ title: 'Limits', description: 'Bounds of memory, and what happens at each' })

export const config = z
  .strictObject({
    connectionRequired: z
      .boolean()
      .default(false)
      .meta(info('Connection mode', 'Devices must log in at /mqtt/connection and show their token in every request')),
    heartbeat: duration('30s', info('Heartbeat', 'A logged-in device silent for one and a half times as long is closed')),
    idleTimeout: duration('5m', info('Idle timeout', 'A device without login and observations silent for so long is offline')),
    maxIdle: duration('24h', info('Observer timeout', 'A device with observations that was not heard of for so long is closed')),
    confirmAfter: duration(
      '1h',
      info('Confirm after', 'A notification is confirmable when its observer was not heard of for so long, RFC 7641 4.5'),
    ),
    confirmEvery: count(
      32,
      1,
      1_000_000,
      'Confirm every',
      'After so many notifications in a row without an answer the next is confirmable, and holds up others, RFC 7641 4.5.1',
    ),
    publishQos: z
      .enum(QOS_RULES)
      .default('coap')
      .meta(info('Publish QoS', 'QoS of a publish that names none; coap: 1 for confirmable requests, else 0')),
    subscribeQos: z
      .enum(QOS_RULES)
      .default('coap')
      .meta(info('Subscribe QoS', 'QoS of an observation that names none; coap: 1 for confirmable requests, else 0')),
    notifyType: z
      .enum(['qos', 'con', 'non'])
      .default('qos')
      .meta(info('Notification type', 'Confirmable always, never, or by QoS: QoS 0 is not, 1 and 2 are')),
    echo: z
      .enum(['off', 'large'])
      .default('off')
      .meta(
        info(
          'Echo',
          'large: who is not known to be at its address must repeat what asks for a large answer or an observation, RFC 9175 2.4; some clients cannot',
        ),
      ),
    oscore,
    transmission: transmission.prefault({}),
    blockwise: blockwise.prefault({}),
    limits: limits.prefault({}),
  })
  .meta({ title: 'CoAP', description: 'CoAP publish and observe, RFC 7252, 7641, 7959, 8323 and 8613' })

export type CoapConfig = z.output<typeof config>
