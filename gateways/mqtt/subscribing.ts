/** SUBSCRIBE and UNSUBSCRIBE (MQTT 5.0 sections 3.8 to 3.11): one acknowledgement, one code per filter. */
import type { ISubscribePacket, IUnsubscribePacket } from 'mqtt-packet'
import type { Link, Malformed, QoS, SubscribeOptions, SubscribeOutcome } from '#sdk'
import { malformed } from '#sdk'
import type { Version } from './codec/control.ts'
import { encodeControl } from './codec/control.ts'
import { NO_SUBSCRIPTION_EXISTED, subscribeReason } from './codec/reasons.ts'

/** 3.1.1 section 3.9.3. */
const FAILURE_V3 = 0x80

interface Pending {
  readonly packetId: number
  readonly codes: number[]
  left: number
}

export class Subscribing {
  readonly #link: Link
  readonly #version: Version
  readonly #pending = new Map<number, { pending: Pending; index: number }>()
  #nextTag = 0

  constructor(link: Link, version: Version) {
    this.#link = link
    this.#version = version
  }

  /** True when nothing waits. */
  get idle(): boolean {
    return this.#pending.size === 0
  }

  subscribe(packet: ISubscribePacket): Malformed | undefined {
    const { subscriptions, messageId } = packet
    if (subscriptions.length === 0) return malformed('no-filters', 0, true) // [MQTT-3.8.3-2]
    const id = packet.properties?.subscriptionIdentifier
    if (subscriptions.some(({ topic, nl }) => nl === true && topic.startsWith('$share/')))
      return malformed('no-local-on-shared', 0, true) // [MQTT-3.8.3-4]
    const pending: Pending = { packetId: messageId ?? 0, codes: [], left: subscriptions.length }
    const firstTag = this.#nextTag
    this.#nextTag += subscriptions.length
    // All are known before the first verdict, which may come at once.
    for (const index of subscriptions.keys()) this.#pending.set(firstTag + index, { pending, index })
    for (const [index, { topic, qos, nl, rap, rh }] of subscriptions.entries()) {
      const options: SubscribeOptions = {
        qos: qos as QoS,
        noLocal: nl ?? false,
        retainAsPublished: rap ?? false,
        retainHandling: (rh ?? 0) as 0 | 1 | 2,
        ...(id !== undefined && { id }),
      }
      this.#link.subscribe(topic, options, firstTag + index)
    }
    return undefined
  }

  /** The broker's verdict on one filter; the last one sends SUBACK. */
  granted(tag: number, outcome: SubscribeOutcome): void {
    const entry = this.#pending.get(tag)
    if (entry === undefined) return
    this.#pending.delete(tag)
    const { pending, index } = entry
    pending.codes[index] = this.#version === 5 ? subscribeReason(outcome) : typeof outcome === 'number' ? outcome : FAILURE_V3
    if (--pending.left > 0) return
    this.#link.send(encodeControl({ cmd: 'suback', messageId: pending.packetId, granted: pending.codes }, this.#version))
  }

  unsubscribe(packet: IUnsubscribePacket): Malformed | undefined {
    const { unsubscriptions, messageId } = packet
    if (unsubscriptions.length === 0) return malformed('no-filters', 0, true) // [MQTT-3.10.3-2]
    const granted = unsubscriptions.map((filter) => (this.#link.unsubscribe(filter) ? 0 : NO_SUBSCRIPTION_EXISTED))
    this.#link.send(encodeControl({ cmd: 'unsuback', messageId: messageId ?? 0, granted }, this.#version))
    return undefined
  }
}
