/** UTF-8 (RFC 3629) in and out without exceptions: what a peer sends is never worth a throw. */

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

const REPLACEMENT = '\ufffd'

/** The text, or undefined when the bytes are not UTF-8. */
export function decodeText(bytes: Uint8Array): string | undefined {
  const text = decoder.decode(bytes)
  if (!text.includes(REPLACEMENT)) return text
  // Either the sender wrote U+FFFD itself, or the decoder put it in place of a fault.
  const again = encoder.encode(text)
  if (again.length !== bytes.length) return undefined
  for (let i = 0; i < again.length; i++) if (again[i] !== bytes[i]) return undefined
  return text
}

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text)
}
