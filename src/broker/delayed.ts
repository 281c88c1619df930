/**
 * Messages that were published to `$delayed/{seconds}/{topic}` and wait for their time: accepted and bounded like any
 * other, published to the topic when it has come. Their expiry counts from then.
 */
import { type Message, NEVER } from '../sdk.ts'
import { Deadlines } from './deadlines.ts'
import type { CoreLimits } from './port.ts'
import { RECORD_BYTES } from './queue.ts'

export interface Delayed {
  /** With the topic, expiry and publisher that it will be published with. */
  readonly message: Message
  /** Milliseconds since the epoch. */
  readonly dueAt: number
  /** What the journal knows it by; 0 is not stored, or not any more. */
  stored: number
}

export class DelayedMessages {
  readonly #deadlines = new Deadlines<Delayed>()
  readonly #limits: Pick<CoreLimits, 'maxDelayed' | 'maxDelayedBytes'>
  readonly #sooner: () => void
  size = 0
  /** Payloads plus a fixed cost per message. */
  bytes = 0

  /** `sooner` is called when `next` has moved forward. */
  constructor(limits: Pick<CoreLimits, 'maxDelayed' | 'maxDelayedBytes'>, sooner: () => void) {
    this.#limits = limits
    this.#sooner = sooner
  }

  /** When the next message is due, ms since the epoch; undefined when none waits. */
  get next(): number | undefined {
    return this.#deadlines.next
  }

  /** Undefined when there is no room for it. */
  add(message: Message, dueAt: number, stored = 0): Delayed | undefined {
    const bytes = message.size + RECORD_BYTES
    const { maxDelayed, maxDelayedBytes } = this.#limits
    if (this.size >= maxDelayed || this.bytes + bytes > maxDelayedBytes) return undefined
    this.size++
    this.bytes += bytes
    const delayed = { message, dueAt, stored }
    this.#deadlines.add(dueAt, delayed)
    if (this.#deadlines.next === dueAt) this.#sooner()
    return delayed
  }

  /** All that waits, in no particular order. */
  *entries(): Generator<Delayed, undefined> {
    for (const { item } of this.#deadlines.entries()) yield item
  }

  takeDue(now: number): Delayed | undefined {
    const delayed = this.#deadlines.takeDue(now)
    if (delayed === undefined) return undefined
    this.size--
    this.bytes -= delayed.message.size + RECORD_BYTES
    return delayed
  }
}

/** The message as it will be published `delayMs` from now: its expiry begins then. */
export function postponed(message: Message, topic: string, delayMs: number): Message {
  const later = message.withTopic(topic)
  if (later.expiresAt !== NEVER) later.expiresAt += delayMs
  return later.kept()
}
