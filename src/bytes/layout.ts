/**
 * A declared struct. The declaration is one object literal whose members read themselves:
 *
 *     const reply = layout((f) => ({ seq: f.u16(), id: f.u16(), result: f.u8() }))
 *
 * Decoding runs that literal on a cursor, so it costs what a decoder written by hand costs, and its type is inferred. At
 * load the literal runs once on a tracer, which records the fields' order and kinds and compiles the encoder from them.
 */
import { readBcd, writeBcd } from './bcd.ts'
import { decodeGbk, encodeGbk, writeGbk } from './gbk.ts'
import { fromHex, toHex } from './hex.ts'
import { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** The kinds of field; numbers are big-endian, text is GBK. */
export interface Fields {
  u8(): number
  u16(): number
  u32(): number
  i16(): number
  /** BCD[octets]: `2 * octets` digits. */
  bcd(octets: number): string
  /** Text in exactly `octets` octets, padded with NUL at the end; the padding is not part of the value. */
  text(octets: number): string
  /** One octet that counts the octets of the text after it. */
  text8(): string
  /** Text up to the end. */
  textRest(): string
  /** A view of exactly `octets` octets. */
  take(octets: number): Uint8Array
  /** A view of all that is left. */
  rest(): Uint8Array
  /** What a later edition or a careless device appended, as hex; undefined when nothing is left. */
  surplus(): string | undefined
}

/** One member of a layout as data; `octets` where the kind is given them. */
export interface LayoutField {
  readonly name: string
  readonly kind: keyof Fields
  readonly octets: number | undefined
}

export interface Layout<T> {
  /** What is declared, in wire order. */
  readonly fields: readonly LayoutField[]
  /** The struct that fills `bytes[start, end)`; undefined when those are too few octets for it. */
  decode(bytes: Uint8Array, start?: number, end?: number): T | undefined
  /** Throws a RangeError when a value does not fit its field: check what a person gave before it comes here. */
  encode(writer: Writer, value: T): void
}

/** Declares a struct. The literal must read each field once, in wire order, and compute nothing from what it reads. */
export function layout<T extends object>(shape: (fields: Fields) => T): Layout<T> {
  const steps = trace(shape)
  return {
    fields: steps.map(({ key, kind, octets }) => ({ name: key, kind, octets })),
    decode(bytes, start = 0, end = bytes.length) {
      const reader = new FieldReader(bytes, start, end)
      const value = shape(reader)
      return reader.ok ? value : undefined
    },
    encode(writer, value) {
      for (const { key, write } of steps) write(writer, value[key as keyof T])
    },
  }
}

class FieldReader extends Reader implements Fields {
  bcd(octets: number): string {
    return readBcd(this, octets)
  }

  text(octets: number): string {
    const at = this.offset
    this.skip(octets)
    if (!this.ok) return ''
    let end = at + octets
    while (end > at && this.bytes[end - 1] === 0) end--
    return decodeGbk(this.bytes, at, end)
  }

  text8(): string {
    return decodeGbk(this.take(this.u8()))
  }

  textRest(): string {
    return decodeGbk(this.rest())
  }

  surplus(): string | undefined {
    return this.remaining === 0 ? undefined : toHex(this.rest())
  }
}

type Write = (writer: Writer, value: unknown) => void

interface Step {
  readonly key: string
  readonly kind: keyof Fields
  readonly octets: number | undefined
  readonly write: Write
}

/** Runs the literal with every field standing for itself, and reads off which key holds which field. */
function trace(shape: (fields: Fields) => object): readonly Step[] {
  const tracer = new Tracer()
  const traced = Object.entries(shape(tracer.fields))
  if (traced.length !== tracer.steps.length) throw new TypeError('a layout reads each field once, as a member of its literal')
  return traced.map(([key, token], at) => {
    const step = tracer.steps[at] as TracedField
    if (token !== step.token) throw new TypeError(`layout member '${key}' is not the field that is read at its place`)
    return { key, kind: step.kind, octets: step.octets, write: step.write }
  })
}

interface TracedField {
  readonly token: symbol
  readonly kind: keyof Fields
  readonly octets: number | undefined
  readonly write: Write
}

/** Hands out symbols instead of values: a literal that computes with one throws, as it should. */
class Tracer {
  readonly steps: TracedField[] = []

  readonly fields: Fields = {
    u8: () => this.#add('u8', undefined, (writer, value) => writer.u8(value as number)),
    u16: () => this.#add('u16', undefined, (writer, value) => writer.u16(value as number)),
    u32: () => this.#add('u32', undefined, (writer, value) => writer.u32(value as number)),
    i16: () => this.#add('i16', undefined, (writer, value) => writer.u16(value as number)),
    bcd: (octets) => this.#add('bcd', octets, (writer, value) => writeBcd(writer, value as string, octets)),
    text: (octets) => this.#add('text', octets, (writer, value) => writePadded(writer, value as string, octets)),
    text8: () => this.#add('text8', undefined, (writer, value) => writeCounted(writer, value as string)),
    textRest: () => this.#add('textRest', undefined, (writer, value) => writeGbk(writer, value as string)),
    take: (octets) => this.#add('take', octets, (writer, value) => writeExact(writer, value as Uint8Array, octets)),
    rest: () => this.#add('rest', undefined, (writer, value) => writer.put(value as Uint8Array)),
    surplus: () => this.#add('surplus', undefined, (writer, value) => writeHex(writer, value as string | undefined)),
  }

  #add(kind: keyof Fields, octets: number | undefined, write: Write): never {
    const token = Symbol('field')
    this.steps.push({ token, kind, octets, write })
    return token as never
  }
}

function writePadded(writer: Writer, text: string, octets: number): void {
  const bytes = encodeGbk(text)
  if (bytes.length > octets) throw new RangeError(`'${text}' takes ${bytes.length} octets of ${octets}`)
  writer.put(bytes).fill(0, octets - bytes.length)
}

function writeCounted(writer: Writer, text: string): void {
  const bytes = encodeGbk(text)
  if (bytes.length > 0xff) throw new RangeError(`'${text}' takes ${bytes.length} octets of 255`)
  writer.u8(bytes.length).put(bytes)
}

function writeExact(writer: Writer, bytes: Uint8Array, octets: number): void {
  if (bytes.length !== octets) throw new RangeError(`${bytes.length} octets where ${octets} belong`)
  writer.put(bytes)
}

function writeHex(writer: Writer, hex: string | undefined): void {
  if (hex === undefined) return
  const bytes = fromHex(hex)
  if (bytes === undefined) throw new RangeError(`'${hex}' is not hexadecimal`)
  writer.put(bytes)
}
