/**
 * The terminal's side of JT/T 808 framing, editions 2013 and 2019: what a simulated truck needs and no more. Written
 * from the standard and not from the gateway, so that the two check each other.
 */
import { readBcd, writeBcd } from '#bytes/bcd'
import { xor } from '#bytes/checksum'
import { Reader } from '#bytes/reader'
import { Writer } from '#bytes/writer'

export type Version = '2013' | '2019'

export interface Received {
  readonly id: number
  readonly sn: number
  readonly body: Reader
}

const FLAG = 0x7e
const ESCAPE = 0x7d
const VERSION_2019 = 0x4000
const LENGTH_MASK = 0x3ff
/** The longest frame with every octet escaped; what is longer is cut here and fails. */
const MAX_CONTENT = 2090

/** A frame and its serial number. */
export interface Framed {
  readonly sn: number
  readonly bytes: Uint8Array
}

const PARTS = 0x2000
/** Octets of a part. */
const PART_OCTETS = 900

/** Scratch, for one frame at a time. */
const PLAIN = new Writer()
const ESCAPED = new Writer()

/** Numbers and frames what one terminal sends. */
export class FrameWriter {
  readonly #phone: string
  readonly #version: Version
  #sn = 0

  constructor(phone: string, version: Version) {
    this.#phone = phone
    this.#version = version
  }

  frame(id: number, body: Uint8Array): Framed {
    return this.#frame(id, body, undefined)
  }

  /** The frames of a long message, numbered one after the other. */
  parts(id: number, body: Uint8Array): Framed[] {
    const total = Math.ceil(body.length / PART_OCTETS)
    return Array.from({ length: total }, (_, i) =>
      this.#frame(id, body.subarray(i * PART_OCTETS, (i + 1) * PART_OCTETS), { total, number: i + 1 }),
    )
  }

  #frame(id: number, body: Uint8Array, part: { readonly total: number; readonly number: number } | undefined): Framed {
    const sn = this.#sn
    this.#sn = (sn + 1) & 0xffff
    const plain = PLAIN.reset()
    const attributes = body.length | (part === undefined ? 0 : PARTS)
    if (this.#version === '2019') {
      plain.u16(id).u16(attributes | VERSION_2019)
      plain.u8(1)
      writeBcd(plain, this.#phone, 10)
    } else {
      plain.u16(id).u16(attributes)
      writeBcd(plain, this.#phone, 6)
    }
    plain.u16(sn)
    if (part !== undefined) plain.u16(part.total).u16(part.number)
    plain.put(body)
    plain.u8(xor(plain.view()))
    return { sn, bytes: escaped(plain.view()) }
  }
}

function escaped(plain: Uint8Array): Uint8Array {
  const frame = ESCAPED.reset().u8(FLAG)
  let from = 0
  for (let i = 0; i < plain.length; i++) {
    const octet = plain[i]
    if (octet !== FLAG && octet !== ESCAPE) continue
    frame.put(plain.subarray(from, i)).u8(ESCAPE)
    frame.u8(octet === FLAG ? 0x02 : 0x01)
    from = i + 1
  }
  return frame.put(plain.subarray(from)).u8(FLAG).finish()
}

const NOTHING = new Uint8Array(0)

/** Collects what the platform sends and yields whole messages. */
export class FrameReader {
  /** Of a frame that has not ended yet. */
  #begun = NOTHING

  push(chunk: Uint8Array, receive: (message: Received) => void): void {
    let from = 0
    for (let flag = chunk.indexOf(FLAG); flag >= 0; flag = chunk.indexOf(FLAG, from)) {
      const message = parsed(joined(this.#begun, chunk.subarray(from, flag)))
      this.#begun = NOTHING
      from = flag + 1
      if (message !== undefined) receive(message)
    }
    if (from < chunk.length) this.#begun = joined(this.#begun, chunk.subarray(from)).slice(0, MAX_CONTENT + 1)
  }
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (head.length === 0) return tail
  const whole = new Uint8Array(head.length + tail.length)
  whole.set(head)
  whole.set(tail, head.length)
  return whole
}

/** Undefined for what is broken: a terminal drops it and waits for the repetition. */
function parsed(content: Uint8Array): Received | undefined {
  const plain = new Uint8Array(content.length)
  let length = 0
  for (let i = 0; i < content.length; i++) {
    const octet = content[i] as number
    plain[length++] = octet === ESCAPE ? (content[++i] === 0x02 ? FLAG : ESCAPE) : octet
  }
  const bytes = plain.subarray(0, length)
  if (length === 0 || xor(bytes) !== 0) return undefined
  const reader = new Reader(bytes, 0, bytes.length - 1)
  const id = reader.u16()
  const attributes = reader.u16()
  if ((attributes & VERSION_2019) === 0) {
    readBcd(reader, 6)
  } else {
    reader.u8()
    readBcd(reader, 10)
  }
  const sn = reader.u16()
  if ((attributes & PARTS) !== 0) reader.skip(4)
  return reader.ok && reader.remaining === (attributes & LENGTH_MASK) ? { id, sn, body: reader } : undefined
}
