/**
 * Commands down, exactly one response up. A session hands its command deliveries to a desk, and tells the desk what
 * became of them; the desk checks the JSON, keeps the deadlines, and answers `up/response` (and the MQTT 5 response
 * topic of the command, with its correlation data).
 */
import { Message } from './message.ts'
import type { Delivery, Link } from './session.ts'
import { deviceTopic } from './topics.ts'

export type CommandError = 'bad-request' | 'unsupported' | 'refused' | 'timeout' | 'offline' | 'not-found' | 'too-large'

export interface Command {
  readonly id: string
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
  readonly timeoutMs: number
  /** Where else to answer. */
  readonly responseTopic: string | undefined
  readonly correlationData: Uint8Array | undefined
  /** Window slot of the delivery; the desk acknowledges it with the response. */
  readonly delivery: number
}

/** Where else a response goes, besides `up/response`. */
export interface Reply {
  readonly responseTopic?: string | undefined
  readonly correlationData?: Uint8Array | undefined
}

export interface CommandFault {
  readonly code: CommandError
  readonly message: string
  /** The id that the sender gave, when one could be read. */
  readonly id: string | undefined
}

/** Default of `timeout_s`. */
export const COMMAND_TIMEOUT_MS = 30_000
const MAX_TIMEOUT_S = 86_400

const decoder = new TextDecoder('utf-8', { fatal: true })
const encoder = new TextEncoder()

/** Reads the command JSON `{"id":"42","name":"read","args":{},"timeout_s":30}`. */
export function parseCommand(message: Message, delivery = 0): Command | CommandFault {
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(message.payload))
  } catch {
    return { code: 'bad-request', message: 'the payload is not UTF-8 JSON', id: undefined }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { code: 'bad-request', message: 'a command is a JSON object', id: undefined }
  }
  const { id: rawId, name, args = {}, timeout_s: timeout = COMMAND_TIMEOUT_MS / 1000 } = value as Record<string, unknown>
  const id = typeof rawId === 'number' ? String(rawId) : rawId
  if (typeof id !== 'string' || id === '')
    return { code: 'bad-request', message: '`id` must be a non-empty string', id: undefined }
  if (typeof name !== 'string' || name === '') return { code: 'bad-request', message: '`name` must be a non-empty string', id }
  if (typeof args !== 'object' || args === null || Array.isArray(args))
    return { code: 'bad-request', message: '`args` must be an object', id }
  if (typeof timeout !== 'number' || !(timeout > 0) || timeout > MAX_TIMEOUT_S) {
    return { code: 'bad-request', message: `\`timeout_s\` must be a number of seconds, above 0 and at most ${MAX_TIMEOUT_S}`, id }
  }
  return {
    id,
    name,
    args: args as Record<string, unknown>,
    timeoutMs: timeout * 1000,
    responseTopic: message.properties?.responseTopic,
    correlationData: message.properties?.correlationData,
    delivery,
  }
}

export type CommandResult =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: { readonly code: CommandError; readonly message: string } }

/** The response JSON; `id` is null when the command had none that could be read. */
export function encodeResponse(id: string | null, device: string, result: CommandResult): Uint8Array {
  return encoder.encode(JSON.stringify({ id, device, ...result }))
}

/** The messages that carry one response: `up/response`, and the response topic that the command named. */
export function responseMessages(id: string | null, device: string, result: CommandResult, reply: Reply): Message[] {
  const payload = encodeResponse(id, device, result)
  const topic = deviceTopic(device, 'up/response')
  const messages = [new Message(topic, payload, 1)]
  if (reply.responseTopic !== undefined && reply.responseTopic !== topic) {
    const properties = reply.correlationData === undefined ? {} : { correlationData: reply.correlationData }
    messages.push(new Message(reply.responseTopic, payload, 1, false, properties))
  }
  return messages
}

interface Pending {
  readonly command: Command
  readonly deadline: number
}

/** Pending commands of one session. Bounded by the session's delivery window. */
export class CommandDesk {
  readonly #link: Link
  readonly #timer: number
  readonly #pending = new Set<Pending>()

  /** `timer` is the number of the session's timer that the desk may use; route `onTimer(timer)` to `expire()`. */
  constructor(link: Link, timer: number) {
    this.#link = link
    this.#timer = timer
  }

  get size(): number {
    return this.#pending.size
  }

  /** Takes a delivery on `down/command`. Undefined: it was no command and has been answered. */
  accept(delivery: Delivery): Command | undefined {
    const command = parseCommand(delivery.message, delivery.id)
    if ('code' in command) {
      const properties = delivery.message.properties ?? {}
      this.#respond(command.id ?? null, { ok: false, error: { code: command.code, message: command.message } }, properties)
      this.#settle(delivery.id, command.code)
      return undefined
    }
    this.#pending.add({ command, deadline: this.#link.now() + command.timeoutMs })
    this.#rearm()
    return command
  }

  /** With a `tag`, `onPublished` tells what became of the message on `up/response`. */
  succeed(command: Command, result: unknown = {}, tag?: number): void {
    if (!this.#take(command)) return
    this.#respond(command.id, { ok: true, result }, command, tag)
    this.#settle(command.delivery, undefined)
  }

  fail(command: Command, code: CommandError, message: string, tag?: number): void {
    if (!this.#take(command)) return
    this.#respond(command.id, { ok: false, error: { code, message } }, command, tag)
    this.#settle(command.delivery, code)
  }

  /** True while the command waits for its answer. */
  has(command: Command): boolean {
    for (const pending of this.#pending) if (pending.command === command) return true
    return false
  }

  /** Call from `onTimer`: fails what is overdue; `expired` learns of each, to forget protocol state. */
  expire(expired?: (command: Command) => void): void {
    const now = this.#link.now()
    for (const pending of [...this.#pending]) {
      if (pending.deadline > now) continue
      expired?.(pending.command)
      this.fail(pending.command, 'timeout', `no answer within ${pending.command.timeoutMs / 1000} s`)
    }
    this.#rearm()
  }

  /** Call from `onClose`: every pending command is answered. */
  close(message = 'the device went offline before it answered'): void {
    for (const pending of [...this.#pending]) this.fail(pending.command, 'offline', message)
  }

  #take(command: Command): boolean {
    for (const pending of this.#pending) {
      if (pending.command !== command) continue
      this.#pending.delete(pending)
      if (this.#pending.size === 0) this.#link.disarm(this.#timer)
      return true
    }
    return false
  }

  #settle(delivery: number, failure: CommandError | undefined): void {
    if (delivery === 0) return
    if (failure === undefined) this.#link.ack(delivery)
    else this.#link.nack(delivery, `command-${failure}`)
  }

  #respond(id: string | null, result: CommandResult, reply: Reply, tag?: number): void {
    const device = this.#link.clientId
    if (device === undefined) return
    const [response, ...others] = responseMessages(id, device, result, reply)
    if (response !== undefined) this.#link.publish(response, tag)
    for (const message of others) this.#link.publish(message)
  }

  #rearm(): void {
    let next = Number.POSITIVE_INFINITY
    for (const pending of this.#pending) next = Math.min(next, pending.deadline)
    if (next === Number.POSITIVE_INFINITY) this.#link.disarm(this.#timer)
    else this.#link.arm(this.#timer, Math.max(1, next - this.#link.now()))
  }
}
