/** The will: the questions about it between CONNECT and CONNACK (MQTT-SN 1.2, 6.3), and its changes later (6.4). */
import { isTopicName, type Link, Message, type QoS } from '#sdk'
import { type Of, ReturnCode } from './codec/index.ts'
import { Kept } from './kept.ts'

/** What the client answered: its will, that it has none, or something that cannot be a will. */
export type WillAnswer = { readonly will: Message | undefined } | 'refused'

export class WillDialogue {
  #topic: Of<'willtopic'> | undefined = undefined
  /** Repetitions of the open question. */
  attempts = 0

  /** The open question, for the first time and again. */
  get question(): Of<'willtopicreq'> | Of<'willmsgreq'> {
    return this.#topic === undefined ? { type: 'willtopicreq' } : { type: 'willmsgreq' }
  }

  /** Undefined: the next question is open, or still the same because the client has repeated itself. */
  answer(message: Of<'willtopic'> | Of<'willmsg'>): WillAnswer | undefined {
    if ('payload' in message) {
      return this.#topic === undefined ? undefined : { will: willOf(this.#topic, message.payload) }
    }
    if (this.#topic !== undefined) return undefined
    if (message.topic === undefined) return { will: undefined }
    if (!isWillTopic(message)) return 'refused'
    this.#topic = message
    this.attempts = 0
    return undefined
  }
}

/** After CONNECT: the will that was asked for, else the one of the session (6.3). */
export function takeWill(link: Link, answer: WillAnswer | undefined): void {
  if (typeof answer === 'object') Kept.of(link).setWill(link, answer.will)
}

/** WILLTOPICUPD and WILLMSGUPD, to the answer. */
export function changeWill(link: Link, update: Of<'willtopicupd'> | Of<'willmsgupd'>): Of<'willtopicresp'> {
  const kept = Kept.of(link)
  const isMessage = 'payload' in update
  const will = isMessage ? withPayload(kept.will, update.payload) : withTopic(kept.will, update)
  if (will !== 'refused') kept.setWill(link, will)
  const returnCode = will === 'refused' ? ReturnCode.notSupported : ReturnCode.accepted
  return { type: isMessage ? 'willmsgresp' : 'willtopicresp', returnCode }
}

/** A topic alone makes a will with an empty message; no topic deletes the will. */
function withTopic(will: Message | undefined, update: Of<'willtopicupd'>): Message | undefined | 'refused' {
  if (update.topic === undefined) return undefined
  return isWillTopic(update) ? willOf(update, will?.payload ?? new Uint8Array(0)) : 'refused'
}

/** There must be a will to change. */
function withPayload(will: Message | undefined, payload: Uint8Array): Message | 'refused' {
  return will === undefined ? 'refused' : new Message(will.topic, payload.slice(), will.qos, will.retain)
}

function isWillTopic({ topic, qos }: Of<'willtopic'>): boolean {
  return topic !== undefined && qos !== -1 && isTopicName(topic)
}

function willOf({ topic, qos, retain }: Of<'willtopic'>, payload: Uint8Array): Message {
  // Kept for as long as the session: not a view of the datagram.
  return new Message(topic ?? '', payload.slice(), qos as QoS, retain)
}
