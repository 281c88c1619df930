/** Bodies that come often have a compiled layout as their codec; their JSON and their shape are derived from it all the same. */
import type { Layout, LayoutField } from '#bytes/layout'
import type { BodyFormat } from '../bodies/format.ts'
import { bcd, bytes, bytesRest, countedText, type Field, i16, text, textRest, u8, u16, u32 } from './field.ts'
import { type Fields, formatOf, struct, surplus } from './struct.ts'

const FIELDS = {
  u8: () => u8,
  u16: () => u16,
  u32: () => u32,
  i16: () => i16,
  bcd,
  text,
  text8: () => countedText(u8),
  textRest: () => textRest,
  take: bytes,
  rest: () => bytesRest,
  surplus: () => surplus,
} satisfies Readonly<Record<LayoutField['kind'], (octets: number) => unknown>>

/** The fields of a compiled layout. */
export function fieldsOf(layout: Layout<object>): Fields {
  return Object.fromEntries(layout.fields.map(({ name, kind, octets = 0 }) => [name, FIELDS[kind](octets) as Field<unknown>]))
}

/** The body of the message `id`, read and written by its compiled layout. */
export function compiled<T extends object>(id: number, layout: Layout<T>): BodyFormat<T> {
  const described = formatOf(id, struct(fieldsOf(layout))) as unknown as BodyFormat<T>
  return {
    ...described,
    decode: (bytes, start, end) => layout.decode(bytes, start, end),
    encode: (writer, body) => layout.encode(writer, body),
  }
}
