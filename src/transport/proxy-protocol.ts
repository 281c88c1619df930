/**
 * The PROXY protocol header with which a load balancer says whom it speaks for: version 1 (text) and version 2
 * (binary), after "The PROXY protocol, versions 1 & 2" by HAProxy Technologies, sections 2.1 and 2.2. Incremental and
 * pure: chunks in, a header or a `Malformed` out.
 */
import { isIPv4, isIPv6, SocketAddress } from 'node:net'
import { type Malformed, malformed } from '../sdk.ts'

export interface ProxyHeader {
  /** Who connected to the load balancer; absent (health check, unknown family): the socket's own address counts. */
  readonly source?: { readonly address: string; readonly port: number }
  /** The client's connection to the load balancer was encrypted. */
  readonly secure: boolean
  /** Common name of a client certificate that the load balancer verified. */
  readonly identity?: string
}

/** Section 2.1: the longest line, CRLF included. */
const MAX_V1_BYTES = 107
/** Section 2.2: signature, version and command, family and protocol, length. */
const V2_PREFIX_BYTES = 16
/** More type-length-values than any load balancer sends. */
const MAX_V2_BYTES = V2_PREFIX_BYTES + 16_384
/** Section 2.2: `\r\n\r\n\0\r\nQUIT\n`. */
const V2_SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
const V1_SIGNATURE = Buffer.from('PROXY ', 'latin1')

const CR = 0x0d
const LF = 0x0a

export class ProxyHeaderParser {
  #header = Buffer.allocUnsafe(V1_SIGNATURE.length + MAX_V1_BYTES)
  #length = 0
  #consumed = 0

  /** Bytes of the last chunk that belonged to the header; the rest is the device's. */
  get consumed(): number {
    return this.#consumed
  }

  /** Undefined: more bytes are needed. Not to be called again after a header or `Malformed`. */
  push(chunk: Uint8Array): ProxyHeader | Malformed | undefined {
    this.#consumed = 0
    while (this.#consumed < chunk.length) {
      const byte = chunk[this.#consumed++] as number
      const outcome = this.#take(byte)
      if (outcome !== undefined) return outcome
    }
    return undefined
  }

  #take(byte: number): ProxyHeader | Malformed | undefined {
    const at = this.#length
    this.#header[at] = byte
    this.#length = at + 1
    if (this.#header[0] === V1_SIGNATURE[0]) return this.#takeV1(byte, at)
    if (at < V2_SIGNATURE.length) {
      return byte === V2_SIGNATURE[at] ? undefined : malformed('proxy-signature', at, true)
    }
    if (at < V2_PREFIX_BYTES - 1) return undefined
    const size = V2_PREFIX_BYTES + this.#header.readUInt16BE(V2_PREFIX_BYTES - 2)
    if (at === V2_PREFIX_BYTES - 1) {
      if (size > MAX_V2_BYTES) return malformed('proxy-too-long', at, true)
      if (size > this.#header.length) this.#header = Buffer.concat([this.#header.subarray(0, this.#length)], size)
    }
    return this.#length === size ? parseV2(this.#header.subarray(0, size)) : undefined
  }

  #takeV1(byte: number, at: number): ProxyHeader | Malformed | undefined {
    if (at < V1_SIGNATURE.length && byte !== V1_SIGNATURE[at]) return malformed('proxy-signature', at, true)
    if (byte === LF) {
      if (this.#header[at - 1] !== CR) return malformed('proxy-line', at, true)
      return parseV1(this.#header.toString('latin1', 0, at - 1))
    }
    return this.#length >= MAX_V1_BYTES ? malformed('proxy-too-long', at, true) : undefined
  }
}

/** Section 2.1: `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443`, without the CRLF. */
function parseV1(line: string): ProxyHeader | Malformed {
  const [, family, address = '', destination = '', port = '', destinationPort = '', ...more] = line.split(' ')
  if (family === 'UNKNOWN') return { secure: false }
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : undefined
  if (isAddress === undefined || more.length > 0) return malformed('proxy-line', 0, true)
  if (!isAddress(address) || !isAddress(destination)) return malformed('proxy-address', 0, true)
  if (!isPort(port) || !isPort(destinationPort)) return malformed('proxy-port', 0, true)
  return { source: { address, port: Number(port) }, secure: false }
}

function isPort(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535
}

// Section 2.2: version and command, address family and transport.
const COMMAND_LOCAL = 0x20
const COMMAND_PROXY = 0x21
const FAMILY_INET = 1
const FAMILY_INET6 = 2
const FAMILY_UNIX = 3
const TRANSPORT_UNSPECIFIED = 0
const TRANSPORT_DATAGRAM = 2
/** Bytes of both addresses and ports, by family. */
const ADDRESS_BYTES = [0, 12, 36, 216] as const

function parseV2(header: Buffer): ProxyHeader | Malformed {
  const command = header[12] as number
  if (command === COMMAND_LOCAL) return { secure: false } // 2.2: the receiver must use the real endpoints
  if (command !== COMMAND_PROXY) return malformed('proxy-command', 12, true)
  const family = (header[13] as number) >> 4
  const transport = (header[13] as number) & 0x0f
  if (family > FAMILY_UNIX || transport > TRANSPORT_DATAGRAM) return malformed('proxy-family', 13, true)
  const values = V2_PREFIX_BYTES + (ADDRESS_BYTES[family] as number)
  if (header.length < values) return malformed('proxy-address', 14, true)
  const tls = parseValues(header, values)
  if ('malformed' in tls) return tls
  if (transport === TRANSPORT_UNSPECIFIED) return tls
  if (family === FAMILY_INET) {
    return { ...tls, source: { address: header.subarray(16, 20).join('.'), port: header.readUInt16BE(24) } }
  }
  if (family === FAMILY_INET6) {
    return { ...tls, source: { address: formatIPv6(header.subarray(16, 32)), port: header.readUInt16BE(48) } }
  }
  return tls
}

/** RFC 5952 form, as the system writes it. */
function formatIPv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(group * 2).toString(16))
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address
}

// Section 2.2.3 to 2.2.6: type-length-values.
const TYPE_CRC32C = 0x03
const TYPE_SSL = 0x20
const SUBTYPE_SSL_CN = 0x22
const CLIENT_SSL = 0x01
const CLIENT_CERT = 0x02 | 0x04 // over this connection, or over the session that it resumes
/** `client` byte and `verify` word before the values within TYPE_SSL. */
const SSL_PREFIX_BYTES = 5

function parseValues(header: Buffer, from: number): ProxyHeader | Malformed {
  let result: ProxyHeader = { secure: false }
  for (let at = from; at < header.length; ) {
    const end = valueEnd(header, at, header.length)
    if (end < 0) return malformed('proxy-value', at, true)
    const type = header[at]
    if (type === TYPE_CRC32C) {
      if (end - at !== 7 || !hasChecksum(header, at + 3)) return malformed('proxy-checksum', at, true)
    } else if (type === TYPE_SSL) {
      if (end - at < 3 + SSL_PREFIX_BYTES) return malformed('proxy-value', at, true)
      const client = header[at + 3] as number
      const verified = (client & CLIENT_CERT) !== 0 && header.readUInt32BE(at + 4) === 0
      const identity = verified ? commonName(header, at + 3 + SSL_PREFIX_BYTES, end) : undefined
      const secure = (client & CLIENT_SSL) !== 0
      result = identity === undefined ? { secure } : { secure, identity }
    }
    at = end
  }
  return result
}

/** End of the type-length-value at `at`, or -1 when it leaves its frame. */
function valueEnd(header: Buffer, at: number, limit: number): number {
  if (at + 3 > limit) return -1
  const end = at + 3 + header.readUInt16BE(at + 1)
  return end > limit ? -1 : end
}

function commonName(header: Buffer, from: number, limit: number): string | undefined {
  for (let at = from; at < limit; ) {
    const end = valueEnd(header, at, limit)
    if (end < 0) return undefined
    if (header[at] === SUBTYPE_SSL_CN) return header.toString('utf8', at + 3, end)
    at = end
  }
  return undefined
}

/** CRC-32C (RFC 4960 appendix B) of the whole header with the four checksum bytes at `at` as zero. */
function hasChecksum(header: Buffer, at: number): boolean {
  let crc = 0xffffffff
  for (let i = 0; i < header.length; i++) {
    crc ^= i >= at && i < at + 4 ? 0 : (header[i] as number)
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f63b78
  }
  return ~crc >>> 0 === header.readUInt32BE(at)
}
