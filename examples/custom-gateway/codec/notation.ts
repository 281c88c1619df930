/** Lines as people write them, for scripts: the line itself, without its end. */
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function notation(): { encode(text: string): Uint8Array; decode(frame: Uint8Array): string } {
  return {
    encode: (text) => encoder.encode(`${text}\n`),
    decode: (frame) => decoder.decode(frame).trimEnd(),
  }
}
