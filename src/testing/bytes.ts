/** Bytes as tests write them. */

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** Spaces are ignored. */
export function unhex(digits: string): Uint8Array {
  const bytes = Buffer.from(digits.replace(/\s+/g, ''), 'hex')
  return new Uint8Array(bytes)
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
