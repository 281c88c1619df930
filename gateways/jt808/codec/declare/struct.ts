/** Composition of fields: structs, lists, members that depend on others or on the edition, and whole message bodies. */
import { fromHex, toHex } from '#bytes/hex'
import { Reader } from '#bytes/reader'
import type { Writer } from '#bytes/writer'
import type { BodyFormat } from '../bodies/format.ts'
import type { HeaderForm } from '../header.ts'
import { bitsOfNumber, type Field, type Intake, type Owner } from './field.ts'
import { itemsOf } from './items.ts'
import type { ConditionShape, Shape } from './shape.ts'

export type Fields = Readonly<Record<string, Field<unknown>>>

type ValueOf<F> = F extends Field<infer T> ? T : never

type Optional<F extends Fields> = { [K in keyof F]: undefined extends ValueOf<F[K]> ? K : never }[keyof F]

/** What a struct of these fields holds; members that may be absent need not be given. */
export type StructOf<F extends Fields> = { readonly [K in Exclude<keyof F, Optional<F>>]: ValueOf<F[K]> } & {
  readonly [K in Optional<F>]?: ValueOf<F[K]>
}

/** Counts that people may give and that are counted anyway. */
const COUNTS = new Set(['length', 'count', 'len'])

export function struct<F extends Fields>(fields: F): Field<StructOf<F>> {
  const entries = Object.entries(fields)
  return {
    shape: { kind: 'struct', members: entries.map(([name, { shape }]) => ({ name, ...shape })) },
    read(reader, _owner, form) {
      const value: Record<string, unknown> = {}
      for (const [key, field] of entries) value[key] = field.read(reader, value, form)
      return value as StructOf<F>
    },
    write(writer, value, _owner, form) {
      const owner = value as Owner
      for (const [key, field] of entries) field.write(writer, owner[key], owner, form)
    },
    show(value) {
      const owner = value as Owner
      const json: Record<string, unknown> = {}
      for (const [key, field] of entries) {
        const member = owner[key]
        if (member !== undefined) json[key] = field.show(member)
      }
      return json
    },
    take(json, path, _owner, intake) {
      const value: Record<string, unknown> = {}
      if (typeof json !== 'object' || json === null || Array.isArray(json)) {
        intake.faults.push(`${path}: must be an object`)
        return value as StructOf<F>
      }
      const given = json as Owner
      for (const key of Object.keys(given)) {
        if (!Object.hasOwn(fields, key) && !COUNTS.has(key)) intake.faults.push(`${path}.${key}: is not known here`)
      }
      for (const [key, field] of entries) {
        const member = Object.hasOwn(given, key) ? given[key] : undefined
        value[key] = field.take(member, `${path}.${key}`, value, intake)
      }
      return value as StructOf<F>
    },
  }
}

/** The number of items of the member `of`, which comes after it. On the wire it may lie; in JSON it need not be given. */
export function countOf(width: Field<number>, of: string): Field<number | undefined> {
  return {
    shape: { kind: 'count', bits: bitsOfNumber(width), of },
    read: width.read,
    write(writer, value, owner, form) {
      width.write(writer, value ?? (owner[of] as readonly unknown[]).length, owner, form)
    },
    show: (value) => value,
    take: () => undefined,
  }
}

/** As many items as the member `count` of the owner says. */
export function list<T>(count: string, item: Field<T>): Field<readonly T[]> {
  return {
    read(reader, owner, form) {
      const items: T[] = []
      const total = owner[count] as number
      // Every item takes an octet at least, so that the octets that are there bound the list.
      for (let i = 0; i < total && reader.ok; i++) items.push(item.read(reader, owner, form))
      return items
    },
    ...itemsOf(item, { kind: 'list', item: item.shape, count }),
  }
}

/** As many items as `count` says, or as there are: a list that breaks off leaves its rest to `extra_raw`. */
export function lenientList<T>(count: string, item: Field<T>): Field<readonly T[]> {
  return {
    read(reader, owner, form) {
      const items: T[] = []
      const total = owner[count] as number
      while (items.length < total && reader.remaining > 0) {
        const ahead = new Reader(reader.bytes, reader.offset, reader.offset + reader.remaining)
        const value = item.read(ahead, owner, form)
        if (!ahead.ok) break
        reader.skip(ahead.offset - reader.offset)
        items.push(value)
      }
      return items
    },
    ...itemsOf(item, { kind: 'list', item: item.shape, count }),
  }
}

/** Items up to the end, without a count. */
export function listRest<T>(item: Field<T>): Field<readonly T[]> {
  return {
    read(reader, owner, form) {
      const items: T[] = []
      while (reader.remaining > 0) items.push(item.read(reader, owner, form))
      return items
    },
    ...itemsOf(item, { kind: 'list', item: item.shape, rest: true }),
  }
}

export interface Condition {
  holds(owner: Owner, form: HeaderForm): boolean
  readonly shape: ConditionShape
}

export const in2019: Condition = { holds: (_owner, form) => form === '2019', shape: { edition: '2019' } }
export const bit = (flags: string, at: number): Condition => ({
  holds: (owner) => ((owner[flags] as number) & (1 << at)) !== 0,
  shape: { flags, bit: at },
})
export const equals = (member: string, ...values: number[]): Condition => ({
  holds: (owner) => values.includes(owner[member] as number),
  shape: { member, in: values },
})
export const not = (condition: Condition): Condition => ({
  holds: (owner, form) => !condition.holds(owner, form),
  shape: { not: condition.shape },
})
export const both = (one: Condition, other: Condition): Condition => ({
  holds: (owner, form) => one.holds(owner, form) && other.holds(owner, form),
  shape: { all: [one.shape, other.shape] },
})

/** A member that is there when the condition holds, by the members before it and the edition. */
export function when<T>(condition: Condition, field: Field<T>): Field<T | undefined> {
  return {
    shape: { ...field.shape, when: condition.shape },
    read: (reader, owner, form) => (condition.holds(owner, form) ? field.read(reader, owner, form) : undefined),
    write(writer, value, owner, form) {
      if (condition.holds(owner, form)) field.write(writer, value as T, owner, form)
    },
    show: (value) => field.show(value as T),
    take: (json, path, owner, intake) =>
      condition.holds(owner, intake.form) ? field.take(json, path, owner, intake) : undefined,
  }
}

/** A field that the 2019 header has in another form. Values look alike in both; only that of 2019 may have others besides. */
export function byForm<T>(field2013: Field<T>, field2019: Field<T>): Field<T> {
  const of = (form: HeaderForm): Field<T> => (form === '2019' ? field2019 : field2013)
  return {
    shape: { kind: 'by-form', 2013: field2013.shape, 2019: field2019.shape },
    read: (reader, owner, form) => of(form).read(reader, owner, form),
    write: (writer, value, owner, form) => of(form).write(writer, value, owner, form),
    show: (value) => field2019.show(value),
    take: (json, path, owner, intake) => of(intake.form).take(json, path, owner, intake),
  }
}

/** Forms that some devices have instead of the usual one, by name. */
export type OtherForms<T> = Readonly<Record<string, Field<T>>>

/** In JSON and in values: the name of the form, unless it is the usual one. */
export interface Formed {
  readonly form?: string
}

/**
 * A struct of which some devices have other forms, without a word which it is: the first that fills the body exactly counts, the
 * usual one when none does. JSON names another form, or has members that only another can hold.
 */
export function orForm<T extends { readonly extra_raw?: string | undefined }>(
  usual: Field<T>,
  others: OtherForms<T>,
): Field<T & Formed> {
  return orLikelyForm(() => 0, usual, others)
}

/** The same, where octets may fit several forms: the likeliest, and of equals the first. */
export function orLikelyForm<T extends { readonly extra_raw?: string | undefined }>(
  likelihood: (value: T) => number,
  usual: Field<T>,
  others: OtherForms<T>,
): Field<T & Formed> {
  const all: readonly (readonly [name: string | undefined, field: Field<T>])[] = [[undefined, usual], ...Object.entries(others)]
  const formOf = ({ form }: Formed): Field<T> => (form === undefined ? usual : (others[form] ?? usual))
  return {
    shape: { kind: 'either', of: all.map(([, { shape }]) => shape), others: Object.keys(others) },
    read(reader, owner, form) {
      const start = reader.offset
      let best: { readonly value: T & Formed; readonly rank: number } | undefined
      for (const [name, one] of all) {
        const found = exactly(one, reader, form, start)
        const rank = found === undefined ? -1 : likelihood(found)
        if (found === undefined || rank <= (best?.rank ?? -1)) continue
        best = { value: name === undefined ? found : { ...found, form: name }, rank }
      }
      return best?.value ?? usual.read(reader, owner, form)
    },
    write: (writer, value, owner, form) => formOf(value).write(writer, value, owner, form),
    show(value) {
      const shown = formOf(value).show(value) as object
      return value.form === undefined ? shown : { ...shown, form: value.form }
    },
    take(json, path, owner, intake) {
      const { form: named, ...members } = Object(json) as { form?: unknown }
      const wanted = named === undefined ? all : all.filter(([name]) => name === named)
      let faults: readonly string[] = [`${path}.form: must be ${Object.keys(others).join(' or ')}, or left out`]
      for (const [at, [name, one]] of wanted.entries()) {
        const attempt: Intake = { form: intake.form, faults: [] }
        const value = one.take(members, path, owner, attempt)
        if (attempt.faults.length === 0) return name === undefined ? value : { ...value, form: name }
        if (at === 0) faults = attempt.faults
      }
      intake.faults.push(...faults)
      return usual.take(members, path, owner, { form: intake.form, faults: [] })
    },
  }
}

/** The struct when it fills what is left from `start` on exactly; then it is consumed. */
export function exactly<T extends { readonly extra_raw?: string | undefined }>(
  field: Field<T>,
  reader: Reader,
  form: HeaderForm,
  start = reader.offset,
): T | undefined {
  const ahead = new Reader(reader.bytes, start, reader.offset + reader.remaining)
  const value = field.read(ahead, NOBODY, form)
  if (!ahead.ok || value.extra_raw !== undefined) return undefined
  reader.skip(reader.remaining)
  return value
}

/** A member that some devices leave out at the end: there when so many octets are left. */
export function tail<T>(field: Field<T>, octets = 1): Field<T | undefined> {
  return {
    shape: { ...field.shape, tail: true, optional: true },
    read: (reader, owner, form) => (reader.remaining >= octets ? field.read(reader, owner, form) : undefined),
    write(writer, value, owner, form) {
      if (value !== undefined) field.write(writer, value, owner, form)
    },
    show: (value) => field.show(value as T),
    take: (json, path, owner, intake) => (json === undefined ? undefined : field.take(json, path, owner, intake)),
  }
}

/** The list behind a count that may be left out (`tailCount`): there when its count is. */
export function tailList<T>(count: string, field: Field<readonly T[]>): Field<readonly T[] | undefined> {
  return {
    shape: { ...field.shape, tail: true, optional: true },
    read: (reader, owner, form) => (owner[count] === undefined ? undefined : field.read(reader, owner, form)),
    write(writer, value, owner, form) {
      if (value !== undefined) field.write(writer, value, owner, form)
    },
    show: (value) => field.show(value as readonly T[]),
    take: (json, path, owner, intake) => (json === undefined ? undefined : field.take(json, path, owner, intake)),
  }
}

/** A count at the end that may be left out, with the list that it counts. */
export function tailCount(width: Field<number>, of: string): Field<number | undefined> {
  const count = countOf(width, of)
  return {
    ...count,
    shape: { ...count.shape, tail: true },
    read: (reader, owner, form) => (reader.remaining > 0 ? count.read(reader, owner, form) : undefined),
    write(writer, value, owner, form) {
      if (value !== undefined || owner[of] !== undefined) count.write(writer, value, owner, form)
    },
  }
}

/** A member that JSON may leave out. */
export function orElse<T>(field: Field<T>, absent: T): Field<T> {
  const shape: Shape = { ...field.shape, optional: true }
  return {
    ...field,
    shape,
    take: (json, path, owner, intake) => (json === undefined ? absent : field.take(json, path, owner, intake)),
  }
}

/** What a later edition or a careless device appended, as hex. */
export const surplus: Field<string | undefined> = {
  shape: { kind: 'hex', rest: true, tail: true, optional: true },
  read: (reader) => (reader.remaining === 0 ? undefined : toHex(reader.rest())),
  write(writer, value) {
    if (value === undefined) return
    const bytes = fromHex(value)
    if (bytes === undefined) throw new RangeError(`'${value}' is not hexadecimal`)
    writer.put(bytes)
  },
  show: (value) => value,
  take(json, path, _owner, intake) {
    if (json === undefined || (typeof json === 'string' && fromHex(json) !== undefined)) return json
    intake.faults.push(`${path}: must be hexadecimal`)
    return undefined
  },
}

export type DeclaredBody<F extends Fields> = StructOf<F> & { readonly extra_raw?: string | undefined }

const NOBODY: Owner = {}

/** The body of the message `id`; octets after the declared ones are kept. */
export function declared<F extends Fields>(id: number, fields: F): BodyFormat<DeclaredBody<F>> {
  return formatOf(id, struct({ ...fields, extra_raw: surplus })) as unknown as BodyFormat<DeclaredBody<F>>
}

/** The body of the message `id` that is this field. */
export function formatOf<T extends object>(id: number, field: Field<T>): BodyFormat<T> {
  return {
    id,
    shape: field.shape,
    decode(bytes, start, end, form) {
      const reader = new Reader(bytes, start, end)
      const body = field.read(reader, NOBODY, form)
      return reader.ok ? body : undefined
    },
    encode: (writer: Writer, body, form) => field.write(writer, body, NOBODY, form),
    present: (body) => field.show(body) as object,
    take(json, form) {
      const intake: Intake = { form, faults: [] }
      const body = field.take(json, 'args', NOBODY, intake)
      return intake.faults.length === 0 ? { body } : { faults: intake.faults }
    },
  }
}
