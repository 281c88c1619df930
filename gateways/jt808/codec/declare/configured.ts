/** Fields that the config of a gateway declares, made of the same parts as those of the standard's messages. */
import { arrayOf } from './array.ts'
import { bcd, bitsOfNumber, bytes, bytesRest, countedText, type Field, text, textRest, u8, u16, u32 } from './field.ts'
import { struct } from './struct.ts'

/** A field; `type` is `u8`, `i16`, `bcd[5]`, `string[u8]`, `array[u16]` and the like. */
export interface Declaration {
  readonly name: string
  readonly type: string
  readonly scale: number
  readonly offset: number
  readonly unit?: string | undefined
  /** A bit, or the lowest and the highest of several. */
  readonly bits?: Readonly<Record<string, number | readonly [number, number]>> | undefined
  /** Of each item of an array. */
  readonly fields?: readonly Declaration[] | undefined
}

const UNSIGNED: Readonly<Record<string, Field<number>>> = { u8, u16, u32 }

/** A struct of these fields; the unit stands behind the name. */
export function configured(declarations: readonly Declaration[]): Field<Record<string, unknown>> {
  return struct(
    Object.fromEntries(
      declarations.map((one) => [one.unit === undefined ? one.name : `${one.name}_${one.unit}`, fieldOf(one) as Field<unknown>]),
    ),
  ) as unknown as Field<Record<string, unknown>>
}

function fieldOf(declaration: Declaration): unknown {
  const { type, bits, fields = [] } = declaration
  const [, kind = '', size] = /^([a-z]+\d*)(?:\[(\w+)\])?$/.exec(type) ?? []
  const width = size === undefined ? undefined : UNSIGNED[size]
  switch (kind) {
    case 'bcd':
      return bcd(Number(size))
    case 'string':
      return size === undefined ? textRest : width === undefined ? text(Number(size)) : countedText(width)
    case 'bytes':
      return size === undefined ? bytesRest : width === undefined ? bytes(Number(size)) : countedOctets(width)
    case 'array':
      return arrayOf(configured(fields), width ?? (size === undefined ? 'rest' : Number(size)))
    default:
      return bits === undefined ? numberOf(kind, declaration) : bitsOf(UNSIGNED[kind] as Field<number>, bits)
  }
}

/** Digits that a product of a 32-bit number and a scale may have; what lies behind them is the rounding of the product. */
const DIGITS = 12

function numberOf(kind: string, { scale, offset }: Declaration): Field<number> {
  const octets = Number(kind.slice(1)) / 8
  const raw = UNSIGNED[`u${8 * octets}`] as Field<number>
  const signed = kind.startsWith('i')
  const limit = 2 ** (8 * octets)
  const [least, most] = signed ? [-limit / 2, limit / 2 - 1] : [0, limit - 1]
  const isWhole = scale === 1 && Number.isInteger(offset)
  const value = (number: number): number => Number((number * scale + offset).toPrecision(DIGITS))
  const number = (shown: number): number => Math.round((shown - offset) / scale)
  return {
    shape: { kind: 'number', bits: 8 * octets, ...(signed ? { signed } : {}) },
    read(reader, owner, form) {
      const octet = raw.read(reader, owner, form)
      return value(signed && octet > most ? octet - limit : octet)
    },
    write(writer, shown, owner, form) {
      const whole = number(shown)
      raw.write(writer, whole < 0 ? whole + limit : whole, owner, form)
    },
    show: (shown) => shown,
    take(json, path, _owner, intake) {
      const fits = typeof json === 'number' && number(json) >= least && number(json) <= most
      if (fits && (!isWhole || Number.isInteger(json))) return json
      intake.faults.push(`${path}: must be a ${isWhole ? 'whole ' : ''}number from ${value(least)} to ${value(most)}`)
      return 0
    },
  }
}

/** The number as it is, shown by its named bits; other bits are 0 in what people compose. */
function bitsOf(raw: Field<number>, bits: NonNullable<Declaration['bits']>): Field<number> {
  const ranges = Object.entries(bits).map(([name, range]) => {
    const [low, high] = typeof range === 'number' ? [range, range] : range
    return { name, low, most: 2 ** (high - low + 1) - 1 }
  })
  return {
    ...raw,
    show: (value) => Object.fromEntries(ranges.map(({ name, low, most }) => [name, ((value >>> low) & most) >>> 0])),
    take(json, path, _owner, intake) {
      const given = typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {}
      for (const name of Object.keys(given)) {
        if (!Object.hasOwn(bits, name)) intake.faults.push(`${path}.${name}: is not known here`)
      }
      let value = 0
      for (const { name, low, most } of ranges) {
        const part = Object.hasOwn(given, name) ? given[name] : 0
        if (typeof part === 'number' && Number.isInteger(part) && part >= 0 && part <= most) value += part * 2 ** low
        else intake.faults.push(`${path}.${name}: must be a whole number from 0 to ${most}`)
      }
      return value
    },
  }
}

function countedOctets(width: Field<number>): Field<Uint8Array> {
  return {
    ...bytesRest,
    shape: { kind: 'octets', prefix: bitsOfNumber(width) },
    read: (reader, owner, form) => reader.take(width.read(reader, owner, form)),
    write(writer, value, owner, form) {
      width.write(writer, value.length, owner, form)
      writer.put(value)
    },
  }
}
