/**
 * Messages on their way to one client (MQTT-SN 1.2, 6.6, 6.7, 6.13): registered first where it does not know the topic,
 * acknowledged as their QoS asks, sent again when no answer comes. Made for a delivery, let go when none is left.
 */
import type { Delivery, Link } from '#sdk'
import { type Of, ReturnCode, shortTopicId, TopicType, type TopicTypeBits } from './codec/index.ts'
import { Kept } from './kept.ts'
import type { Shared, Speaker } from './shared.ts'

const LAST_MESSAGE_ID = 0xffff
/** What a PUBLISH or a REGISTER has besides payload or name, with the long form of the length. */
const LONGEST_HEADER = 9

interface Outgoing {
  readonly delivery: Delivery
  /** What the client has to answer next. */
  step: 'register' | 'publish' | 'release'
  dup: boolean
  /** Repetitions of the current step. */
  attempts: number
  /** How often the client did not know its topic. */
  refusals: number
  /** When it is sent again, ms since the epoch; 0 while it waits for its turn or for the client to wake. */
  dueAt: number
  /** The client does not know the name by a predefined id or as a short name. */
  normalOnly: boolean
}

export class Downlink {
  readonly #shared: Shared
  readonly #link: Link
  readonly #clientId: string
  readonly #speaker: Speaker
  readonly #open: Outgoing[] = []
  /** The one REGISTER that may be open (6.5), and its message id. */
  #registering: Outgoing | undefined = undefined
  #registerId = 0
  #topicId = 0
  #paused = false

  constructor(shared: Shared, link: Link, clientId: string, speaker: Speaker) {
    this.#shared = shared
    this.#link = link
    this.#clientId = clientId
    this.#speaker = speaker
  }

  get idle(): boolean {
    return this.#open.length === 0
  }

  get size(): number {
    return this.#open.length
  }

  /** When `repeat` has something to do, ms since the epoch; undefined is never. */
  get dueAt(): number | undefined {
    let dueAt: number | undefined
    for (const outgoing of this.#open) {
      if (outgoing.dueAt !== 0 && (dueAt === undefined || outgoing.dueAt < dueAt)) dueAt = outgoing.dueAt
    }
    return dueAt
  }

  take(delivery: Delivery): void {
    const { message, released, dup } = delivery
    const needed = LONGEST_HEADER + Math.max(message.size, Buffer.byteLength(message.topic))
    if (needed > this.#shared.config.maxDatagram) {
      this.#link.nack(delivery.id, 'too-large')
      return
    }
    const outgoing: Outgoing = {
      delivery,
      step: released ? 'release' : 'publish',
      dup,
      attempts: 0,
      refusals: 0,
      dueAt: 0,
      normalOnly: false,
    }
    this.#open.push(outgoing)
    if (!this.#paused) this.#start(outgoing)
  }

  // ---- answers -------------------------------------------------------------------------------------------------

  receive(message: Of<'regack' | 'puback' | 'pubrec' | 'pubcomp'>): void {
    switch (message.type) {
      case 'regack':
        return this.#onRegack(message)
      case 'puback':
        return this.#onPuback(message)
      case 'pubrec':
        return this.#onPubrec(message.messageId)
      case 'pubcomp':
        return this.#onPubcomp(message.messageId)
    }
  }

  #onRegack({ topicId, messageId, returnCode }: Of<'regack'>): void {
    const outgoing = this.#registering
    // Only one REGISTER is open: either id tells that this is its answer, and some clients mistake one of them.
    if (outgoing === undefined || (messageId !== this.#registerId && topicId !== this.#topicId)) {
      this.#link.count('unmatched-answer')
      return
    }
    if (returnCode === ReturnCode.congestion) {
      this.#later(outgoing)
      return
    }
    this.#registering = undefined
    if (returnCode !== ReturnCode.accepted) {
      this.#refused(outgoing, 'register')
    } else {
      Kept.of(this.#link).confirm(this.#topicId)
      outgoing.attempts = 0
      this.#start(outgoing)
    }
    this.#registerNext()
  }

  #onPuback({ topicId, messageId, returnCode }: Of<'puback'>): void {
    const outgoing = this.#find(messageId, 'publish')
    // QoS 2 is refused with a PUBACK, too (6.6).
    if (outgoing === undefined || (outgoing.delivery.qos === 2 && returnCode === ReturnCode.accepted)) {
      if (messageId === 0 && returnCode === ReturnCode.invalidTopicId) Kept.of(this.#link).forget(topicId)
      this.#link.count('unmatched-answer')
    } else if (returnCode === ReturnCode.accepted) {
      this.#done(outgoing)
    } else if (returnCode === ReturnCode.congestion) {
      this.#later(outgoing)
    } else if (returnCode === ReturnCode.invalidTopicId && outgoing.refusals < this.#shared.config.retry.attempts) {
      outgoing.refusals++
      // It has lost its ids, in a restart perhaps: it is told again, and gets the message for the first time.
      outgoing.dup = false
      if (this.#topicOf(outgoing)?.type === TopicType.normal) Kept.of(this.#link).forget(topicId)
      else outgoing.normalOnly = true
      this.#start(outgoing)
    } else {
      this.#refused(outgoing, 'publish')
    }
  }

  #onPubrec(messageId: number): void {
    const outgoing = this.#open.find(
      ({ delivery, step }) => delivery.qos === 2 && step !== 'register' && delivery.id === messageId,
    )
    if (outgoing === undefined) {
      // Released in another life, or never: the release ends the exchange either way.
      this.#link.count('unmatched-answer')
      this.#speaker.send({ type: 'pubrel', messageId })
      return
    }
    this.#link.received(messageId)
    outgoing.step = 'release'
    outgoing.attempts = 0
    this.#start(outgoing)
  }

  #onPubcomp(messageId: number): void {
    const outgoing = this.#find(messageId, 'release')
    if (outgoing === undefined) this.#link.count('unmatched-answer')
    else this.#done(outgoing)
  }

  // ---- time ----------------------------------------------------------------------------------------------------

  /** Sends again what is due; false when the client has missed too many repetitions. */
  repeat(): boolean {
    const now = this.#link.now()
    for (const outgoing of this.#open) {
      if (outgoing.dueAt === 0 || outgoing.dueAt > now) continue
      if (outgoing.attempts >= this.#shared.config.retry.attempts) return false
      outgoing.attempts++
      this.#link.count('retransmitted')
      this.#say(outgoing)
    }
    return true
  }

  /** The client does not listen: nothing is sent until `resume`. */
  pause(): void {
    this.#paused = true
    this.#registering = undefined
    for (const outgoing of this.#open) outgoing.dueAt = 0
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    for (const outgoing of [...this.#open]) {
      outgoing.attempts = 0
      this.#start(outgoing)
    }
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  /** Says what comes next for it, or lets it wait for its turn to register. */
  #start(outgoing: Outgoing): void {
    if (outgoing.step !== 'release') {
      const isKnown = this.#topicOf(outgoing) !== undefined
      outgoing.step = isKnown ? 'publish' : 'register'
      if (!isKnown && !this.#register(outgoing)) return
    }
    this.#say(outgoing)
  }

  /** False: it waits for another's REGISTER, or cannot be registered at all. */
  #register(outgoing: Outgoing): boolean {
    if (this.#registering !== undefined && this.#registering !== outgoing) {
      outgoing.dueAt = 0
      return false
    }
    const id = Kept.of(this.#link).propose(this.#link, outgoing.delivery.message.topic, this.#shared.config.maxTopics)
    if (id === undefined) {
      this.#drop(outgoing)
      this.#link.nack(outgoing.delivery.id, 'topic-ids-exhausted')
      return false
    }
    this.#registering = outgoing
    this.#registerId = this.#registerId === LAST_MESSAGE_ID ? 1 : this.#registerId + 1
    this.#topicId = id
    return true
  }

  #registerNext(): void {
    if (this.#registering !== undefined) return
    const next = this.#open.find(({ step, dueAt }) => step === 'register' && dueAt === 0)
    if (next !== undefined) this.#start(next)
  }

  #say(outgoing: Outgoing): void {
    const { delivery } = outgoing
    outgoing.dueAt = this.#link.now() + this.#shared.config.retry.interval
    if (outgoing.step === 'release') {
      this.#speaker.send({ type: 'pubrel', messageId: delivery.id })
    } else if (outgoing.step === 'register') {
      const { topic } = delivery.message
      this.#speaker.send({ type: 'register', topicId: this.#topicId, messageId: this.#registerId, topic })
    } else {
      this.#publish(outgoing)
    }
  }

  #publish(outgoing: Outgoing): void {
    const { delivery } = outgoing
    const topic = this.#topicOf(outgoing)
    if (topic === undefined) {
      // The client has forgotten the id meanwhile, for another message.
      this.#start(outgoing)
      return
    }
    this.#speaker.send({
      type: 'publish',
      dup: outgoing.dup,
      qos: delivery.qos,
      retain: delivery.retain,
      topicType: topic.type,
      topicId: topic.id,
      messageId: delivery.qos === 0 ? 0 : delivery.id,
      payload: delivery.message.payload,
    })
    outgoing.dup = true
    if (delivery.qos === 0) this.#done(outgoing)
  }

  /** How the client knows the name: by an id of its own, a predefined id, as a short name; undefined: not yet. */
  #topicOf({ delivery, normalOnly }: Outgoing): { type: TopicTypeBits; id: number } | undefined {
    const { topic } = delivery.message
    const kept = Kept.of(this.#link)
    const own = kept.known(topic)
    if (own !== undefined) return { type: TopicType.normal, id: own }
    // One that has forgotten its id is told that again.
    if (normalOnly || kept.id(topic) !== undefined) return undefined
    const predefined = this.#shared.predefined.id(topic, this.#clientId)
    if (predefined !== undefined) return { type: TopicType.predefined, id: predefined }
    const short = shortTopicId(topic)
    return short === undefined ? undefined : { type: TopicType.short, id: short }
  }

  #find(messageId: number, step: Outgoing['step']): Outgoing | undefined {
    return this.#open.find((each) => each.step === step && each.delivery.qos > 0 && each.delivery.id === messageId)
  }

  /** The client has no room now: the next repetition may find it in a better state. */
  #later(outgoing: Outgoing): void {
    this.#link.count('client-congested')
    outgoing.dueAt = this.#link.now() + this.#shared.config.retry.interval
  }

  /** Out of the list first: an acknowledgement brings the next delivery at once. */
  #done(outgoing: Outgoing): void {
    this.#drop(outgoing)
    this.#link.ack(outgoing.delivery.id)
  }

  #refused(outgoing: Outgoing, what: 'register' | 'publish'): void {
    this.#drop(outgoing)
    this.#link.nack(outgoing.delivery.id, what === 'register' ? 'register-refused' : 'publish-refused')
  }

  #drop(outgoing: Outgoing): void {
    const at = this.#open.indexOf(outgoing)
    if (at >= 0) this.#open.splice(at, 1)
    if (this.#registering === outgoing) this.#registering = undefined
  }
}
