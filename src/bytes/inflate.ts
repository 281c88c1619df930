/**
 * Compressed octets as they were: DEFLATE (RFC 1951) in a gzip (RFC 1952) or zlib (RFC 1950) envelope. A few octets may stand for
 * a thousand times as many, so the caller says how many there may be.
 */
// biome-ignore lint/style/noRestrictedImports: these are functions of octets, with nothing of the world in them.
import { gunzipSync, inflateSync } from 'node:zlib'

/** `malformed`: broken, cut off, or with a wrong check code. */
export type InflateFault = 'malformed' | 'too-long'

/** RFC 1952 2.3.1 */
const GZIP_MAGIC = [0x1f, 0x8b]

/** What `bytes` hold, at most `maxBytes` octets. Of several gzip members, one after the other; zeros that follow them are ignored. */
export function inflate(bytes: Uint8Array, maxBytes: number): Uint8Array | InflateFault {
  const isGzip = bytes[0] === GZIP_MAGIC[0] && bytes[1] === GZIP_MAGIC[1]
  try {
    const options = { maxOutputLength: maxBytes }
    return new Uint8Array(isGzip ? gunzipSync(bytes, options) : inflateSync(bytes, options))
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too-long' : 'malformed'
  }
}
