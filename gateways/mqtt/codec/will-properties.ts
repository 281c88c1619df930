/**
 * The properties of the will in a CONNECT of 5.0 (section 3.1.3.2), read by hand: user properties keep their order
 * [MQTT-3.1.3-10] and their repetitions, which an object of names does not.
 */
import { PacketCursor } from './cursor.ts'
import type { MessageProperties } from './properties.ts'
import { decodeMessageProperties } from './properties.ts'

/** `frame` is a whole CONNECT with a will, whose structure was checked. */
export function decodeWillProperties(frame: Uint8Array): MessageProperties | string {
  const cursor = new PacketCursor(frame, 1, frame.length)
  cursor.varint()
  skipText(cursor) // protocol name
  cursor.octet() // level
  cursor.octet() // flags
  cursor.u16() // keep alive
  const length = cursor.varint()
  cursor.at += length
  skipText(cursor) // client identifier
  return decodeMessageProperties(frame, cursor.at, frame.length, 'will')
}

function skipText(cursor: PacketCursor): void {
  const length = cursor.u16()
  cursor.at += length
}
