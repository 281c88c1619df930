/** Several values in the bits of one number. */
import type { Field, Intake } from './field.ts'
import { u8, u16, u32 } from './field.ts'
import { type StructOf, struct } from './struct.ts'

/** Some bits of a number. */
export interface Slice<T> {
  readonly from: number
  readonly count: number
  readonly field: Field<T>
  get(bits: number): T
  set(value: T): number
}

const WIDTHS: Readonly<Record<number, Field<number>>> = { 8: u8, 16: u16, 32: u32 }

/** Bits as a number. */
export function bits(from: number, count = 1): Slice<number> {
  const most = 2 ** count - 1
  return {
    from,
    count,
    field: {
      ...u32,
      shape: { kind: 'number', bits: count },
      take(json, path, owner, intake) {
        const value = u32.take(json ?? 0, path, owner, intake)
        if (value > most) intake.faults.push(`${path}: must be a whole number from 0 to ${most}`)
        return value
      },
    },
    get: (value) => value,
    set: (value) => value,
  }
}

/** The numbers, from 1, of the bits that are set. */
export function numbers(from: number, count: number): Slice<readonly number[]> {
  return {
    from,
    count,
    field: {
      shape: { kind: 'numbers', bits: count },
      read: () => [],
      write: () => {},
      show: (value) => value,
      take: (json, path, _owner, intake) => takeNumbers(json, path, intake, count),
    },
    get: (value) => Array.from({ length: count }, (_, bit) => bit + 1).filter((number) => (value & (1 << (number - 1))) !== 0),
    set: (value) => value.reduce((sum, number) => sum + 2 ** (number - 1), 0),
  }
}

function takeNumbers(json: unknown, path: string, intake: Intake, most: number): readonly number[] {
  const fits = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most
  if (Array.isArray(json) && json.every(fits)) return [...new Set(json as number[])]
  intake.faults.push(`${path}: must be a list of whole numbers from 1 to ${most}`)
  return []
}

type ValuesOf<S> = { readonly [K in keyof S]: S[K] extends Slice<infer T> ? T : never }

/** The slices of a number of 8, 16 or 32 bits by name. Bits of no slice are written as 0. */
export function packed<S extends Readonly<Record<string, Slice<never>>>>(width: 8 | 16 | 32, slices: S): Field<ValuesOf<S>> {
  const number = WIDTHS[width] as Field<number>
  const entries = Object.entries(slices) as unknown as (readonly [string, Slice<unknown>])[]
  const members = struct(Object.fromEntries(entries.map(([name, { field }]) => [name, field])))
  return {
    shape: { ...members.shape, packed: width } as Field<unknown>['shape'],
    read(reader, owner, form) {
      const word = number.read(reader, owner, form)
      const value: Record<string, unknown> = {}
      for (const [name, { from, count, get }] of entries)
        value[name] = get(count === 32 ? word : (word >>> from) & (2 ** count - 1))
      return value as ValuesOf<S>
    },
    write(writer, value, owner, form) {
      let word = 0
      for (const [name, { from, set }] of entries) word += set((value as Record<string, unknown>)[name]) * 2 ** from
      number.write(writer, word, owner, form)
    },
    show: (value) => value,
    take: (json, path, owner, intake) => members.take(json, path, owner, intake) as StructOf<never> as ValuesOf<S>,
  }
}

/** 0 or 1 by name, bit 0 first. */
export function flags(width: 8 | 16 | 32, names: readonly string[]): Field<Readonly<Record<string, number>>> {
  return packed(width, Object.fromEntries(names.map((name, at) => [name, bits(at)])) as never)
}

/** One list of the numbers, from 1, of the bits that are set. */
export function numbered(width: 8 | 16 | 32): Field<readonly number[]> {
  const { field, get, set } = numbers(0, width)
  const number = WIDTHS[width] as Field<number>
  return {
    ...field,
    read: (reader, owner, form) => get(number.read(reader, owner, form)),
    write: (writer, value, owner, form) => number.write(writer, set(value), owner, form),
  }
}
