/**
 * Messages on their way to one client of MQTT-SN 2.0: one request at a time, a topic that the client does not know
 * registered first, and each repeated with growing patience until it is answered.
 */
import type { Delivery, Link } from '#sdk'
import {
  BACKOFF_MS,
  encodePacket,
  FIRST_RETRY_MS,
  isFailure,
  MAX_BACKOFF_MS,
  type Packet,
  type PacketOf,
  Reason,
  TopicKind,
  type TopicRef,
} from '../codec/v2/index.ts'
import { Kept } from '../kept.ts'
import type { Shared } from '../shared.ts'

const LAST_PACKET_ID = 0xffff

/** Says something to one client, through whatever stands between. */
export interface Speaker {
  send(packet: Packet): void
}

export interface Receiver extends Speaker {
  readonly clientId: string
  /** Octets that a packet to it may have. */
  readonly maxPacketBytes: number
}

interface Outgoing {
  readonly delivery: Delivery
  /** What the client has to answer next. */
  step: 'register' | 'publish' | 'release'
  dup: boolean
  /** The client would not learn the topic: it is told the name each time. */
  byName: boolean
}

export class Downlink {
  readonly #shared: Shared
  readonly #link: Link
  readonly #receiver: Receiver
  /** The first is the one under way; more than one wait only after a resumption. */
  readonly #open: Outgoing[] = []
  #attempts = 0
  #registerId = 0
  #alias = 0
  #paused = false
  /** When `repeat` has something to do, ms since the epoch; 0 is never. */
  dueAt = 0

  constructor(shared: Shared, link: Link, receiver: Receiver) {
    this.#shared = shared
    this.#link = link
    this.#receiver = receiver
  }

  get size(): number {
    return this.#open.length
  }

  take(delivery: Delivery): void {
    const step = delivery.released ? 'release' : 'publish'
    const outgoing: Outgoing = { delivery, step, dup: delivery.dup, byName: false }
    this.#open.push(outgoing)
    if (this.#open[0] === outgoing && !this.#paused) this.#start(outgoing)
  }

  // ---- answers -------------------------------------------------------------------------------------------------

  receive(packet: PacketOf<'regack' | 'puback' | 'pubrec' | 'pubcomp'>): void {
    const outgoing = this.#open[0]
    if (outgoing === undefined || !this.#fits(packet, outgoing)) {
      this.#link.count('unmatched-answer')
      // Released in another life, or never: the release ends the exchange either way.
      if (packet.type === 'pubrec' && !isFailure(packet.reason)) {
        this.#receiver.send({ type: 'pubrel', packetId: packet.packetId, reason: Reason.packetIdNotFound })
      }
    } else if (packet.type === 'regack') {
      if (isFailure(packet.reason)) outgoing.byName = true
      else Kept.of(this.#link).confirm(this.#alias)
      outgoing.step = 'publish'
      this.#begin(outgoing)
    } else if (packet.reason === Reason.unknownAlias && !outgoing.byName) {
      const kept = Kept.of(this.#link)
      const alias = kept.known(outgoing.delivery.message.topic)
      if (alias !== undefined) kept.forget(alias)
      else outgoing.byName = true
      this.#start(outgoing)
    } else if (isFailure(packet.reason)) {
      this.#done(outgoing, 'publish-refused')
    } else if (packet.type === 'pubrec') {
      this.#link.received(packet.packetId)
      outgoing.step = 'release'
      this.#begin(outgoing)
    } else {
      this.#done(outgoing)
    }
  }

  #fits({ type, packetId }: { type: string; packetId: number }, { step, delivery }: Outgoing): boolean {
    if (type === 'regack') return step === 'register' && packetId === this.#registerId
    if (delivery.id !== packetId) return false
    if (type === 'pubcomp') return step === 'release'
    return step !== 'register' && delivery.qos === (type === 'puback' ? 1 : 2)
  }

  // ---- time ----------------------------------------------------------------------------------------------------

  /** Sends again what is due; false when the client has missed too many repetitions. */
  repeat(): boolean {
    const outgoing = this.#open[0]
    if (outgoing === undefined || this.dueAt === 0 || this.dueAt > this.#link.now()) return true
    if (this.#attempts >= this.#shared.config.retry.attempts) return false
    this.#attempts++
    this.#link.count('retransmitted')
    this.#say(outgoing)
    return true
  }

  /** The client does not listen: nothing is sent until `resume`. */
  pause(): void {
    this.#paused = true
    this.dueAt = 0
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#next()
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  #next(): void {
    const outgoing = this.#open[0]
    if (outgoing !== undefined && !this.#paused) this.#start(outgoing)
  }

  /** Its topic first, unless the client knows it. */
  #start(outgoing: Outgoing): void {
    if (outgoing.step !== 'release') {
      outgoing.step = 'publish'
      const { topic } = outgoing.delivery.message
      if (this.#topicOf(outgoing) === undefined) {
        const alias = Kept.of(this.#link).propose(this.#link, topic, this.#shared.config.maxTopics)
        if (alias === undefined) outgoing.byName = true
        else {
          this.#alias = alias
          this.#registerId = this.#registerId === LAST_PACKET_ID ? 1 : this.#registerId + 1
          outgoing.step = 'register'
        }
      }
    }
    this.#begin(outgoing)
  }

  #begin(outgoing: Outgoing): void {
    this.#attempts = 0
    this.#say(outgoing)
  }

  #say(outgoing: Outgoing): void {
    const packet = this.#packetOf(outgoing)
    if (encodePacket(packet).length > this.#receiver.maxPacketBytes) {
      this.#done(outgoing, 'too-large')
      return
    }
    this.dueAt = this.#link.now() + waitMs(this.#attempts)
    this.#receiver.send(packet)
    if (outgoing.step !== 'publish') return
    outgoing.dup = true
    if (outgoing.delivery.qos === 0) this.#done(outgoing)
  }

  #packetOf(outgoing: Outgoing): Packet {
    const { delivery, step, dup } = outgoing
    const { id, qos, retain, message } = delivery
    if (step === 'release') return { type: 'pubrel', packetId: id, reason: Reason.success }
    if (step === 'register') {
      return { type: 'register', packetId: this.#registerId, alias: this.#alias, topic: message.topic }
    }
    const topic = this.#topicOf(outgoing) ?? { topicKind: TopicKind.name, alias: 0, topic: message.topic }
    const packetId = qos === 0 ? 0 : id
    // Only QoS 2 knows duplicates; else a repetition is the same, octet for octet.
    return { type: 'publish', dup: dup && qos === 2, qos, retain, packetId, ...topic, payload: message.payload }
  }

  /** How the client knows the topic; undefined: it is to be told. */
  #topicOf({ delivery, byName }: Outgoing): TopicRef | undefined {
    const { topic } = delivery.message
    if (byName) return { topicKind: TopicKind.name, alias: 0, topic }
    const predefined = this.#shared.predefined.id(topic, this.#receiver.clientId)
    if (predefined !== undefined) return { topicKind: TopicKind.predefined, alias: predefined, topic: '' }
    const alias = Kept.of(this.#link).known(topic)
    return alias === undefined ? undefined : { topicKind: TopicKind.session, alias, topic: '' }
  }

  /** Out of the list first: an acknowledgement brings the next delivery at once, behind those that wait already. */
  #done({ delivery }: Outgoing, failure?: string): void {
    this.#open.shift()
    this.dueAt = 0
    const isFree = this.#open.length === 0
    if (failure === undefined) this.#link.ack(delivery.id)
    else this.#link.nack(delivery.id, failure)
    if (!isFree) this.#next()
  }
}

/** The first wait, then one second and twice as long each time. */
function waitMs(attempts: number): number {
  return attempts === 0 ? FIRST_RETRY_MS : Math.min(BACKOFF_MS * 2 ** (attempts - 1), MAX_BACKOFF_MS)
}
