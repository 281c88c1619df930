/** Between lines and the unified topics: what a report becomes, and what a command must hold. */
import type { Command, CommandError, Link } from 'omnigate/sdk'
import { deviceTopic, encodeEnvelope, Message } from 'omnigate/sdk'
import { fitsInLine } from './codec/index.ts'

type Values = Readonly<Record<string, unknown>>

/** The JSON object of a DATA line; undefined when it is none. */
export function parseValues(text: string): Values | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Values) : undefined
  } catch {
    return undefined
  }
}

/** `up/telemetry` of a client that is connected. */
export function telemetryTopic(link: Link): string {
  return deviceTopic(link.clientId ?? '', 'up/telemetry')
}

export function telemetry(link: Link, values: Values): Message {
  const envelope = { device: link.clientId ?? '', protocol: 'line', gateway: link.gateway, type: 'measurement', data: { values } }
  return new Message(telemetryTopic(link), encodeEnvelope(envelope, link.now()), 1)
}

/** The text that a command sends down, or why it cannot be sent. */
export function textOfCommand(
  { name, args }: Command,
  maxBytes: number,
): string | { readonly code: CommandError; readonly message: string } {
  if (name !== 'message') return { code: 'unsupported', message: `this gateway knows no command '${name}', only 'message'` }
  const { text } = args
  if (typeof text !== 'string' || !fitsInLine(text))
    return { code: 'bad-request', message: '`args.text` must be one line of text' }
  if (Buffer.byteLength(text) > maxBytes)
    return { code: 'too-large', message: `more than ${maxBytes} octets do not fit into one line` }
  return text
}
