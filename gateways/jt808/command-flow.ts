/**
 * Commands on their way to one terminal: sent, repeated while no answer comes, matched with the terminal's general
 * response (JT/T 808 8.1) by message id and serial number, and answered exactly once.
 */
import { type Command, CommandDesk, type Delivery, type Link } from '#sdk'
import type { GeneralResponse } from './codec/bodies/general-response.ts'
import { type Draft, type Header, MAX_BODY_BYTES, messageId, Result, writeBody } from './codec/index.ts'
import { compose } from './commands.ts'
import type { Shared } from './shared.ts'
import type { Sent, Speaker } from './speaker.ts'

interface Pending {
  readonly command: Command
  readonly sent: Sent
  /** How often it has been repeated. */
  repetitions: number
  waitMs: number
  dueAt: number
}

const REFUSALS: ReadonlyMap<number, string> = new Map([
  [Result.failed, 'the terminal answered that it failed'],
  [Result.badMessage, 'the terminal answered that the message is wrong'],
  [Result.unsupported, 'the terminal answered that it does not support this'],
])

export class CommandFlow {
  readonly #shared: Shared
  readonly #link: Link
  readonly #speaker: Speaker
  readonly #terminal: Header
  readonly #retryTimer: number
  readonly #desk: CommandDesk
  /** Bounded by the session's delivery window. */
  readonly #pending = new Set<Pending>()

  constructor(shared: Shared, link: Link, speaker: Speaker, terminal: Header, timers: { deadline: number; retry: number }) {
    this.#shared = shared
    this.#link = link
    this.#speaker = speaker
    this.#terminal = terminal
    this.#retryTimer = timers.retry
    this.#desk = new CommandDesk(link, timers.deadline)
  }

  get pending(): number {
    return this.#pending.size
  }

  take(delivery: Delivery): void {
    const command = this.#desk.accept(delivery)
    if (command === undefined) return
    const draft = compose(command, this.#terminal.form)
    if ('code' in draft) this.#desk.fail(command, draft.code, draft.message)
    else this.#send(command, draft)
  }

  /** The terminal's general response. False when it answers nothing that is pending. */
  answered({ id, seq, result }: GeneralResponse): boolean {
    for (const pending of this.#pending) {
      if (pending.sent.id !== id || pending.sent.sn !== seq) continue
      this.#forget(pending)
      if (result === Result.ok) this.#desk.succeed(pending.command)
      else this.#desk.fail(pending.command, 'refused', REFUSALS.get(result) ?? `the terminal answered ${result}`)
      return true
    }
    return false
  }

  /** The deadline timer fired. */
  expire(): void {
    this.#desk.expire((command) => {
      for (const pending of this.#pending) if (pending.command === command) this.#forget(pending)
    })
  }

  /** The retry timer fired. The wait T(n+1) after the n-th repetition is T(n) * (n + 1) (JT/T 808 6.1.1). */
  repeat(): void {
    const now = this.#link.now()
    for (const pending of this.#pending) {
      if (pending.dueAt > now) continue
      if (pending.repetitions >= this.#shared.config.retry.attempts) {
        this.#forget(pending)
        this.#desk.fail(pending.command, 'timeout', `no answer after ${pending.repetitions} repetitions`)
        continue
      }
      pending.repetitions += 1
      pending.waitMs *= pending.repetitions + 1
      pending.dueAt = now + pending.waitMs
      this.#link.count('command-repeated')
      this.#link.send(pending.sent.frame)
    }
    this.#rearm()
  }

  close(): void {
    this.#pending.clear()
    this.#desk.close()
  }

  #send(command: Command, draft: Draft): void {
    const body = writeBody(draft, this.#terminal.form)
    if (body.length > MAX_BODY_BYTES) {
      this.#desk.fail(command, 'too-large', `the message takes ${body.length} octets of the ${MAX_BODY_BYTES} that fit`)
      return
    }
    const sent = this.#speaker.sendBody(this.#terminal, messageId(draft), body)
    const waitMs = this.#shared.config.retry.interval
    this.#pending.add({ command, sent, repetitions: 0, waitMs, dueAt: this.#link.now() + waitMs })
    this.#rearm()
  }

  #forget(pending: Pending): void {
    this.#pending.delete(pending)
    this.#rearm()
  }

  #rearm(): void {
    let next = Number.POSITIVE_INFINITY
    for (const { dueAt } of this.#pending) next = Math.min(next, dueAt)
    if (next === Number.POSITIVE_INFINITY) this.#link.disarm(this.#retryTimer)
    else this.#link.arm(this.#retryTimer, Math.max(1, next - this.#link.now()))
  }
}
