/**
 * The message header (JT/T 808 4.4.3). It has two forms, told apart by bit 14 of the attributes: 12 octets in the 2011
 * and 2013 editions, 17 in the 2019 edition; a subpackaged message has 4 more.
 */
import { readBcd, writeBcd } from '#bytes/bcd'
import type { Reader } from '#bytes/reader'
import type { Writer } from '#bytes/writer'

/** The 2011 edition's header is that of 2013. */
export type HeaderForm = '2013' | '2019'

export interface Header {
  /** Message id: 0x0200. */
  readonly id: number
  /** Octets of the body as received; encoding counts them anew. */
  readonly length: number
  readonly form: HeaderForm
  /** Protocol version: 1 for 2019, more for later editions of the same header; 0 in the 2013 form, which has none. */
  readonly protocol: number
  /** 12 digits (2013) or 20 (2019), exactly as on the wire; a nibble above 9 is a letter a-f. */
  readonly phone: string
  /** Serial number, 0..65535. */
  readonly sn: number
  /** Attribute bits 10-12: 0 none, 1 RSA, others reserved. */
  readonly encryption: number
  /** Attribute bit 15, kept as it came. */
  readonly reserved: number
  /** Present when attribute bit 13 says that this is a part of a longer message. */
  readonly part: Part | undefined
}

export interface Part {
  /** Number of parts. */
  readonly total: number
  /** This part, from 1. */
  readonly sn: number
}

/** 4.4.3: ten bits count the octets of the body. */
export const MAX_BODY_BYTES = 0x3ff

/** 4.4.3: serial numbers run from 0 to one less than this, then from 0 again. */
export const SERIALS = 0x10000

const PHONE_OCTETS: Readonly<Record<HeaderForm, number>> = { '2013': 6, '2019': 10 }

const ENCRYPTION_SHIFT = 10
const PART_BIT = 0x2000
const VERSION_BIT = 0x4000
const RESERVED_SHIFT = 15

/** Look at `reader.ok` before using the result. */
export function readHeader(reader: Reader): Header {
  const id = reader.u16()
  const attributes = reader.u16()
  const form = (attributes & VERSION_BIT) === 0 ? '2013' : '2019'
  const protocol = form === '2019' ? reader.u8() : 0
  const phone = readBcd(reader, PHONE_OCTETS[form])
  const sn = reader.u16()
  return {
    id,
    length: attributes & MAX_BODY_BYTES,
    form,
    protocol,
    phone,
    sn,
    encryption: (attributes >>> ENCRYPTION_SHIFT) & 7,
    reserved: attributes >>> RESERVED_SHIFT,
    part: (attributes & PART_BIT) === 0 ? undefined : { total: reader.u16(), sn: reader.u16() },
  }
}

export function writeHeader(writer: Writer, header: Header, bodyLength: number): void {
  if (bodyLength > MAX_BODY_BYTES) throw new RangeError(`a body of ${bodyLength} octets needs subpackages`)
  writer
    .u16(header.id)
    .u16(
      bodyLength |
        (header.encryption << ENCRYPTION_SHIFT) |
        (header.part === undefined ? 0 : PART_BIT) |
        (header.form === '2019' ? VERSION_BIT : 0) |
        (header.reserved << RESERVED_SHIFT),
    )
  if (header.form === '2019') writer.u8(header.protocol)
  writeBcd(writer, header.phone, PHONE_OCTETS[header.form])
  writer.u16(header.sn)
  if (header.part !== undefined) writer.u16(header.part.total).u16(header.part.sn)
}

/** The header of a frame to the terminal that sent `from`: same form, same protocol version, same phone. */
export function headerTo(from: Header, id: number, sn: number): Header {
  const { form, protocol, phone } = from
  return { id, length: 0, form, protocol, phone, sn, encryption: 0, reserved: 0, part: undefined }
}
