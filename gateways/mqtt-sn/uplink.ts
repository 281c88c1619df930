/** What an active client asks of the broker: REGISTER, PUBLISH, SUBSCRIBE, UNSUBSCRIBE (MQTT-SN 1.2, 6.5, 6.6, 6.9). */
import {
  hasWildcard,
  isAccepted,
  isTopicName,
  type Link,
  Message,
  malformed,
  type PublishOutcome,
  type QoS,
  type SubscribeOutcome,
} from '#sdk'
import { type Of, ReturnCode, shortTopicName, TopicType } from './codec/index.ts'
import { Kept } from './kept.ts'
import type { Shared, Speaker } from './shared.ts'

const WORD = 0x10000
/** Tags hold message id, topic id and, above them, the QoS. */
const TAG_QOS = WORD * WORD
const NO_PUBLISH = -1

export class Uplink {
  readonly #shared: Shared
  readonly #link: Link
  readonly #clientId: string
  readonly #speaker: Speaker
  /** Fingerprints of the publish that is being decided, and of the last that was accepted with QoS 1 or 2. */
  #deciding = NO_PUBLISH
  #accepted = NO_PUBLISH

  constructor(shared: Shared, link: Link, clientId: string, speaker: Speaker) {
    this.#shared = shared
    this.#link = link
    this.#clientId = clientId
    this.#speaker = speaker
  }

  receive(message: Of<'publish' | 'pubrel' | 'register' | 'subscribe' | 'unsubscribe'>): void {
    switch (message.type) {
      case 'publish':
        return this.#publish(message)
      case 'pubrel':
        return this.#release(message.messageId)
      case 'register':
        return this.#register(message)
      case 'subscribe':
        return this.#subscribe(message)
      case 'unsubscribe':
        return this.#unsubscribe(message)
    }
  }

  #register({ messageId, topic }: Of<'register'>): void {
    if (!isTopicName(topic)) {
      this.#speaker.send({ type: 'regack', topicId: 0, messageId, returnCode: ReturnCode.notSupported })
      return
    }
    const topicId = this.#name(topic)
    if (topicId === undefined) {
      this.#link.count('topic-ids-exhausted')
      this.#speaker.send({ type: 'regack', topicId: 0, messageId, returnCode: ReturnCode.congestion })
    } else {
      this.#speaker.send({ type: 'regack', topicId, messageId, returnCode: ReturnCode.accepted })
    }
  }

  // ---- publish -------------------------------------------------------------------------------------------------

  #publish(message: Of<'publish'>): void {
    const { qos, retain, topicType, topicId, messageId, payload } = message
    if (qos > 0 && messageId === 0) {
      this.#link.malformed(malformed('message-id-0'))
      return
    }
    if (qos > 0) {
      this.#deciding = fingerprint(message)
      if (this.#isDuplicate(message)) {
        this.#link.count('duplicate')
        if (qos === 2) this.#speaker.send({ type: 'pubrec', messageId })
        else this.#speaker.send({ type: 'puback', topicId, messageId, returnCode: ReturnCode.accepted })
        return
      }
    }
    const topic = this.#topicOf(topicType, topicId)
    if (typeof topic === 'number') {
      this.#link.count('publish-without-topic')
      if (qos >= 0) this.#speaker.send({ type: 'puback', topicId, messageId, returnCode: topic })
      return
    }
    const tag = Math.max(qos, 0) * TAG_QOS + topicId * WORD + messageId
    this.#link.publish(new Message(topic, payload, Math.max(qos, 0) as QoS, retain), tag)
  }

  onPublished(tag: number, outcome: PublishOutcome): void {
    const qos = Math.floor(tag / TAG_QOS)
    const topicId = Math.floor(tag / WORD) % WORD
    const messageId = tag % WORD
    const accepted = isAccepted(outcome)
    if (!accepted) this.#link.count(`publish-refused-${outcome}`)
    if (qos === 0) return
    if (accepted) this.#accepted = this.#deciding
    if (accepted && qos === 2) {
      if (!Kept.of(this.#link).receive(this.#link, messageId)) this.#link.count('receipt-forgotten')
      this.#speaker.send({ type: 'pubrec', messageId })
      return
    }
    this.#speaker.send({ type: 'puback', topicId, messageId, returnCode: publishCode(outcome) })
  }

  /** Not released yet; or the last one that was accepted, sent again: its answer was lost, or it was on the way for long. */
  #isDuplicate({ dup, qos, messageId }: Of<'publish'>): boolean {
    return (dup && this.#deciding === this.#accepted) || (qos === 2 && Kept.of(this.#link).hasReceived(messageId))
  }

  #release(messageId: number): void {
    Kept.of(this.#link).release(this.#link, messageId)
    this.#speaker.send({ type: 'pubcomp', messageId })
  }

  // ---- subscribe -----------------------------------------------------------------------------------------------

  #subscribe(message: Of<'subscribe'>): void {
    const { qos, messageId, topicType, topic } = message
    const filter = this.#filterOf(message)
    if (filter === undefined || qos === -1) {
      this.#refuse(messageId, topicType === TopicType.predefined ? ReturnCode.invalidTopicId : ReturnCode.notSupported)
      return
    }
    let topicId = 0
    if (topicType === TopicType.predefined) topicId = message.topicId
    else if (topicType === TopicType.normal && !hasWildcard(topic) && isTopicName(topic) && !topic.startsWith('$share/')) {
      const id = this.#name(topic)
      if (id === undefined) {
        this.#link.count('topic-ids-exhausted')
        this.#refuse(messageId, ReturnCode.congestion)
        return
      }
      topicId = id
    }
    this.#link.subscribe(filter, { qos }, topicId * WORD + messageId)
  }

  onSubscribed(tag: number, outcome: SubscribeOutcome): void {
    const messageId = tag % WORD
    if (typeof outcome === 'number') {
      const topicId = Math.floor(tag / WORD)
      this.#speaker.send({ type: 'suback', qos: outcome, topicId, messageId, returnCode: ReturnCode.accepted })
      return
    }
    this.#link.count(`subscribe-refused-${outcome}`)
    this.#refuse(messageId, isPassing(outcome) ? ReturnCode.congestion : ReturnCode.notSupported)
  }

  /** Always acknowledged (6.9). */
  #unsubscribe(message: Of<'unsubscribe'>): void {
    const filter = this.#filterOf(message)
    if (filter !== undefined) this.#link.unsubscribe(filter)
    this.#speaker.send({ type: 'unsuback', messageId: message.messageId })
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  #refuse(messageId: number, returnCode: number): void {
    this.#speaker.send({ type: 'suback', qos: 0, topicId: 0, messageId, returnCode })
  }

  /** The id by which the client is told of a topic that it names. Undefined: it has as many as it may. */
  #name(topic: string): number | undefined {
    const { config, predefined } = this.#shared
    return Kept.of(this.#link).register(this.#link, topic, config.maxTopics, predefined.id(topic, this.#clientId))
  }

  /** What a predefined id stands for; also one that the client got for a name of its own, since many do not tell them apart. */
  #predefined(id: number): string | undefined {
    return this.#shared.predefined.name(id, this.#clientId) ?? Kept.of(this.#link).name(id)
  }

  #filterOf({ topicType, topic, topicId }: Of<'subscribe'> | Of<'unsubscribe'>): string | undefined {
    if (topicType === TopicType.predefined) return this.#predefined(topicId)
    return topicType === TopicType.normal || topicType === TopicType.short ? topic : undefined
  }

  /** The name, or the code of the refusal. */
  #topicOf(topicType: number, topicId: number): string | number {
    switch (topicType) {
      case TopicType.normal:
        return Kept.of(this.#link).name(topicId) ?? ReturnCode.invalidTopicId
      case TopicType.predefined:
        return this.#predefined(topicId) ?? ReturnCode.invalidTopicId
      case TopicType.short:
        return shortTopicName(topicId) ?? ReturnCode.notSupported
      default:
        return ReturnCode.notSupported
    }
  }
}

function publishCode(outcome: PublishOutcome): number {
  if (isAccepted(outcome)) return ReturnCode.accepted
  return isPassing(outcome) ? ReturnCode.congestion : ReturnCode.notSupported
}

/** The same may succeed later. */
function isPassing(outcome: PublishOutcome | SubscribeOutcome): boolean {
  return outcome === 'quota' || outcome === 'unavailable' || outcome === 'not-connected'
}

/** Message id, and 32 bits over QoS, topic and payload: a client that never counts its ids loses nothing. FNV-1a. */
function fingerprint({ qos, topicId, messageId, payload }: Of<'publish'>): number {
  let hash = 0x811c9dc5 ^ topicId ^ (qos * WORD)
  for (let i = 0; i < payload.length; i++) hash = Math.imul(hash ^ (payload[i] as number), 0x01000193)
  return messageId * TAG_QOS + (hash >>> 0)
}
