/** The messages whose bodies are decoded, by name; everything else is opaque. A new body adds one row to each table. */
import { Writer } from '#bytes/writer'
import type { Authenticate } from './bodies/authenticate.ts'
import { authenticate } from './bodies/authenticate.ts'
import type { Empty } from './bodies/empty.ts'
import { deregister, heartbeat } from './bodies/empty.ts'
import type { BodyFormat } from './bodies/format.ts'
import type { GeneralResponse } from './bodies/general-response.ts'
import { platformResponse, terminalResponse } from './bodies/general-response.ts'
import type { Location } from './bodies/location.ts'
import { location } from './bodies/location.ts'
import type { Register } from './bodies/register.ts'
import { register } from './bodies/register.ts'
import type { RegisterResponse } from './bodies/register-response.ts'
import { registerResponse } from './bodies/register-response.ts'
import type { TextMessage } from './bodies/text-message.ts'
import { textMessage } from './bodies/text-message.ts'
import type { Header, HeaderForm } from './header.ts'

interface Bodies {
  'terminal-response': GeneralResponse
  'platform-response': GeneralResponse
  heartbeat: Empty
  deregister: Empty
  register: Register
  'register-response': RegisterResponse
  authenticate: Authenticate
  location: Location
  'text-message': TextMessage
}

const FORMATS: { readonly [T in keyof Bodies]: BodyFormat<Bodies[T]> } = {
  'terminal-response': terminalResponse,
  'platform-response': platformResponse,
  heartbeat,
  deregister,
  register,
  'register-response': registerResponse,
  authenticate,
  location,
  'text-message': textMessage,
}

/** A body with its name; what a platform or a terminal composes. */
export type Draft = { [T in keyof Bodies]: { readonly type: T; readonly body: Bodies[T] } }[keyof Bodies]

/** A message whose body is octets: unknown, a part of a longer one, encrypted, or not as its table says. */
export interface Opaque {
  readonly type: 'opaque'
  readonly why: 'unknown' | 'part' | 'encrypted' | 'malformed'
  /** May be a view of the frame. */
  readonly body: Uint8Array
}

export type Message = (Draft | Opaque) & { readonly header: Header }

/** Messages of one type. */
export type Of<T extends Message['type']> = Extract<Message, { type: T }>

interface Entry {
  readonly type: Draft['type']
  readonly format: BodyFormat<unknown>
}

const BY_ID = new Map<number, Entry>()
for (const [type, format] of Object.entries(FORMATS)) BY_ID.set(format.id, { type: type as Draft['type'], format })

/** Reused for every body; what leaves is a copy. */
const body = new Writer()

/** Message id of a body. */
export function messageId(draft: Draft): number {
  return FORMATS[draft.type].id
}

/** The message with this header and the body at `bytes[start, end)`. */
export function readMessage(header: Header, bytes: Uint8Array, start: number, end: number): Message {
  const opaque = (why: Opaque['why']): Message => ({ type: 'opaque', why, header, body: bytes.subarray(start, end) })
  if (header.encryption !== 0) return opaque('encrypted')
  if (header.part !== undefined) return opaque('part')
  const entry = BY_ID.get(header.id)
  if (entry === undefined) return opaque('unknown')
  const body = entry.format.decode(bytes, start, end, header.form)
  return body === undefined ? opaque('malformed') : ({ type: entry.type, header, body } as Message)
}

/** The body of a draft as octets. */
export function writeBody(draft: Draft, form: HeaderForm): Uint8Array {
  body.reset()
  const format: BodyFormat<unknown> = FORMATS[draft.type]
  format.encode(body, draft.body, form)
  return body.finish()
}

/** The body of a draft as it is published. */
export function presentBody(draft: Draft): object {
  const format: BodyFormat<unknown> = FORMATS[draft.type]
  return format.present?.(draft.body) ?? draft.body
}
