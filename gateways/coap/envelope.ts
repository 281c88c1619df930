/** What devices send to `/up` becomes the unified envelope. */
import { type Envelope, encodeEnvelope } from '#sdk'

export type EnvelopeKind = 'telemetry' | 'event'

export interface Source {
  readonly device: string
  readonly protocol: string
  readonly gateway: string
  /** The gateway's clock, ms since the epoch. */
  readonly now: number
}

type Fields = Readonly<Record<string, unknown>>

/** The envelope as UTF-8 JSON; a string says what is wrong with the payload. */
export function envelopeOf(kind: EnvelopeKind, text: string, source: Source): Uint8Array | string {
  const value = parseJson(text)
  if (isFields(value) && value['v'] === 1 && typeof value['type'] === 'string' && isFields(value['data'])) {
    return complete(value['type'], value['data'], source, value['native'], value['ts'])
  }
  return kind === 'telemetry' ? measurement(value, source) : event(value, text, source)
}

/** An object holds the values by name; a number, text or truth value is the only one. */
function measurement(value: unknown, source: Source): Uint8Array | string {
  if (isFields(value)) return complete('measurement', { values: value }, source)
  if (isScalar(value)) return complete('measurement', { values: { value } }, source)
  return 'telemetry is a JSON object of values, or one JSON number, text or truth value'
}

/** `{"type":"door-open",...}` names itself, with its data beside the name or in `data`; anything else is an `event`. */
function event(value: unknown, text: string, source: Source): Uint8Array | string {
  if (value === undefined && text !== '') return complete('event', { value: text }, source)
  if (isScalar(value)) return complete('event', { value }, source)
  if (!isFields(value)) return 'an event is a JSON object, or one JSON number, text or truth value, or plain text'
  const { type, ...rest } = value
  if (typeof type !== 'string' || type === '') return complete('event', value, source)
  return complete(type, isFields(rest['data']) ? rest['data'] : rest, source)
}

/** Who sent it is not for the device to say. */
function complete(type: string, data: Fields, source: Source, native?: unknown, ts?: unknown): Uint8Array {
  const { device, protocol, gateway, now } = source
  const envelope: Envelope = { device, protocol, gateway, type, data, ...(isFields(native) && { native }) }
  return encodeEnvelope(envelope, typeof ts === 'number' && Number.isFinite(ts) ? ts : now)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isScalar(value: unknown): value is number | string | boolean {
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean'
}

/** Undefined: not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
