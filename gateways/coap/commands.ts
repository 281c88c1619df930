/** Commands of one client: each goes down as one notification of `/down`, and its answer comes up in `/up/response`. */
import { type Command, CommandDesk, type CommandError, type Delivery, type Link } from '#sdk'

/** What a device says about a command. */
export interface Answer {
  readonly id: string
  readonly result:
    | { readonly ok: true; readonly value: unknown }
    | { readonly ok: false; readonly code: CommandError; readonly text: string }
}

const ERROR_CODES: ReadonlySet<string> = new Set<CommandError>([
  'bad-request',
  'unsupported',
  'refused',
  'timeout',
  'offline',
  'not-found',
  'too-large',
])

/** Why a notification did not arrive, as the sender of the command is told. */
const FAILURES: Readonly<Record<string, readonly [CommandError, string]>> = {
  'notification-reset': ['refused', 'the device rejected the notification'],
  'not-acceptable': ['unsupported', 'the device does not accept JSON'],
  unreachable: ['offline', 'the device did not acknowledge the command'],
}

const ENDED = ['offline', 'the device stopped observing before it had the command'] as const

export class Commands {
  readonly #desk: CommandDesk
  /** Waiting for their answers, oldest first. Bounded by the window of deliveries. */
  #pending: Command[] = []

  constructor(link: Link, timer: number) {
    this.#desk = new CommandDesk(link, timer)
  }

  get size(): number {
    return this.#desk.size
  }

  /** Call the result when the device has the command, or will not have it. Undefined: it was none, and has been answered. */
  accept(delivery: Delivery): ((failure: string | undefined) => void) | undefined {
    const command = this.#desk.accept(delivery)
    if (command === undefined) return undefined
    this.#pending.push(command)
    return (failure) => {
      if (failure === undefined) return
      const [code, text] = FAILURES[failure] ?? ENDED
      this.#desk.fail(command, code, text)
      this.#forget(command)
    }
  }

  has(id: string): boolean {
    return this.#pending.some((command) => command.id === id)
  }

  /** Answers the oldest command of this id, if there is one; `onPublished(tag)` tells what became of the response. */
  answer({ id, result }: Answer, tag: number): void {
    const command = this.#pending.find((pending) => pending.id === id)
    if (command === undefined) return
    this.#forget(command)
    if (result.ok) this.#desk.succeed(command, result.value, tag)
    else this.#desk.fail(command, result.code, result.text, tag)
  }

  /** Call when the timer fires. */
  expire(): void {
    this.#desk.expire((command) => this.#forget(command))
  }

  /** Every command that waits is answered. */
  close(): void {
    this.#pending = []
    this.#desk.close()
  }

  #forget(command: Command): void {
    this.#pending = this.#pending.filter((pending) => pending !== command)
  }
}

/** `{"id":"42","ok":true,"result":{}}`, or `{"id":"42","ok":false,"error":{"code":"refused","message":".."}}`; a string says what is wrong. */
export function parseAnswer(text: string): Answer | string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'the payload is no JSON'
  }
  if (!isFields(value)) return 'an answer is a JSON object'
  const { id: rawId, ok = value['error'] === undefined, result = {}, error = {} } = value
  const id = typeof rawId === 'number' ? String(rawId) : rawId
  if (typeof id !== 'string' || id === '') return '`id` is the id of the command'
  if (typeof ok !== 'boolean') return '`ok` is true or false'
  if (ok) return { id, result: { ok, value: result } }
  if (!isFields(error)) return '`error` is an object with `code` and `message`'
  const { code = 'refused', message = '' } = error
  if (typeof code !== 'string' || !ERROR_CODES.has(code)) return `\`code\` is one of ${[...ERROR_CODES].join(', ')}`
  if (typeof message !== 'string') return '`message` is a text'
  return { id, result: { ok, code: code as CommandError, text: message } }
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
