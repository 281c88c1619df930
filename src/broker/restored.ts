/** What a store found of an earlier process, and how it becomes sessions again. */
import type { Message, QoS, SubscribeOptions, Will } from '../sdk.ts'
import { Client } from './client.ts'
import type { Delayed } from './delayed.ts'
import { DeliveryRecord } from './delivery.ts'
import { Memory } from './memory.ts'
import type { Outbox } from './outbox.ts'
import type { Port } from './port.ts'
import type { Subscriptions } from './subscriptions.ts'

export interface Restored {
  readonly sessions: Iterable<RestoredSession>
  readonly retained: Iterable<Message>
  readonly delayed: Iterable<Delayed>
  /** The highest number that a session had. */
  readonly lastNumber: number
}

export interface RestoredSession {
  readonly number: number
  readonly id: string
  /** Name of the gateway instance. */
  readonly gateway: string
  readonly protocol: string
  readonly version?: string
  readonly username?: string
  readonly expiryMs: number
  readonly keepAliveMs: number
  readonly window: number
  readonly will?: Will
  /** The process ended while the client was connected. */
  readonly connected: boolean
  readonly since: number
  /** When its connection had ended before: when the session ends, and when its will is due. */
  readonly endsAt: number
  readonly willAt: number
  readonly subscriptions: Iterable<readonly [filter: string, options: RestoredSubscription]>
  readonly memory: Iterable<readonly [key: string, value: string]>
  /** In the order in which they were first offered. */
  readonly deliveries: Iterable<RestoredDelivery>
}

export interface RestoredSubscription extends SubscribeOptions {
  /** Retained messages were still to be sent: they are sent again, from the first. */
  readonly replaying?: boolean
}

export interface RestoredDelivery {
  readonly message: Message
  readonly stored: number
  /** 0 waits in the queue; else it was sent, or about to be. */
  readonly id: number
  readonly qos: QoS
  readonly retain: boolean
  readonly released: boolean
  readonly subscriptionIds?: readonly number[]
  /** The shared filter that chose this client. */
  readonly shared?: string
}

/** An absent client with its subscriptions and deliveries. Who was connected lost its connection just now. */
export function restoreSession(
  session: RestoredSession,
  port: Port,
  now: number,
  subscriptions: Subscriptions,
  outbox: Outbox,
): Client {
  const { connected, will } = session
  const request = { ...session, clientId: session.id, cleanStart: false, receiveMaximum: session.window }
  const client = new Client(session.id, port, undefined, request, session.since)
  client.offlineReason = connected ? 'connection-lost' : 'disconnected'
  if (connected) client.since = now
  client.endsAt = connected ? now + session.expiryMs : session.endsAt
  if (will !== undefined) client.willAt = connected ? now + will.delayMs : session.willAt
  for (const [key, value] of session.memory) {
    client.memory ??= new Memory()
    client.memory.set(key, value)
  }
  for (const [filter, options] of session.subscriptions) subscriptions.restore(client, filter, options)
  client.number = session.number // from here on, changes are told to the store
  const records = [...session.deliveries].map((delivery) => {
    const { message, qos, retain, shared } = delivery
    const subscription = shared === undefined ? undefined : client.subscription(shared)
    const record = new DeliveryRecord(message, qos, retain, subscription, delivery.subscriptionIds)
    record.id = delivery.id
    record.stored = delivery.stored
    record.released = delivery.released
    return record
  })
  outbox.restore(client, records)
  return client
}
