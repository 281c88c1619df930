/** SUBSCRIBE and UNSUBSCRIBE (MQTT 5.0 sections 3.8 to 3.11): one acknowledgement, one code per filter. */
import type { ISubscribePacket, IUnsubscribePacket, Packet } from 'mqtt-packet'
import type { Link, Malformed, QoS, SubscribeOptions, SubscribeOutcome } from '#sdk'
import { hasWildcard, isTopicFilter, malformed } from '#sdk'
import type { Version } from './codec/control.ts'
import { NO_SUBSCRIPTION_EXISTED, subscribeReason } from './codec/reasons.ts'
import type { Config } from './config.ts'

/** 3.1.1 section 3.9.3. */
const FAILURE_V3 = 0x80
/** 5.0 section 4.8.2. */
const SHARED = '$share/'

interface Pending {
  readonly packetId: number
  readonly codes: number[]
  /** Why filters were refused, each reason once. */
  readonly reasons: Set<string>
  left: number
}

export class Subscribing {
  readonly #link: Link
  readonly #version: Version
  readonly #config: Config
  readonly #reply: (packet: Packet) => void
  readonly #pending = new Map<number, { pending: Pending; index: number }>()
  #nextTag = 0

  /** `reply` sends an acknowledgement, whose reason in words is a request. */
  constructor(link: Link, version: Version, config: Config, reply: (packet: Packet) => void) {
    this.#link = link
    this.#version = version
    this.#config = config
    this.#reply = reply
  }

  /** True when nothing waits. */
  get idle(): boolean {
    return this.#pending.size === 0
  }

  subscribe(packet: ISubscribePacket): Malformed | undefined {
    const { subscriptions, messageId } = packet
    if (subscriptions.length === 0) return malformed('no-filters', 0, true) // [MQTT-3.8.3-2]
    if (!subscriptions.every(({ topic }) => this.#isFilter(topic))) return malformed('topic-filter', 0, true)
    const id = packet.properties?.subscriptionIdentifier
    if (subscriptions.some(({ topic, nl }) => nl === true && topic.startsWith(SHARED)))
      return malformed('no-local-on-shared', 0, true) // [MQTT-3.8.3-4]
    if (id !== undefined && !this.#config.subscriptionIdentifiers) return malformed('subscription-id-unsupported', 0, true)
    const unsupported = subscriptions.map(({ topic }) => this.#unsupported(topic))
    // A client of 5.0 was told; one of 3.x cannot know, and learns it filter by filter.
    const first = unsupported.find((fault) => fault !== undefined)
    if (this.#version === 5 && first !== undefined) return malformed(first, 0, true) // sections 3.2.2.3.11 and 3.2.2.3.13
    const pending: Pending = { packetId: messageId ?? 0, codes: [], reasons: new Set(), left: subscriptions.length }
    const firstTag = this.#nextTag
    this.#nextTag += subscriptions.length
    // All are known before the first verdict, which may come at once.
    for (const index of subscriptions.keys()) this.#pending.set(firstTag + index, { pending, index })
    for (const [index, { topic, qos, nl, rap, rh }] of subscriptions.entries()) {
      if (unsupported[index] !== undefined) {
        this.granted(firstTag + index, 'shared-unsupported')
        continue
      }
      const options: SubscribeOptions = {
        qos: Math.min(qos, this.#config.maximumQos) as QoS,
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
    if (typeof outcome !== 'number') pending.reasons.add(outcome)
    pending.codes[index] = this.#version === 5 ? subscribeReason(outcome) : typeof outcome === 'number' ? outcome : FAILURE_V3
    if (--pending.left > 0) return
    const properties = pending.reasons.size === 0 ? {} : { reasonString: [...pending.reasons].join(', ') }
    this.#reply({ cmd: 'suback', messageId: pending.packetId, granted: pending.codes, properties })
  }

  unsubscribe(packet: IUnsubscribePacket): Malformed | undefined {
    const { unsubscriptions, messageId } = packet
    if (unsubscriptions.length === 0) return malformed('no-filters', 0, true) // [MQTT-3.10.3-2]
    if (!unsubscriptions.every((filter) => this.#isFilter(filter))) return malformed('topic-filter', 0, true)
    const granted = unsubscriptions.map((filter) => (this.#link.unsubscribe(filter) ? 0 : NO_SUBSCRIPTION_EXISTED))
    this.#reply({ cmd: 'unsuback', messageId: messageId ?? 0, granted })
    return undefined
  }

  /** Well formed: [MQTT-4.7.1-1] to [MQTT-4.7.3-1]. Shared ones of 5.0 have rules of their own [MQTT-4.8.2-1], and are granted or not. */
  #isFilter(filter: string): boolean {
    return isTopicFilter(filter) || (this.#version === 5 && filter.startsWith(SHARED))
  }

  #unsupported(filter: string): string | undefined {
    const { sharedSubscriptions, wildcardSubscriptions } = this.#config
    if (!sharedSubscriptions && filter.startsWith(SHARED)) return 'shared-unsupported'
    return !wildcardSubscriptions && hasWildcard(filter) ? 'wildcard-unsupported' : undefined
  }
}
