/**
 * One receiver of a message and the state of its delivery:
 *
 *     session(4) id(2) flags(1) [extra-length(2) extra]
 *
 * `extra` is JSON, for deliveries with subscription identifiers or by a shared subscription.
 */
import type { DeliveryRecord } from '../broker/delivery.ts'
import type { QoS } from '../sdk.ts'
import { readSession, SESSION_BYTES, writeSession } from './record-types.ts'

const QOS_MASK = 3
const RETAIN = 4
const RELEASED = 8
const EXTRA = 16

interface Extra {
  readonly ids?: readonly number[]
  /** The shared filter that chose the session. */
  readonly shared?: string
}

export interface Receiver extends Extra {
  readonly session: number
  readonly id: number
  readonly qos: QoS
  readonly retain: boolean
  readonly released: boolean
  readonly end: number
}

/** Undefined where there is nothing to say. */
export function extraText({ subscriptionIds: ids, shared }: DeliveryRecord): string | undefined {
  if (ids === undefined && shared === undefined) return undefined
  return JSON.stringify({ ids, shared: shared?.filter })
}

/** Upper bound of `writeReceiver`. */
export function receiverBytes(extra: string | undefined): number {
  return SESSION_BYTES + 3 + 2 + 3 * (extra?.length ?? 0)
}

/** Returns where it ends. */
export function writeReceiver(
  buffer: Buffer,
  start: number,
  session: number,
  record: DeliveryRecord,
  extra: string | undefined,
): number {
  const at = writeSession(buffer, start, session)
  buffer[at] = record.id >>> 8
  buffer[at + 1] = record.id
  buffer[at + 2] =
    record.qos | (record.retain ? RETAIN : 0) | (record.released ? RELEASED : 0) | (extra === undefined ? 0 : EXTRA)
  if (extra === undefined) return at + 3
  const length = buffer.write(extra, at + 5)
  buffer.writeUInt16BE(length, at + 3)
  return at + 5 + length
}

export function readReceiver(buffer: Buffer, start: number): Receiver {
  const at = start + SESSION_BYTES
  const flags = buffer[at + 2] as number
  let end = at + 3
  let extra: Extra = {}
  if ((flags & EXTRA) !== 0) {
    end = at + 5 + buffer.readUInt16BE(at + 3)
    extra = JSON.parse(buffer.toString('utf8', at + 5, end)) as Extra
  }
  return {
    ...extra,
    session: readSession(buffer, start),
    id: buffer.readUInt16BE(at),
    qos: (flags & QOS_MASK) as QoS,
    retain: (flags & RETAIN) !== 0,
    released: (flags & RELEASED) !== 0,
    end,
  }
}
