/**
 * Commands on their way to one terminal: sent, repeated while no answer comes, matched with the terminal's reply or its
 * general response (JT/T 808 8.1) by message id and serial number, and answered exactly once.
 */
import { COMMAND_TIMEOUT_MS, type Command, CommandDesk, type CommandError, type Delivery, type Link } from '#sdk'
import type { GeneralResponse } from './codec/bodies/general-response.ts'
import { type Header, type Message, Result, SERIALS } from './codec/index.ts'
import { type Composition, compose, composeById } from './commands.ts'
import { readEmqxCommand } from './emqx.ts'
import { answeredSerial, type Expectation, expectationOf, resultOf } from './replies.ts'
import type { Shared } from './shared.ts'
import type { Sent, Speaker } from './speaker.ts'
import type { Data } from './topics.ts'

/** Who waits for the answer. */
interface Customer {
  /** How long it waits for the reply of a terminal that has taken the message; undefined has a deadline of its own. */
  readonly patienceMs: number | undefined
  succeed(result: Data): void
  fail(code: CommandError, message: string): void
}

interface Pending {
  readonly customer: Customer
  readonly sent: Sent
  readonly expectation: Expectation
  /** Frames that the terminal has not acknowledged, by their place. */
  readonly open: Set<number>
  /** The terminal has the message; its reply is to come. Then nothing is repeated. */
  accepted: boolean
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
  readonly #edition: string | undefined
  readonly #retryTimer: number
  readonly #desk: CommandDesk
  /** Bounded by the session's delivery window. */
  readonly #pending = new Set<Pending>()

  constructor(
    shared: Shared,
    link: Link,
    speaker: Speaker,
    terminal: Header,
    edition: string | undefined,
    timers: { deadline: number; retry: number },
  ) {
    this.#shared = shared
    this.#link = link
    this.#speaker = speaker
    this.#terminal = terminal
    this.#edition = edition
    this.#retryTimer = timers.retry
    this.#desk = new CommandDesk(link, timers.deadline)
  }

  get pending(): number {
    return this.#pending.size
  }

  take(delivery: Delivery): void {
    const command = this.#desk.accept(delivery)
    if (command === undefined) return
    const composed = compose(command, this.#terminal.form, this.#shared.vendor)
    const customer = new DeskCustomer(this.#desk, command)
    if ('code' in composed) customer.fail(composed.code, composed.message)
    else this.#send(customer, composed)
  }

  /** A message as EMQX's applications write it: what comes of it is seen on the topic up, and counted. */
  takeNative(delivery: Delivery): void {
    const customer = new NativeCustomer(this.#link, delivery)
    const command = readEmqxCommand(delivery.message.payload)
    const composed = command && composeById(command.id, command.body, this.#terminal.form, this.#shared.vendor)
    if (command === undefined || composed === undefined) customer.fail('bad-request')
    else if ('code' in composed) customer.fail(composed.code)
    else this.#send(customer, composed, command.sn)
  }

  /** The terminal's general response. False when it answers nothing that is pending. */
  answered({ id, seq, result }: GeneralResponse): boolean {
    for (const pending of this.#pending) {
      const place = placeOf(pending.sent, seq)
      if (pending.sent.id !== id || place === undefined) continue
      if (result !== Result.ok) {
        this.#forget(pending)
        this.#speaker.release(pending.sent)
        pending.customer.fail('refused', REFUSALS.get(result) ?? `the terminal answered ${result}`)
        return true
      }
      pending.open.delete(place)
      // Terminals acknowledge each part, or the last one for all.
      if (pending.open.size > 0 && place < pending.sent.frames.length - 1) return true
      if (pending.open.size === 0) this.#speaker.release(pending.sent)
      if (pending.expectation.general === 'wait') {
        pending.accepted = true
        pending.dueAt = this.#link.now() + (pending.customer.patienceMs ?? Number.POSITIVE_INFINITY)
        this.#rearm()
      } else {
        this.#forget(pending)
        pending.customer.succeed({})
      }
      return true
    }
    return false
  }

  /** A message that may be the reply to a command. False when none waits for it. */
  replied(message: Message): boolean {
    for (const pending of this.#pending) {
      const { expectation, sent, customer } = pending
      if (expectation.reply !== message.type) continue
      if (expectation.bySerial === true && placeOf(sent, answeredSerial(message) ?? -1) === undefined) continue
      this.#forget(pending)
      customer.succeed(resultOf(message, this.#shared.config.coordinates))
      return true
    }
    return false
  }

  /** The deadline timer fired. */
  expire(): void {
    this.#desk.expire((command) => {
      for (const pending of this.#pending) {
        if (pending.customer instanceof DeskCustomer && pending.customer.command === command) this.#forget(pending)
      }
    })
  }

  /** The retry timer fired. The wait T(n+1) after the n-th repetition is T(n) * (n + 1) (JT/T 808 6.1.1). */
  repeat(): void {
    const now = this.#link.now()
    for (const pending of this.#pending) {
      if (pending.dueAt > now) continue
      if (pending.accepted || pending.repetitions >= this.#shared.config.retry.attempts) {
        this.#forget(pending)
        pending.customer.fail('timeout', `no answer after ${pending.repetitions} repetitions`)
        continue
      }
      pending.repetitions += 1
      if (this.#shared.config.retry.backoff === 'standard') pending.waitMs *= pending.repetitions + 1
      pending.dueAt = now + pending.waitMs
      this.#link.count('command-repeated')
      for (const place of pending.open) this.#link.send(pending.sent.frames[place] as Uint8Array)
    }
    this.#rearm()
  }

  close(): void {
    for (const { customer } of this.#pending) if (customer instanceof NativeCustomer) customer.fail('offline')
    this.#pending.clear()
    this.#desk.close()
  }

  #send(customer: Customer, { id, body }: Composition, sn?: number): void {
    const { maxBytes } = this.#shared.config.parts
    if (body.length > maxBytes) {
      customer.fail('too-large', `the message takes ${body.length} octets of ${maxBytes} (parts.maxBytes)`)
      return
    }
    const sent = this.#speaker.sendBody(this.#terminal, id, body, sn)
    const expectation = expectationOf(id, this.#edition)
    if (expectation === undefined) {
      customer.succeed({})
      return
    }
    const waitMs = this.#shared.config.retry.interval
    this.#pending.add({
      customer,
      sent,
      expectation,
      open: new Set(sent.frames.keys()),
      accepted: false,
      repetitions: 0,
      waitMs,
      dueAt: this.#link.now() + waitMs,
    })
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

/** Which of the frames has this serial number; undefined when none has. */
function placeOf({ sn, frames }: Sent, seq: number): number | undefined {
  const place = (seq - sn + SERIALS) % SERIALS
  return seq >= 0 && place < frames.length ? place : undefined
}

/** A command of the unified topics: the desk answers it, and keeps its deadline. */
class DeskCustomer implements Customer {
  readonly patienceMs = undefined
  readonly command: Command
  readonly #desk: CommandDesk

  constructor(desk: CommandDesk, command: Command) {
    this.#desk = desk
    this.command = command
  }

  succeed(result: Data): void {
    this.#desk.succeed(this.command, result)
  }

  fail(code: CommandError, message: string): void {
    this.#desk.fail(this.command, code, message)
  }
}

/** A message on EMQX's topic: nothing answers it there. */
class NativeCustomer implements Customer {
  readonly patienceMs = COMMAND_TIMEOUT_MS
  readonly #link: Link
  readonly #delivery: number

  constructor(link: Link, delivery: Delivery) {
    this.#link = link
    this.#delivery = delivery.id
  }

  succeed(): void {
    this.#link.ack(this.#delivery)
  }

  fail(code: CommandError): void {
    this.#link.nack(this.#delivery, `command-${code}`)
  }
}
