/** The broker's journal as records of the log. */
import type { Client } from '../broker/client.ts'
import type { Delayed } from '../broker/delayed.ts'
import type { DeliveryRecord } from '../broker/delivery.ts'
import type { Journal } from '../broker/journal.ts'
import type { Subscription } from '../broker/subscription.ts'
import type { Message } from '../sdk.ts'
import type { CommitGate } from './commit-gate.ts'
import type { Log } from './log.ts'
import { messageBlockBytes, propertiesText, writeMessageBlock } from './message-block.ts'
import type { NoteJournal } from './notebooks.ts'
import { extraText, receiverBytes, writeReceiver } from './receiver-block.ts'
import * as type from './record-types.ts'
import { MESSAGE_BYTES, SESSION_BYTES, writeMessage, writeSession } from './record-types.ts'
import { sessionText, subscriptionText } from './session-facts.ts'

export class StoreJournal implements Journal, NoteJournal {
  readonly #log: Log
  readonly #gate: CommitGate
  /** The number given to the newest message. */
  #lastNumber: number
  /** The newest session whose facts are stored. */
  #lastSession: number
  /** The newest message, as long as further receivers may refer to it. */
  #message: Message | undefined = undefined

  constructor(log: Log, gate: CommitGate, lastNumber: number, lastSession: number) {
    this.#log = log
    this.#gate = gate
    this.#lastNumber = lastNumber
    this.#lastSession = lastSession
  }

  get ready(): boolean {
    return this.#gate.ready
  }

  /** All that belongs to a session is lost with its facts: those of a new one are stored twice, should one be damaged. */
  session(client: Client): void {
    const { number } = client
    const text = sessionText(client)
    this.#text(type.SESSION, number, text)
    if (number <= this.#lastSession) return
    this.#lastSession = number
    this.#text(type.SESSION, number, text)
  }

  ended(client: Client): void {
    this.#text(type.ENDED, client.number, '')
  }

  subscribed(client: Client, subscription: Subscription): void {
    const replaying = client.replays?.some((replay) => replay.subscription === subscription && replay.stored) ?? false
    this.#text(type.SUBSCRIBED, client.number, subscriptionText(subscription, replaying))
  }

  unsubscribed(client: Client, filter: string): void {
    this.#text(type.UNSUBSCRIBED, client.number, filter)
  }

  remembered(client: Client, key: string, value: string | undefined): void {
    if (value === undefined) this.#text(type.FORGOTTEN, client.number, key, true)
    else this.#text(type.REMEMBERED, client.number, JSON.stringify([key, value]), true)
  }

  noted(gateway: string, key: string, value: string | undefined): void {
    const text = JSON.stringify(value === undefined ? [gateway, key] : [gateway, key, value])
    const start = this.#begin(value === undefined ? type.ERASED : type.NOTED, 3 * text.length)
    this.#end(start, start + 1 + this.#log.buffer.write(text, start + 1))
  }

  retained(message: Message): void {
    const properties = propertiesText(message)
    const start = this.#begin(type.RETAINED, messageBlockBytes(message, properties))
    this.#end(start, writeMessageBlock(this.#log.buffer, start + 1, message, properties))
  }

  unretained(topic: string): void {
    const start = this.#begin(type.UNRETAINED, 3 * topic.length)
    this.#end(start, start + 1 + this.#log.buffer.write(topic, start + 1))
  }

  delayed(delayed: Delayed): void {
    if (delayed.stored === 0) delayed.stored = ++this.#lastNumber
    const { message, dueAt, stored } = delayed
    const properties = propertiesText(message)
    const start = this.#begin(type.DELAYED, MESSAGE_BYTES + 8 + messageBlockBytes(message, properties))
    const { buffer } = this.#log
    const at = buffer.writeDoubleBE(dueAt, writeMessage(buffer, start + 1, stored))
    this.#end(start, writeMessageBlock(buffer, at, message, properties))
  }

  fired(delayed: Delayed): void {
    const start = this.#begin(type.FIRED, MESSAGE_BYTES)
    this.#end(start, writeMessage(this.#log.buffer, start + 1, delayed.stored))
    delayed.stored = 0
  }

  queued(client: Client, record: DeliveryRecord): void {
    // A session may take one message more than once, by shared subscriptions or as a retained one: these count apart.
    const isSingle = record.shared !== undefined || record.retain
    const known = !isSingle && record.message === this.#message
    if (!known) {
      this.#lastNumber++
      this.#message = isSingle ? undefined : record.message
    }
    record.stored = this.#lastNumber
    this.delivery(client, record, known)
  }

  sent(client: Client, record: DeliveryRecord): void {
    const start = this.#begin(type.SENT, SESSION_BYTES + MESSAGE_BYTES + 2)
    const { buffer } = this.#log
    const at = writeMessage(buffer, writeSession(buffer, start + 1, client.number), record.stored)
    buffer[at] = record.id >>> 8
    buffer[at + 1] = record.id
    // QoS 1 may be sent again under another identifier; QoS 2 may not.
    this.#end(start, at + 2, record.qos === 2)
  }

  received(client: Client, record: DeliveryRecord): void {
    this.#step(type.RECEIVED, client, record, true)
  }

  done(client: Client, record: DeliveryRecord): void {
    this.#step(type.DONE, client, record, false)
    record.stored = 0 // a checkpoint that still holds it must not bring it back
  }

  /** The message with this receiver, or, where the message is stored already, only the receiver. */
  delivery(client: Client, record: DeliveryRecord, isKnown: boolean): void {
    const { message, stored } = record
    const extra = extraText(record)
    const properties = isKnown ? undefined : propertiesText(message)
    const length = MESSAGE_BYTES + receiverBytes(extra) + (isKnown ? 0 : messageBlockBytes(message, properties))
    const start = this.#begin(isKnown ? type.RECEIVER : type.MESSAGE, length)
    const { buffer } = this.#log
    const at = writeReceiver(buffer, writeMessage(buffer, start + 1, stored), client.number, record, extra)
    this.#end(start, isKnown ? at : writeMessageBlock(buffer, at, message, properties))
  }

  /** From here on nothing refers to a message that was recorded before. */
  restart(): void {
    this.#message = undefined
  }

  #step(kind: number, client: Client, record: DeliveryRecord, isAwaited: boolean): void {
    const start = this.#begin(kind, SESSION_BYTES + MESSAGE_BYTES)
    const { buffer } = this.#log
    this.#end(start, writeMessage(buffer, writeSession(buffer, start + 1, client.number), record.stored), isAwaited)
  }

  /** While the store fails, these change all the time, and who did not ask for it must not suffer. */
  #text(kind: number, session: number, text: string, isAwaited = this.ready): void {
    const start = this.#begin(kind, SESSION_BYTES + 3 * text.length)
    const at = writeSession(this.#log.buffer, start + 1, session)
    this.#end(start, text === '' ? at : at + this.#log.buffer.write(text, at), isAwaited)
  }

  #begin(kind: number, length: number): number {
    const start = this.#log.reserve(1 + length)
    this.#log.buffer[start] = kind
    return start
  }

  #end(start: number, end: number, isAwaited = true): void {
    this.#log.finish(end - start)
    if (isAwaited) this.#gate.close()
    else this.#gate.touch()
  }
}
