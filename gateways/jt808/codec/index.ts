/** JT/T 808 on the wire, editions 2011, 2013 and 2019: frames to messages and back. */
import type { Malformed, WireFormat } from '#sdk'
import { isMalformed } from '#sdk'
import { closeFrame, type LengthCheck, openFrame } from './frame.ts'
import { FlagFramer } from './framer.ts'
import type { Message } from './messages.ts'
import { readMessage, writeBody } from './messages.ts'

export { Result } from './bodies/general-response.ts'
export type { Location } from './bodies/location.ts'
export type { Register } from './bodies/register.ts'
export { MAX_INFLATED_BYTES } from './compressed.ts'
export { explain } from './explain.ts'
export { closeFrame, type LengthCheck } from './frame.ts'
export { FlagFramer, MAX_FRAME_BYTES } from './framer.ts'
export { type Header, type HeaderForm, headerTo, MAX_BODY_BYTES, SERIALS } from './header.ts'
export {
  type Bodies,
  DECLARED,
  type DownlinkType,
  type Draft,
  idOf,
  isDownlink,
  KNOWN_IDS,
  type Message,
  messageId,
  type Of,
  type Opaque,
  presentBody,
  readMessage,
  takeDraft,
  typeOf,
  type UplinkType,
  writeBody,
} from './messages.ts'
export { nativeOf, presentHeader } from './native.ts'

/** A frame with a flag at either end, from a framer or a datagram. */
export function decode(frame: Uint8Array, check: LengthCheck = 'strict'): Message | Malformed {
  const opened = openFrame(frame, check)
  return isMalformed(opened) ? opened : readMessage(opened.header, opened.bytes, opened.start, opened.end)
}

/** Throws a RangeError when the body has more than 1023 octets. */
export function encode(message: Message): Uint8Array {
  return closeFrame(message.header, message.type === 'opaque' ? message.body : writeBody(message, message.header.form))
}

export const wire: WireFormat<Message> = { codec: { decode: (frame) => decode(frame), encode }, framer: () => new FlagFramer() }
