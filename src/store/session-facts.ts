/** A session's own facts, its will, and its subscriptions as JSON: written when somebody connects, not for a message. */
import type { Client } from '../broker/client.ts'
import type { RestoredSession, RestoredSubscription } from '../broker/restored.ts'
import type { Subscription } from '../broker/subscription.ts'
import type { Will } from '../sdk.ts'
import { messageBlockBytes, propertiesText, readMessageBlock, writeMessageBlock } from './message-block.ts'

export type SessionFacts = Omit<RestoredSession, 'number' | 'subscriptions' | 'memory' | 'deliveries'>

/** JSON has no infinity. */
const FOREVER = -1

export function sessionText(client: Client): string {
  const { id, protocol, version, username, keepAliveMs, window, connected, since, will, willAt } = client
  return JSON.stringify({
    id,
    gateway: client.port.gateway,
    protocol,
    version,
    username,
    keepAliveMs,
    window,
    connected,
    since,
    expiryMs: finite(client.expiryMs),
    endsAt: finite(client.endsAt),
    ...(will !== undefined && { will: writeWill(will), willAt }),
  })
}

export function parseSession(text: string): SessionFacts {
  const { will, expiryMs, endsAt, willAt = 0, ...rest } = JSON.parse(text) as SessionFacts & { will?: WrittenWill }
  return {
    ...rest,
    willAt,
    expiryMs: infinite(expiryMs),
    endsAt: infinite(endsAt),
    ...(will !== undefined && { will: readWill(will) }),
  }
}

export function subscriptionText(subscription: Subscription, replaying: boolean): string {
  const { filter, qos, noLocal, retainAsPublished, liveOnly, ids } = subscription
  return JSON.stringify({
    filter,
    qos,
    ...(noLocal && { noLocal }),
    ...(retainAsPublished && { retainAsPublished }),
    ...(liveOnly && { liveOnly }),
    ...(ids !== undefined && { id: ids[0] }),
    ...(replaying && { replaying }),
  })
}

export function parseSubscription(text: string): readonly [filter: string, options: RestoredSubscription] {
  const { filter, ...options } = JSON.parse(text) as RestoredSubscription & { readonly filter: string }
  return [filter, options]
}

interface WrittenWill {
  /** A message block, base64. */
  readonly message: string
  readonly delayMs: number
  readonly expiryMs?: number
}

function writeWill({ message, delayMs, expiryMs }: Will): WrittenWill {
  const properties = propertiesText(message)
  const buffer = Buffer.allocUnsafe(messageBlockBytes(message, properties))
  const end = writeMessageBlock(buffer, 0, message, properties)
  return { message: buffer.toString('base64', 0, end), delayMs, ...(expiryMs !== undefined && { expiryMs }) }
}

function readWill({ message, delayMs, expiryMs }: WrittenWill): Will {
  const buffer = Buffer.from(message, 'base64')
  return { message: readMessageBlock(buffer, 0, buffer.length), delayMs, ...(expiryMs !== undefined && { expiryMs }) }
}

function finite(ms: number): number {
  return ms === Number.POSITIVE_INFINITY ? FOREVER : ms
}

function infinite(ms: number): number {
  return ms === FOREVER ? Number.POSITIVE_INFINITY : ms
}
