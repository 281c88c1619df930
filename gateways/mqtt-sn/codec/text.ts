/** UTF-8 without exceptions. MQTT-SN strings have no length of their own: they end with the message (5.3). */

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

const REPLACEMENT = '\ufffd'

/** The text, or undefined when the octets are not UTF-8 or hold NUL, which no MQTT string may [MQTT-1.5.4-2]. */
export function decodeText(bytes: Uint8Array): string | undefined {
  const text = decoder.decode(bytes)
  if (text.includes('\0')) return undefined
  if (!text.includes(REPLACEMENT)) return text
  // Either the sender wrote U+FFFD itself, or the decoder put it in place of a fault.
  const again = encoder.encode(text)
  return again.length === bytes.length && again.every((octet, i) => octet === bytes[i]) ? text : undefined
}

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text)
}

/** The octets of a short topic name as the 16-bit field that carries them; undefined when it has not exactly two. */
export function shortTopicId(name: string): number | undefined {
  if (name.length > 2) return undefined
  const octets = encoder.encode(name)
  return octets.length === 2 ? ((octets[0] as number) << 8) | (octets[1] as number) : undefined
}

/** The name in a topic id field of the short type; undefined when its octets are no text. */
export function shortTopicName(id: number): string | undefined {
  return decodeText(Uint8Array.of(id >> 8, id & 0xff))
}
