/**
 * What belongs to a client's session and not to its connection: topic ids, QoS 2 receipts, will, sleep (MQTT-SN 1.2, 6.3
 * and 6.14). All of it is remembered, so that it is there again after a restart.
 */
import { type Link, Message, type QoS } from '#sdk'
import { TopicIds } from './topic-ids.ts'

/** A client may have one publish open (6.8); some more are kept for those that do not wait. */
const MAX_RECEIVED = 16

/** Keys of what is remembered; ids and message ids stand behind theirs. */
const TOPIC = 't'
const RECEIPT = 'r'
const WILL = 'will'
const NAP = 'nap'
const SENDER = 'sender'

/** How long a sleeping client may be silent: active again, and asleep. */
export interface Nap {
  readonly silenceMs: number
  readonly sleepMs: number
}

interface Testament {
  readonly will: Message
  /** Its delay as the broker knows it; undefined: the broker does not know it. */
  announcedMs: number | undefined
}

/** What few sessions have. */
interface Extras {
  testament: Testament | undefined
  sender: string | undefined
  /** Message ids of QoS 2 publishes that were accepted and not released yet. */
  received: Set<number> | undefined
}

/** A million sleeping clients have one each: the topic ids themselves, and one field for the rest. */
export class Kept extends TopicIds {
  #extras: Extras | undefined = undefined

  /** That of the client's session. Only while it is connected. */
  static of(link: Link): Kept {
    if (!(link.kept instanceof Kept)) link.kept = Kept.#rebuilt(link)
    return link.kept as Kept
  }

  static #rebuilt(link: Link): Kept {
    const kept = new Kept()
    for (const [key, value] of link.remembered()) {
      if (key === WILL) Kept.#extrasOf(kept).testament = { will: readWill(value), announcedMs: undefined }
      else if (key === SENDER) Kept.#extrasOf(kept).sender = value
      else if (key.startsWith(TOPIC)) kept.restore(Number(key.slice(TOPIC.length)), value)
      else if (key.startsWith(RECEIPT)) Kept.#receiptsOf(kept).add(Number(key.slice(RECEIPT.length)))
    }
    return kept
  }

  static #extrasOf(kept: Kept): Extras {
    kept.#extras ??= { testament: undefined, sender: undefined, received: undefined }
    return kept.#extras
  }

  static #receiptsOf(kept: Kept): Set<number> {
    const extras = Kept.#extrasOf(kept)
    extras.received ??= new Set()
    return extras.received
  }

  // ---- topics --------------------------------------------------------------------------------------------------

  /** The client has named it, so it knows what it stands for. Undefined: there are `limit` already. */
  register(link: Link, name: string, limit: number, predefinedId?: number): number | undefined {
    const before = this.size
    const id = this.learn(name, limit, predefinedId)
    if (this.size > before) link.remember(`${TOPIC}${id}`, name)
    return id
  }

  /** An id that the client is still to be told. Undefined: there are `limit` already. */
  propose(link: Link, name: string, limit: number): number | undefined {
    const id = this.register(link, name, limit)
    if (id !== undefined) this.forget(id)
    return id
  }

  forgetTopics(link: Link): void {
    for (const id of this.ids()) link.forget(`${TOPIC}${id}`)
    this.clear()
  }

  // ---- receipts ------------------------------------------------------------------------------------------------

  hasReceived(messageId: number): boolean {
    return this.#extras?.received?.has(messageId) === true
  }

  /** False: the oldest receipt gave way, whose sender has forgotten it. */
  receive(link: Link, messageId: number): boolean {
    link.remember(`${RECEIPT}${messageId}`, '')
    const received = Kept.#receiptsOf(this).add(messageId)
    if (received.size <= MAX_RECEIVED) return true
    for (const oldest of received) {
      this.release(link, oldest)
      break
    }
    return false
  }

  release(link: Link, messageId: number): void {
    const extras = this.#extras
    if (extras?.received?.delete(messageId) !== true) return
    link.forget(`${RECEIPT}${messageId}`)
    if (extras.received.size === 0) extras.received = undefined
  }

  // ---- will ----------------------------------------------------------------------------------------------------

  get will(): Message | undefined {
    return this.#extras?.testament?.will
  }

  setWill(link: Link, will: Message | undefined): void {
    if (will === this.will) return
    Kept.#extrasOf(this).testament = will === undefined ? undefined : { will, announcedMs: undefined }
    if (will === undefined) {
      link.forget(WILL)
      link.setWill(undefined)
    } else {
      const { topic, qos, retain, payload } = will
      link.remember(WILL, JSON.stringify([topic, qos, retain, Buffer.from(payload).toString('base64')]))
    }
  }

  /** The broker has forgotten it with the connection; the session has not (6.3). */
  forgetAnnouncement(): void {
    const testament = this.#extras?.testament
    if (testament !== undefined) testament.announcedMs = undefined
  }

  /** The broker is to publish it when nobody has heard of the client for so long: also when we are not there to say so. */
  announceWill(link: Link, delayMs: number): void {
    const testament = this.#extras?.testament
    if (testament === undefined || testament.announcedMs === delayMs) return
    testament.announcedMs = delayMs
    link.setWill({ message: testament.will, delayMs })
  }

  // ---- protection ----------------------------------------------------------------------------------------------

  /** Whose key protects the session (MQTT-SN 2.0); undefined without protection. */
  get sender(): string | undefined {
    return this.#extras?.sender
  }

  protect(link: Link, sender: string | undefined): void {
    if (sender === this.sender || sender === undefined) return
    Kept.#extrasOf(this).sender = sender
    link.remember(SENDER, sender)
  }
}

/** Needed only by who finds a client asleep after a restart: kept nowhere else. */
export function rememberedNap(link: Link): Nap | undefined {
  for (const [key, value] of link.remembered()) if (key === NAP) return JSON.parse(value) as Nap
  return undefined
}

export function rememberNap(link: Link, { silenceMs, sleepMs }: Nap): void {
  link.remember(NAP, JSON.stringify({ silenceMs, sleepMs }))
}

export function forgetNap(link: Link): void {
  link.forget(NAP)
}

function readWill(value: string): Message {
  const [topic, qos, retain, payload] = JSON.parse(value) as [string, QoS, boolean, string]
  return new Message(topic, Buffer.from(payload, 'base64'), qos, retain)
}
