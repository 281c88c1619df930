/** What an active client of MQTT-SN 2.0 asks of the broker: REGISTER, PUBLISH, SUBSCRIBE, UNSUBSCRIBE. */
import {
  hasWildcard,
  isAccepted,
  isTopicName,
  type Link,
  Message,
  malformed,
  type PublishOutcome,
  type SubscribeOutcome,
} from '#sdk'
import { type PacketOf, Reason, TopicKind, type TopicKindBits, type TopicRef } from '../codec/v2/index.ts'
import { Kept } from '../kept.ts'
import type { Shared } from '../shared.ts'
import type { Speaker } from './downlink.ts'

const WORD = 0x10000
/** Tags of subscriptions hold packet id, alias and, above them, the kind of the alias; this one is none. */
const NO_ALIAS = 7

export class Uplink {
  readonly #shared: Shared
  readonly #link: Link
  readonly #clientId: string
  readonly #speaker: Speaker

  constructor(shared: Shared, link: Link, clientId: string, speaker: Speaker) {
    this.#shared = shared
    this.#link = link
    this.#clientId = clientId
    this.#speaker = speaker
  }

  register({ packetId, topic, alias }: PacketOf<'register'>): void {
    // The server alone gives aliases.
    if (alias !== undefined) {
      this.#link.malformed(malformed('alias-from-client'))
      return
    }
    const refuse = (reason: number): void =>
      this.#speaker.send({ type: 'regack', packetId, topicKind: TopicKind.session, alias: undefined, reason })
    if (!isTopicName(topic)) {
      refuse(Reason.topicNameInvalid)
      return
    }
    const found = this.#aliasOf(topic)
    if (found === undefined) {
      this.#link.count('topic-ids-exhausted')
      refuse(Reason.quotaExceeded)
      return
    }
    const reason = found.topicKind === TopicKind.predefined ? Reason.topicAliasExists : Reason.success
    this.#speaker.send({ type: 'regack', packetId, topicKind: found.topicKind, alias: found.alias, reason })
  }

  // ---- publish -------------------------------------------------------------------------------------------------

  /** True while its second half is to come. */
  publish(publish: PacketOf<'publish'>): void {
    const { qos, packetId, retain, payload } = publish
    if (qos > 0 && packetId === 0) {
      this.#link.malformed(malformed('message-id-0'))
      return
    }
    if (qos === 2 && Kept.of(this.#link).hasReceived(packetId)) {
      this.#link.count('duplicate')
      this.#acknowledge(2, packetId, Reason.success)
      return
    }
    const topic = this.nameOf(publish)
    if (typeof topic === 'number') {
      this.#link.count('publish-without-topic')
      this.#acknowledge(qos, packetId, topic)
      return
    }
    this.#link.publish(new Message(topic, payload, qos, retain), qos * WORD + packetId)
  }

  onPublished(tag: number, outcome: PublishOutcome): void {
    const qos = Math.floor(tag / WORD)
    const packetId = tag % WORD
    if (!isAccepted(outcome)) this.#link.count(`publish-refused-${outcome}`)
    else if (qos === 2 && !Kept.of(this.#link).receive(this.#link, packetId)) this.#link.count('receipt-forgotten')
    this.#acknowledge(qos, packetId, publishReason(outcome))
  }

  #acknowledge(qos: number, packetId: number, reason: number): void {
    if (qos > 0) this.#speaker.send({ type: qos === 1 ? 'puback' : 'pubrec', packetId, reason })
  }

  /** True while the receipt of a QoS 2 publish is kept: the client has more to say about it. */
  isOpen(packetId: number): boolean {
    return Kept.of(this.#link).hasReceived(packetId)
  }

  release(packetId: number): void {
    const reason = this.isOpen(packetId) ? Reason.success : Reason.packetIdNotFound
    Kept.of(this.#link).release(this.#link, packetId)
    this.#speaker.send({ type: 'pubcomp', packetId, reason })
  }

  // ---- subscribe -----------------------------------------------------------------------------------------------

  subscribe(subscribe: PacketOf<'subscribe'>): void {
    const { packetId, topicKind, qos, noLocal, retainAsPublished, retainHandling } = subscribe
    const filter = this.nameOf(subscribe)
    if (typeof filter === 'number') {
      this.#granted(packetId, TopicKind.predefined, undefined, filter)
      return
    }
    let alias: { topicKind: TopicKindBits; alias: number } | undefined
    if (topicKind === TopicKind.name && !hasWildcard(filter) && isTopicName(filter) && !filter.startsWith('$share/')) {
      alias = this.#aliasOf(filter)
      if (alias === undefined) this.#link.count('topic-ids-exhausted')
    } else if (topicKind === TopicKind.session) alias = subscribe
    const tag = ((alias?.topicKind ?? NO_ALIAS) * WORD + (alias?.alias ?? 0)) * WORD + packetId
    this.#link.subscribe(filter, { qos, noLocal, retainAsPublished, retainHandling }, tag)
  }

  onSubscribed(tag: number, outcome: SubscribeOutcome): void {
    const packetId = tag % WORD
    const above = Math.floor(tag / WORD)
    const kind = Math.floor(above / WORD)
    if (typeof outcome !== 'number') {
      this.#link.count(`subscribe-refused-${outcome}`)
      this.#granted(packetId, TopicKind.predefined, undefined, subscribeReason(outcome))
    } else if (kind === NO_ALIAS) this.#granted(packetId, TopicKind.predefined, undefined, outcome)
    else this.#granted(packetId, kind as TopicKindBits, above % WORD, outcome)
  }

  #granted(packetId: number, topicKind: TopicKindBits, alias: number | undefined, reason: number): void {
    this.#speaker.send({ type: 'suback', packetId, topicKind, alias, reason })
  }

  unsubscribe(unsubscribe: PacketOf<'unsubscribe'>): void {
    const filter = this.nameOf(unsubscribe)
    const had = typeof filter === 'string' && this.#link.unsubscribe(filter)
    const reason = typeof filter === 'number' ? filter : had ? Reason.success : Reason.noSubscriptionExisted
    this.#speaker.send({ type: 'unsuback', packetId: unsubscribe.packetId, reason })
  }

  // ---- topics --------------------------------------------------------------------------------------------------

  /** The name, or the reason of the refusal. */
  nameOf({ topicKind, alias, topic }: TopicRef): string | number {
    switch (topicKind) {
      case TopicKind.session:
        return Kept.of(this.#link).name(alias) ?? Reason.unknownAlias
      case TopicKind.predefined:
        return this.#shared.predefined.name(alias, this.#clientId) ?? Reason.unknownAlias
      case TopicKind.name:
        return topic
    }
  }

  /** A name with a predefined alias has no other; undefined: there are too many. */
  #aliasOf(topic: string): { topicKind: TopicKindBits; alias: number } | undefined {
    const predefined = this.#shared.predefined.id(topic, this.#clientId)
    if (predefined !== undefined) return { topicKind: TopicKind.predefined, alias: predefined }
    const alias = Kept.of(this.#link).register(this.#link, topic, this.#shared.config.maxTopics)
    return alias === undefined ? undefined : { topicKind: TopicKind.session, alias }
  }
}

function publishReason(outcome: PublishOutcome): number {
  switch (outcome) {
    case 'delivered':
    case 'no-subscribers':
      return Reason.success
    case 'not-authorized':
      return Reason.notAuthorized
    case 'quota':
      return Reason.quotaExceeded
    case 'invalid-topic':
      return Reason.topicNameInvalid
    case 'unavailable':
      return Reason.serverUnavailable
    default:
      return Reason.unspecified
  }
}

function subscribeReason(outcome: Exclude<SubscribeOutcome, number>): number {
  switch (outcome) {
    case 'not-authorized':
      return Reason.notAuthorized
    case 'invalid-filter':
      return Reason.filterInvalid
    case 'quota':
      return Reason.quotaExceeded
    case 'shared-unsupported':
      return Reason.sharedUnsupported
    case 'unavailable':
      return Reason.serverUnavailable
  }
}
