/** Reads the log into what the broker core takes back: the sessions, their deliveries, and the retained messages. */
import type { Delayed } from '../broker/delayed.ts'
import type { Restored, RestoredDelivery, RestoredSession, RestoredSubscription } from '../broker/restored.ts'
import type { Message } from '../sdk.ts'
import type { Damage, Log } from './log.ts'
import { readMessageBlock } from './message-block.ts'
import type { Note } from './notebooks.ts'
import { type Receiver, readReceiver } from './receiver-block.ts'
import * as type from './record-types.ts'
import { MESSAGE_BYTES, readMessage, readSession, SESSION_BYTES } from './record-types.ts'
import { parseSession, parseSubscription, type SessionFacts } from './session-facts.ts'

export interface Recovery {
  readonly state: Restored
  readonly notes: Iterable<Note>
  /** The highest number that a message had. */
  readonly lastMessage: number
  readonly records: number
  readonly damages: readonly Damage[]
}

interface Session {
  facts: SessionFacts | undefined
  readonly subscriptions: Map<string, RestoredSubscription>
  readonly memory: Map<string, string>
  readonly deliveries: Map<number, Receiver>
}

/** Damages after this many are counted, not kept. */
const MAX_DAMAGES = 1000

interface Referred {
  readonly message: Message
  receivers: number
}

/** Throws StoreError when a file cannot be read at all. */
export function recover(log: Log): Recovery {
  const replay = new Replay()
  const damages: Damage[] = []
  log.replay(
    (bytes, start, end) => replay.record(bytes, start, end),
    (damage) => {
      if (damages.length < MAX_DAMAGES) damages.push(damage)
    },
  )
  const { lastMessage, records } = replay
  return { state: replay.state(), notes: replay.notes.values(), lastMessage, records, damages }
}

class Replay {
  records = 0
  lastMessage = 0
  /** By gateway and key. */
  readonly notes = new Map<string, Note>()
  #lastSession = 0
  readonly #sessions = new Map<number, Session>()
  readonly #messages = new Map<number, Referred>()
  /** The message that was read last: further receivers of it may follow, though the first is done. */
  #newest = 0
  readonly #retained = new Map<string, Message>()
  readonly #delayed = new Map<number, Delayed>()

  record(buffer: Buffer, start: number, end: number): void {
    this.records++
    const kind = buffer[start]
    const at = start + 1
    switch (kind) {
      case type.MESSAGE:
      case type.RECEIVER:
        this.#delivery(buffer, at, kind === type.MESSAGE ? end : 0)
        return
      case type.RETAINED: {
        const message = readMessageBlock(buffer, at, end)
        this.#retained.set(message.topic, message)
        return
      }
      case type.UNRETAINED:
        this.#retained.delete(buffer.toString('utf8', at, end))
        return
      case type.DELAYED: {
        const stored = readMessage(buffer, at)
        const from = at + MESSAGE_BYTES
        const message = readMessageBlock(buffer, from + 8, end)
        this.lastMessage = Math.max(this.lastMessage, stored)
        this.#delayed.set(stored, { message, dueAt: buffer.readDoubleBE(from), stored })
        return
      }
      case type.FIRED:
        this.#delayed.delete(readMessage(buffer, at))
        return
      case type.NOTED:
      case type.ERASED: {
        const [gateway = '', key = '', value] = JSON.parse(buffer.toString('utf8', at, end)) as string[]
        const name = JSON.stringify([gateway, key])
        if (value === undefined) this.notes.delete(name)
        else this.notes.set(name, { gateway, key, value })
        return
      }
      default:
        this.#ofSession(kind, buffer, at, end)
    }
  }

  /** Sessions whose own facts were lost cannot be told from ended ones, and are not there any more. */
  state(): Restored {
    const sessions: RestoredSession[] = []
    for (const [number, session] of this.#sessions) {
      const { facts, subscriptions, memory } = session
      if (facts === undefined) continue
      sessions.push({ ...facts, number, subscriptions, memory, deliveries: this.#deliveriesOf(session) })
    }
    return { sessions, retained: this.#retained.values(), delayed: this.#delayed.values(), lastNumber: this.#lastSession }
  }

  #deliveriesOf({ deliveries }: Session): RestoredDelivery[] {
    const restored: RestoredDelivery[] = []
    for (const [stored, { id, qos, retain, released, ids, shared }] of [...deliveries].sort(([a], [b]) => a - b)) {
      const message = this.#messages.get(stored)?.message
      if (message === undefined) continue // its record was damaged
      const known = { ...(ids !== undefined && { subscriptionIds: ids }), ...(shared !== undefined && { shared }) }
      restored.push({ message, stored, id, qos, retain, released, ...known })
    }
    return restored
  }

  #delivery(buffer: Buffer, start: number, messageEnd: number): void {
    const number = readMessage(buffer, start)
    const receiver = readReceiver(buffer, start + MESSAGE_BYTES)
    this.lastMessage = Math.max(this.lastMessage, number)
    if (messageEnd > 0 && !this.#messages.has(number)) {
      if (this.#messages.get(this.#newest)?.receivers === 0) this.#messages.delete(this.#newest)
      this.#newest = number
      this.#messages.set(number, { message: readMessageBlock(buffer, receiver.end, messageEnd), receivers: 0 })
    }
    const { deliveries } = this.#session(receiver.session)
    const referred = this.#messages.get(number)
    if (referred !== undefined && !deliveries.has(number)) referred.receivers++
    deliveries.set(number, receiver)
  }

  #done(message: number): void {
    const referred = this.#messages.get(message)
    if (referred === undefined || --referred.receivers > 0 || message === this.#newest) return
    this.#messages.delete(message)
  }

  #ofSession(kind: number | undefined, buffer: Buffer, start: number, end: number): void {
    const number = readSession(buffer, start)
    const at = start + SESSION_BYTES
    const text = (): string => buffer.toString('utf8', at, end)
    if (kind === type.ENDED) {
      for (const message of this.#sessions.get(number)?.deliveries.keys() ?? []) this.#done(message)
      this.#sessions.delete(number)
      this.#lastSession = Math.max(this.#lastSession, number)
      return
    }
    const session = this.#session(number)
    switch (kind) {
      case type.SESSION:
        session.facts = parseSession(text())
        return
      case type.SUBSCRIBED:
        session.subscriptions.set(...parseSubscription(text()))
        return
      case type.UNSUBSCRIBED:
        session.subscriptions.delete(text())
        return
      case type.REMEMBERED:
        session.memory.set(...(JSON.parse(text()) as [string, string]))
        return
      case type.FORGOTTEN:
        session.memory.delete(text())
        return
      case type.SENT:
        change(session, readMessage(buffer, at), { id: buffer.readUInt16BE(at + MESSAGE_BYTES) })
        return
      case type.RECEIVED:
        change(session, readMessage(buffer, at), { released: true })
        return
      case type.DONE:
        if (session.deliveries.delete(readMessage(buffer, at))) this.#done(readMessage(buffer, at))
    }
  }

  #session(number: number): Session {
    let session = this.#sessions.get(number)
    if (session === undefined) {
      session = { facts: undefined, subscriptions: new Map(), memory: new Map(), deliveries: new Map() }
      this.#sessions.set(number, session)
      this.#lastSession = Math.max(this.#lastSession, number)
    }
    return session
  }
}

function change({ deliveries }: Session, message: number, state: Partial<Receiver>): void {
  const receiver = deliveries.get(message)
  if (receiver !== undefined) deliveries.set(message, { ...receiver, ...state })
}
