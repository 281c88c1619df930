/**
 * Fan-in and fan-out. Publishers take turns; each sends a burst of up to 16 messages in one write while fewer than
 * `window` are on their way, or, at a given rate, as many as are due; with QoS 1 while fewer than 100 of its own are
 * unacknowledged.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { AckCounter } from './ack-counter.ts'
import type { Workload } from './closed-loop.ts'
import { ClosedLoop } from './closed-loop.ts'
import type { Connection } from './connection.ts'
import { openConnections } from './connection.ts'
import { FrameReader } from './frame-reader.ts'
import { FrameRing, MAX_BURST } from './frame-ring.ts'
import type { LoadQos, LoadResult, MqttJob } from './job.ts'
import { Latency } from './latency.ts'
import { Pace } from './pace.ts'
import { Pings } from './pings.ts'
import { StampReader } from './stamp.ts'

const MAX_UNACKNOWLEDGED = 100

/** Lets the server finish with the handshakes before the clock starts. */
const SETTLE_MS = 200

/** Two digits, so that the topics of all publishers, and so their frames, have one length. */
const FIRST_DEVICE = 10
const MAX_PUBLISHERS = 90

const BROADCAST = 'bcast/all'

class Publisher {
  readonly #connection: Connection
  readonly #ring: FrameRing
  readonly #qos: LoadQos
  readonly #acknowledged = new AckCounter()
  #sent = 0

  constructor(connection: Connection, ring: FrameRing, qos: LoadQos, wake: () => void) {
    this.#connection = connection
    this.#ring = ring
    this.#qos = qos
    if (qos === 1) {
      connection.onChunk = (chunk, length) => {
        this.#acknowledged.read(chunk, length)
        wake()
      }
    }
  }

  get unacknowledged(): number {
    return this.#qos === 0 ? 0 : this.#sent - this.#acknowledged.acks
  }

  /** Sends one burst of at most `count`; says how many it was. */
  burst(count: number, sentAtMs: number): number {
    if (this.#connection.blocked) return 0
    const size = Math.min(count, MAX_BURST, MAX_UNACKNOWLEDGED - this.unacknowledged)
    if (size <= 0) return 0
    this.#connection.write(this.#ring.take(size, sentAtMs))
    this.#sent += size
    return size
  }
}

class MqttLoad implements Workload {
  readonly latency = new Latency()
  readonly #window: number
  readonly #copies: number
  readonly #pace: Pace | undefined
  readonly #pings: Pings | undefined
  readonly #publishers: Publisher[] = []
  readonly #sample = (sentAtMs: number) => this.latency.add(performance.now() - sentAtMs)
  #published = 0
  #delivered = 0

  constructor(window: number, copies: number, pace: Pace | undefined, pings: Pings | undefined) {
    this.#window = window
    this.#copies = copies
    this.#pace = pace
    this.#pings = pings
  }

  begin(nowMs: number): void {
    this.#pace?.begin(nowMs, this.#published)
    this.#pings?.clear()
  }

  end(): void {
    this.#pace?.end()
  }

  publishWith(publisher: Publisher): void {
    this.#publishers.push(publisher)
  }

  receiveWith(connection: Connection, topic: string, qos: LoadQos, publishers: number, wake: () => void): void {
    const reader = new FrameReader(topic, qos, new StampReader(publishers, this.#sample))
    connection.onChunk = (chunk, length) => {
      const before = reader.frames
      reader.read(chunk, length)
      this.#delivered += reader.frames - before
      const acks = reader.takeAcks()
      if (acks !== undefined) connection.write(acks)
      wake()
    }
  }

  delivered(): number {
    return this.#delivered
  }

  due(): number {
    return this.#published * this.#copies
  }

  complete(): boolean {
    return this.#delivered === this.due() && this.#publishers.every((publisher) => publisher.unacknowledged === 0)
  }

  fill(nowMs: number): boolean {
    // A publish counts against the window until its last copy has arrived.
    const limit = this.#pace?.limit(nowMs) ?? this.#window + this.#delivered / this.#copies
    // At a rate every publisher takes its share: else the first would send all that a moment has.
    const share = this.#pace === undefined ? MAX_BURST : Math.ceil((limit - this.#published) / this.#publishers.length)
    let progress = true
    while (progress && this.#published < limit) {
      progress = false
      for (const publisher of this.#publishers) {
        if (this.#published >= limit) break
        const sentAtMs = this.#pace?.dueMs(this.#published) ?? nowMs
        const sent = publisher.burst(Math.min(share, Math.ceil(limit - this.#published)), sentAtMs)
        this.#published += sent
        if (sent > 0) progress = true
      }
    }
    return true
  }
}

export async function runMqttLoad(job: MqttJob): Promise<LoadResult> {
  if (job.publishers > MAX_PUBLISHERS) throw new Error(`at most ${MAX_PUBLISHERS} publishers`)
  const fanIn = job.shape === 'fan-in'
  const topicOf = (publisher: number) => (fanIn ? `dev/${FIRST_DEVICE + publisher}/up` : BROADCAST)
  const filter = job.filter ?? (fanIn ? 'dev/+/up' : BROADCAST)
  const pings = job.pings === true ? await Pings.start(job.port) : undefined
  let loop: ClosedLoop | undefined
  const wake = () => loop?.wake()
  const load = new MqttLoad(job.window, job.subscribers, job.rate === undefined ? undefined : new Pace(job.rate, wake), pings)
  loop = new ClosedLoop(load)
  const subscription = { filter: () => filter, qos: job.qos }
  const subscribers = await openConnections(job.port, 'bench-sub', job.subscribers, subscription, job.persistent)
  for (const subscriber of subscribers) load.receiveWith(subscriber, topicOf(0), job.qos, job.publishers, wake)
  const publishers = await openConnections(job.port, 'bench-pub', job.publishers)
  for (const [index, connection] of publishers.entries()) {
    load.publishWith(new Publisher(connection, new FrameRing(index, topicOf(index), job.qos), job.qos, wake))
  }
  await delay(SETTLE_MS)
  await loop.measure(job.serverPid, job.warmSeconds)
  const result = await loop.measure(job.serverPid, job.seconds)
  return pings === undefined ? result : { ...result, ...(await pings.stop()) }
}
