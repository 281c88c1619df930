/** Lists without a member that counts them. */
import type { Reader } from '#bytes/reader'
import { bitsOfNumber, type Field } from './field.ts'
import { itemsOf } from './items.ts'

/** Items behind their count, so many of them, or up to the end. Each takes an octet at least. */
export function arrayOf<T>(item: Field<T>, size: Field<number> | number | 'rest'): Field<readonly T[]> {
  const goesOn = (reader: Reader, read: number, total: number): boolean => (size === 'rest' ? reader.remaining > 0 : read < total)
  const extent =
    size === 'rest' ? { rest: true as const } : typeof size === 'number' ? { items: size } : { prefix: bitsOfNumber(size) }
  const items = itemsOf(item, { kind: 'list', item: item.shape, ...extent })
  return {
    ...items,
    read(reader, owner, form) {
      const total = typeof size === 'object' ? size.read(reader, owner, form) : size === 'rest' ? 0 : size
      const read: T[] = []
      while (reader.ok && goesOn(reader, read.length, total)) read.push(item.read(reader, owner, form))
      return read
    },
    write(writer, values, owner, form) {
      if (typeof size === 'object') size.write(writer, values.length, owner, form)
      else if (size !== 'rest' && values.length !== size) throw new RangeError(`${values.length} items where ${size} belong`)
      items.write(writer, values, owner, form)
    },
    take(json, path, owner, intake) {
      const isOfSize = typeof size !== 'number' || !Array.isArray(json) || json.length === size
      if (!isOfSize) intake.faults.push(`${path}: must have ${size} items`)
      return items.take(json, path, owner, intake)
    },
  }
}
