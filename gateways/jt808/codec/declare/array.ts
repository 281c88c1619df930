/** Lists without a member that counts them. */
import type { Reader } from '#bytes/reader'
import { bitsOfNumber, type Field } from './field.ts'

/** Items behind their count, so many of them, or up to the end. Each takes an octet at least. */
export function arrayOf<T>(item: Field<T>, size: Field<number> | number | 'rest'): Field<readonly T[]> {
  const goesOn = (reader: Reader, read: number, total: number): boolean => (size === 'rest' ? reader.remaining > 0 : read < total)
  const extent =
    size === 'rest' ? { rest: true as const } : typeof size === 'number' ? { items: size } : { prefix: bitsOfNumber(size) }
  return {
    shape: { kind: 'list', item: item.shape, ...extent },
    read(reader, owner, form) {
      const total = typeof size === 'object' ? size.read(reader, owner, form) : size === 'rest' ? 0 : size
      const items: T[] = []
      while (reader.ok && goesOn(reader, items.length, total)) items.push(item.read(reader, owner, form))
      return items
    },
    write(writer, items, owner, form) {
      if (typeof size === 'object') size.write(writer, items.length, owner, form)
      else if (size !== 'rest' && items.length !== size) throw new RangeError(`${items.length} items where ${size} belong`)
      for (const one of items) item.write(writer, one, owner, form)
    },
    show: (items) => items.map((one) => item.show(one)),
    take(json, path, owner, intake) {
      if (!Array.isArray(json)) {
        intake.faults.push(`${path}: must be a list`)
        return []
      }
      if (typeof size === 'number' && json.length !== size) intake.faults.push(`${path}: must have ${size} items`)
      return json.map((one, at) => item.take(one, `${path}[${at}]`, owner, intake))
    },
  }
}
