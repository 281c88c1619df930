/**
 * JT/T 808 without the gateway: `omnigate/jt808-parser`. Frames to typed messages and back, editions 2011, 2013 and 2019, the
 * signalling of JT/T 1078 and active safety. Pure: no socket, no clock, nothing that throws on what a terminal sent.
 *
 *     const framer = new FlagFramer()
 *     framer.push(chunk, { frame: (bytes) => handle(decode(bytes)), malformed: (error) => count(error.malformed) })
 */
import {
  type Draft,
  encode,
  type Header,
  MAX_BODY_BYTES,
  type Message,
  messageId,
  SERIALS,
  takeDraft,
  writeBody,
} from './codec/index.ts'

export { isMalformed, type Malformed } from '#sdk'
export { type Addition, Assemblies, type Assembly, type AssemblyLimits, type Budget, missingParts } from './assemblies.ts'
export { alarmNames } from './codec/bodies/alarms.ts'
export type { Location } from './codec/bodies/location.ts'
export { type Extras, readExtras } from './codec/bodies/location-extras.ts'
export { PARAMETERS, type Parameter, type ParameterType, parameterNamed, parameterOf } from './codec/bodies/parameter-table.ts'
export type { ParameterItem } from './codec/bodies/parameters.ts'
export { statusNames } from './codec/bodies/status-flags.ts'
export {
  type Bodies,
  type DownlinkType,
  type Draft,
  decode,
  encode,
  explain,
  FlagFramer,
  type Header,
  type HeaderForm,
  KNOWN_IDS,
  type LengthCheck,
  type Message,
  messageId,
  nativeOf as toJson,
  type Of,
  type Opaque,
  Result,
  readMessage,
  typeOf,
  type UplinkType,
  writeBody,
} from './codec/index.ts'
export { utcOf } from './codec/time.ts'

/** Who a frame is from or to. */
export interface Party {
  /** 12 digits in the 2013 form, 20 in that of 2019. */
  readonly phone: string
  readonly form: Header['form']
  /** Protocol version of the 2019 form; absent is 1. */
  readonly protocol?: number
}

const FIRST_2019 = 1

/**
 * The frames of a message, numbered from `sn`: one, or parts of at most `partBytes` octets where the body has more than a frame
 * holds. Throws a RangeError when a value does not fit its field.
 */
export function framesOf(party: Party, draft: Draft, sn: number, partBytes = 1000): Uint8Array[] {
  const body = writeBody(draft, party.form)
  const total = body.length <= MAX_BODY_BYTES ? 1 : Math.ceil(body.length / partBytes)
  return Array.from({ length: total }, (_, i) => {
    const header: Header = {
      id: messageId(draft),
      length: 0,
      form: party.form,
      protocol: party.form === '2019' ? (party.protocol ?? FIRST_2019) : 0,
      phone: party.phone,
      sn: (sn + i) % SERIALS,
      encryption: 0,
      reserved: 0,
      part: total === 1 ? undefined : { total, sn: i + 1 },
    }
    const octets = total === 1 ? body : body.subarray(i * partBytes, (i + 1) * partBytes)
    return encode({ type: 'opaque', why: 'unknown', header, body: octets } satisfies Message)
  })
}

/**
 * The message `id` from the JSON of its body, as `toJson` shows it: a draft, or what is wrong with the JSON by path; undefined when
 * there is no such message.
 */
export function draftOf(
  id: number,
  json: unknown,
  form: Header['form'],
): Draft | { readonly faults: readonly string[] } | undefined {
  return takeDraft(id, json, form)
}
