/** The OSCORE option's value, the compressed COSE header: RFC 8613 section 6.1. */

export interface OscoreHeader {
  readonly partialIv: Uint8Array | undefined
  readonly kidContext: Uint8Array | undefined
  readonly kid: Uint8Array | undefined
}

const KID = 0x08
const KID_CONTEXT = 0x10
const PARTIAL_IV_LENGTH = 0x07
const RESERVED = 0xe0
const MAX_PARTIAL_IV_BYTES = 5

export function encodeOscoreHeader({ partialIv, kidContext, kid }: OscoreHeader): Uint8Array {
  const flags = (partialIv?.length ?? 0) | (kid === undefined ? 0 : KID) | (kidContext === undefined ? 0 : KID_CONTEXT)
  if (flags === 0) return new Uint8Array(0)
  const context = kidContext === undefined ? [] : [kidContext.length, ...kidContext]
  return Uint8Array.of(flags, ...(partialIv ?? []), ...context, ...(kid ?? []))
}

/** Undefined when it is malformed. */
export function decodeOscoreHeader(value: Uint8Array): OscoreHeader | undefined {
  if (value.length === 0) return { partialIv: undefined, kidContext: undefined, kid: undefined }
  const flags = value[0] as number
  const ivBytes = flags & PARTIAL_IV_LENGTH
  // RFC 8613 6.1: no flag at all is the empty value.
  if ((flags & RESERVED) !== 0 || ivBytes > MAX_PARTIAL_IV_BYTES || flags === 0) return undefined
  let at = 1 + ivBytes
  if (at > value.length) return undefined
  const partialIv = ivBytes === 0 ? undefined : new Uint8Array(value.subarray(1, at))
  let kidContext: Uint8Array | undefined
  if ((flags & KID_CONTEXT) !== 0) {
    const length = value[at++]
    if (length === undefined || at + length > value.length) return undefined
    kidContext = new Uint8Array(value.subarray(at, at + length))
    at += length
  }
  if ((flags & KID) !== 0) return { partialIv, kidContext, kid: new Uint8Array(value.subarray(at)) }
  return at === value.length ? { partialIv, kidContext, kid: undefined } : undefined
}
