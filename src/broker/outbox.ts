/**
 * One client's way out: window, queue, hold and redelivery. Order is kept: once something waits, everything behind it
 * waits too. Rules of the port: `deliver` may answer busy, so a slow receiver costs nobody else anything.
 */
import type { Message, QoS } from '../sdk.ts'
import type { Client, Replay } from './client.ts'
import { DeliveryRecord } from './delivery.ts'
import type { Journal } from './journal.ts'
import type { DropReason, Surroundings } from './port.ts'
import type { DeliveryQueue } from './queue.ts'
import { RECORD_BYTES } from './queue.ts'
import type { SlowSubscribers } from './slow-subscribers.ts'
import type { BrokerStats } from './stats.ts'
import type { Subscription } from './subscription.ts'

/** Retained messages that an acknowledgement, or a wire that drained, lets go at once. */
const PUMPED = 100

export class Outbox {
  readonly #surroundings: Surroundings
  readonly #stats: BrokerStats
  readonly #maxTotalBytes: number
  readonly #journal: Journal | undefined
  readonly #slow: SlowSubscribers | undefined
  readonly #unfinished: (client: Client) => void
  #order = 0

  /** `unfinished` is told of a client with more retained messages to come than it got at once. */
  constructor(surroundings: Surroundings, stats: BrokerStats, maxTotalBytes: number, unfinished: (client: Client) => void) {
    this.#unfinished = unfinished
    this.#surroundings = surroundings
    this.#stats = stats
    this.#maxTotalBytes = maxTotalBytes
    this.#journal = surroundings.journal
    this.#slow = surroundings.slow
  }

  /** Sends or queues; false when the message was dropped (and counted). */
  offer(client: Client, record: DeliveryRecord): boolean {
    if (!client.connected) return this.#offerAbsent(client, record)
    if (client.held || client.redeliver !== undefined || (client.queue !== undefined && client.queue.size > 0)) {
      if (!this.#enqueue(client, record)) return false
      if (client.credit > 0) this.pump(client)
      return true
    }
    if (record.qos > 0 || client.trackQos0) {
      const window = client.openWindow()
      if (window.size >= client.window) return this.#enqueue(client, record)
      record.order = ++this.#order
      window.add(record)
      if (client.number !== 0) this.#store(client, record)
      if (client.port.deliver(client, record)) {
        this.#stats.sent++
        return true
      }
      window.take(record.id)
      record.id = 0
    } else if (client.port.deliver(client, record)) {
      this.#stats.sent++
      return true
    }
    client.held = true
    return this.#enqueue(client, record)
  }

  /** Sends what may go now: redeliveries, then the queue, then replays of retained messages, at most `budget` of them. */
  pump(client: Client, budget = PUMPED): void {
    if (client.pumping) return
    client.pumping = true
    try {
      if (client.redeliver !== undefined && !this.#repeat(client, client.redeliver)) return
      if (client.queue !== undefined && !this.#drain(client, client.queue)) return
      if (client.replays !== undefined) this.#replay(client, client.replays, budget)
    } finally {
      client.pumping = false
    }
  }

  /** The client is gone but its session stays: keep what a later connection must see, drop what would be stale. */
  park(client: Client): void {
    client.held = false
    client.credit = 0
    client.redeliver = undefined
    const replays = client.replays?.filter(({ subscription }) => subscription.qos > 0 && !subscription.liveOnly)
    client.replays = replays?.length === 0 ? undefined : replays
    const stale = (record: DeliveryRecord): boolean =>
      record.liveOnly || (record.qos === 0 && !client.port.limits.queueQos0Offline)
    client.queue?.purge(stale, (record) => this.drop('offline', record.message, client))
    if (client.inflight === undefined) return
    for (const record of client.inflight.inOrder()) {
      if (record.liveOnly || record.qos === 0) {
        client.inflight.take(record.id)
        this.drop('offline', record.message, client)
      } else {
        record.message = record.message.kept()
      }
    }
  }

  /** A session goes on: until its connect was answered (`resume`), what comes waits in order [OASIS 3.2.0-1]. */
  wait(client: Client): void {
    client.redeliver = []
  }

  /** After the connect was answered: unacknowledged deliveries first, in order, with the dup flag [OASIS 4.4.0-1]. */
  resume(client: Client): void {
    const records = client.inflight?.inOrder()
    if (records !== undefined && records.length > 0) {
      for (const record of records) record.dup = true
      client.redeliver = records
    }
    this.pump(client)
  }

  ack(client: Client, id: number): boolean {
    const record = client.inflight?.take(id)
    if (record === undefined) return false
    if (record.stored !== 0) this.#journal?.done(client, record)
    if (this.#slow !== undefined) this.#slow.done(client, record, this.#surroundings.now())
    const { redeliver } = client
    const at = redeliver?.indexOf(record) ?? -1
    if (at >= 0) redeliver?.splice(at, 1)
    if (redeliver !== undefined || client.queue !== undefined || client.replays !== undefined) this.pump(client)
    return true
  }

  received(client: Client, id: number): boolean {
    const record = client.inflight?.get(id)
    if (record === undefined || record.qos !== 2) return false
    record.released = true
    if (record.stored !== 0) this.#journal?.received(client, record)
    return true
  }

  nack(client: Client, id: number): boolean {
    if (!this.ack(client, id)) return false
    this.#stats.refused++
    return true
  }

  hold(client: Client): void {
    client.held = true
    client.credit = 0
  }

  release(client: Client, count?: number): void {
    if (count === undefined) client.held = false
    else client.credit += count
    this.pump(client)
  }

  /** The session is over: everything still waiting is handed to `orphan`. */
  clear(client: Client, orphan: (record: DeliveryRecord) => void): void {
    for (const record of client.inflight?.inOrder() ?? []) orphan(record)
    client.queue?.purge(() => true, orphan)
    client.inflight = undefined
    client.queue = undefined
    client.redeliver = undefined
    client.replays = undefined
  }

  /** What an earlier process left: what it had sent keeps its identifier, the rest waits. */
  restore(client: Client, records: readonly DeliveryRecord[]): void {
    for (const record of records) {
      record.order = ++this.#order
      if (record.id !== 0 && client.openWindow().restore(record)) continue
      record.id = 0
      client.openQueue(this.#stats).push(record)
    }
  }

  /** The session is stored no more. */
  forget(client: Client): void {
    for (const record of client.inflight?.inOrder() ?? []) record.stored = 0
    client.queue?.each((record) => {
      record.stored = 0
    })
  }

  drop(reason: DropReason, message: Message, client: Client | undefined): void {
    this.#stats.dropped[reason]++
    this.#surroundings.dropped?.(reason, message, client)
  }

  /** What a later connection must see is stored before anybody hears of it. */
  #store(client: Client, record: DeliveryRecord): void {
    if (record.qos > 0 && !record.liveOnly) this.#journal?.queued(client, record)
  }

  #discard(client: Client, record: DeliveryRecord, reason: DropReason): void {
    if (record.stored !== 0) this.#journal?.done(client, record)
    this.drop(reason, record.message, client)
  }

  #offerAbsent(client: Client, record: DeliveryRecord): boolean {
    if (record.liveOnly || (record.qos === 0 && !client.port.limits.queueQos0Offline)) {
      // QoS 0 to an absent client is not a loss by contract; a live-only message is reported as unrouted instead.
      return false
    }
    return this.#enqueue(client, record)
  }

  #enqueue(client: Client, record: DeliveryRecord): boolean {
    const { maxQueued, maxQueuedBytes, dropPolicy } = client.port.limits
    const queue = client.openQueue(this.#stats)
    const bytes = record.message.size + RECORD_BYTES
    while (
      queue.size >= maxQueued ||
      queue.bytes + bytes > maxQueuedBytes ||
      this.#stats.queuedBytes + bytes > this.#maxTotalBytes
    ) {
      const victim = dropPolicy === 'drop-oldest' ? queue.shift() : undefined
      this.#discard(client, victim ?? record, 'queue-full')
      if (victim === undefined) return false
    }
    if (client.number !== 0 && record.stored === 0) this.#store(client, record)
    record.message = record.message.kept()
    queue.push(record)
    return true
  }

  #drain(client: Client, queue: DeliveryQueue): boolean {
    while (queue.size > 0) {
      if (!client.connected || (client.held && client.credit === 0)) return false
      const record = queue.shift() as DeliveryRecord
      const { expiresAt } = record.message
      if (expiresAt !== 0 && expiresAt <= this.#surroundings.now()) this.#discard(client, record, 'expired')
      else if (!this.#send(client, record)) {
        queue.unshift(record)
        return false
      }
    }
    return true
  }

  /** False: the receiver cannot take it now. */
  #send(client: Client, record: DeliveryRecord): boolean {
    const tracked = record.qos > 0 || client.trackQos0
    if (tracked) {
      const window = client.openWindow()
      if (window.size >= client.window) return false
      record.order = ++this.#order
      window.add(record)
      if (record.stored !== 0) this.#journal?.sent(client, record)
    }
    if (client.port.deliver(client, record)) {
      this.#stats.sent++
      if (client.held) client.credit--
      return true
    }
    if (tracked) client.inflight?.take(record.id)
    record.id = 0
    client.held = true
    return false
  }

  #repeat(client: Client, records: DeliveryRecord[]): boolean {
    while (records.length > 0) {
      const record = records[0] as DeliveryRecord
      if (client.inflight?.get(record.id) === record) {
        if (!client.connected || (client.held && client.credit === 0)) return false
        // The window of this connection may be smaller than what an earlier one left open [OASIS 3.3.4-9].
        if (client.inflight.size - records.length >= client.window) return false
        if (!client.port.deliver(client, record)) {
          client.held = true
          return false
        }
        this.#stats.sent++
      }
      // An acknowledgement from inside the delivery has taken it off already.
      if (records[0] === record) records.shift()
    }
    client.redeliver = undefined
    return true
  }

  #replay(client: Client, replays: Replay[], budget: number): void {
    let left = budget
    for (let replay = replays[0]; replay !== undefined; replay = replays[0]) {
      const { source, subscription } = replay
      for (;;) {
        if (!client.connected || client.held || (client.inflight?.size ?? 0) >= client.window)
          return this.#postpone(client, replay)
        if (left-- === 0) {
          this.#postpone(client, replay)
          this.#unfinished(client)
          return
        }
        const next = source.next()
        if (next.done) break
        const message = next.value
        if (message === undefined) continue
        const qos = Math.min(message.qos, subscription.qos) as QoS
        this.offer(client, new DeliveryRecord(message, qos, true, subscription))
      }
      replays.shift()
      if (replay.stored) this.#journal?.subscribed(client, subscription)
    }
    client.replays = undefined
  }

  /** The replay goes on later, also on another connection; after a restart from its first message, where one may come twice. */
  #postpone(client: Client, replay: Replay): void {
    const { qos, liveOnly } = replay.subscription
    if (replay.stored || client.number === 0 || qos !== 1 || liveOnly) return
    replay.stored = true
    this.#journal?.subscribed(client, replay.subscription)
  }

  /** A record for a live message to one subscription. */
  record(message: Message, subscription: Subscription): DeliveryRecord {
    const qos = Math.min(subscription.qos, message.qos) as QoS
    const record = new DeliveryRecord(message, qos, subscription.retainAsPublished && message.retain, subscription)
    if (this.#slow !== undefined) this.#slow.offered(record, this.#surroundings.now())
    return record
  }
}
