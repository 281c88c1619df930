/** Plain counters: added to on the data path, read when somebody asks. */
import type { DropReason } from './port.ts'

export class BrokerStats {
  /** Messages that publishers handed over and the core accepted. */
  received = 0
  /** Deliveries handed to ports. */
  sent = 0
  /** Deliveries that receivers refused. */
  refused = 0
  /** Publishes not accepted (not authorized, invalid topic, quota). */
  rejected = 0
  /** Messages that nobody wanted. */
  unrouted = 0
  connects = 0
  takeovers = 0
  expiredSessions = 0
  connected = 0
  maxConnected = 0
  /** Over all clients: what waits in queues, in messages and bytes (payload plus `RECORD_BYTES` each). */
  queued = 0
  queuedBytes = 0
  readonly dropped: Record<DropReason, number> = {
    'queue-full': 0,
    expired: 0,
    offline: 0,
    'session-ended': 0,
    'no-shared-member': 0,
    'retained-limit': 0,
  }

  /** Grows by each copy of a message that is sent or queued; what leaves a queue counts twice. */
  get copies(): number {
    return this.sent + this.queued
  }

  get droppedTotal(): number {
    let total = 0
    for (const count of Object.values(this.dropped)) total += count
    return total
  }
}
