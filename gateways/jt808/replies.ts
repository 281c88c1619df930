/** Which message of the terminal ends which command (JT/T 808 8; the general response may always refuse). */
import { type DownlinkType, explain, idOf, type Message, presentBody, type UplinkType } from './codec/index.ts'
import type { Config } from './config.ts'
import { type Data, locationData } from './topics.ts'

export interface Expectation {
  /** The reply that carries the result. */
  readonly reply?: UplinkType
  /** The reply names the serial number of the command; otherwise its kind is all there is to go by. */
  readonly bySerial?: boolean
  /** What a general response of 0 means: `done`, or that the reply is still to come. */
  readonly general: 'done' | 'wait'
}

const GENERAL: Expectation = { general: 'done' }

const bySerial = (reply: UplinkType): Expectation => ({ reply, bySerial: true, general: 'wait' })
const byKind = (reply: UplinkType): Expectation => ({ reply, general: 'wait' })

const EXPECTATIONS = new Map<number, Expectation>(
  (
    [
      ['parameters-query-all', bySerial('parameters-reply')],
      ['parameters-query', bySerial('parameters-reply')],
      ['attributes-query', byKind('attributes-reply')],
      // Taken is done: what comes of it takes minutes and is an event.
      ['upgrade', { reply: 'upgrade-result', general: 'done' }],
      ['question', { reply: 'question-answer', bySerial: true, general: 'done' }],
      ['upload-request', { reply: 'upload-done', bySerial: true, general: 'done' }],
      ['single-upload', { reply: 'media-search-reply', bySerial: true, general: 'done' }],
      ['location-query', bySerial('location-reply')],
      ['vehicle-control', bySerial('control-reply')],
      ['areas-query', byKind('areas-reply')],
      ['recorder-query', bySerial('recorder-data')],
      ['driver-query', byKind('driver-identity')],
      ['shoot', bySerial('shot-reply')],
      ['media-search', bySerial('media-search-reply')],
      ['av-attributes-query', byKind('av-attributes')],
      ['recordings-query', bySerial('recordings')],
      ['playback', { reply: 'recordings', bySerial: true, general: 'done' }],
    ] as const satisfies readonly (readonly [DownlinkType, Expectation])[]
  ).map(([type, expectation]) => [idOf(type), expectation]),
)

/** Messages that are answers themselves, or only tell: nothing comes back. */
const SILENT: ReadonlySet<number> = new Set(
  (
    [
      'platform-response',
      'platform-resend',
      'server-time',
      'register-response',
      'media-response',
      'platform-key',
      'live-status',
      'file-response',
    ] as const satisfies readonly DownlinkType[]
  ).map(idOf),
)

const SHOOT = idOf('shoot')

/** What ends the message `id` to a terminal of this edition; undefined when it is over with the sending. */
export function expectationOf(id: number, edition: string | undefined): Expectation | undefined {
  if (SILENT.has(id)) return undefined
  // 2011 has no 0x0805.
  if (id === SHOOT && edition === '2011') return GENERAL
  return EXPECTATIONS.get(id) ?? GENERAL
}

/** The serial number of the command that a reply names. */
export function answeredSerial(message: Message): number | undefined {
  if (message.type === 'opaque') return undefined
  const { seq } = message.body as { readonly seq?: unknown }
  return typeof seq === 'number' ? seq : undefined
}

/** What a reply says, as the result of its command. */
export function resultOf(message: Message, coordinates: Config['coordinates']): Data {
  if (message.type === 'opaque') return {}
  switch (message.type) {
    case 'parameters-reply':
      return explain(message)
    case 'location-reply':
      return { location: locationData(message.body.params, coordinates) }
    case 'control-reply':
      return { location: locationData(message.body.location, coordinates) }
    default: {
      const { seq: _, ...rest } = presentBody(message) as Record<string, unknown>
      return { ...rest, ...explain(message) }
    }
  }
}
