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
  const kept = Kept.of(link)
  if (typeof answer === 'object') kept.will = answer.will
  announce(link, kept)
}

/** WILLTOPICUPD and WILLMSGUPD, to the answer. */
export function changeWill(link: Link, update: Of<'willtopicupd'> | Of<'willmsgupd'>): Of<'willtopicresp'> {
  const kept = Kept.of(link)
  const isMessage = 'payload' in update
  const returnCode = isMessage ? changeMessage(kept, update.payload) : changeTopic(kept, update)
  announce(link, kept)
  return { type: isMessage ? 'willmsgresp' : 'willtopicresp', returnCode }
}

/** The broker forgets a will with its connection; the session keeps it (6.3). */
function announce(link: Link, { will }: Kept): void {
  link.setWill(will === undefined ? undefined : { message: will, delayMs: 0 })
}

/** A topic alone makes a will with an empty message; no topic deletes the will. */
function changeTopic(kept: Kept, update: Of<'willtopicupd'>): number {
  if (update.topic === undefined) kept.will = undefined
  else if (isWillTopic(update)) kept.will = willOf(update, kept.will?.payload ?? new Uint8Array(0))
  else return ReturnCode.notSupported
  return ReturnCode.accepted
}

/** There must be a will to change. */
function changeMessage(kept: Kept, payload: Uint8Array): number {
  const { will } = kept
  if (will === undefined) return ReturnCode.notSupported
  kept.will = new Message(will.topic, payload.slice(), will.qos, will.retain)
  return ReturnCode.accepted
}

function isWillTopic({ topic, qos }: Of<'willtopic'>): boolean {
  return topic !== undefined && qos !== -1 && isTopicName(topic)
}

function willOf({ topic, qos, retain }: Of<'willtopic'>, payload: Uint8Array): Message {
  // Kept for as long as the session: not a view of the datagram.
  return new Message(topic ?? '', payload.slice(), qos as QoS, retain)
}
