/** What all lists have in common, however it is known where they end. */
import type { Field } from './field.ts'
import type { Shape } from './shape.ts'

/** All of a list but how it is read. */
export function itemsOf<T>(item: Field<T>, shape: Shape): Omit<Field<readonly T[]>, 'read'> {
  return {
    shape,
    write(writer, items, owner, form) {
      for (const one of items) item.write(writer, one, owner, form)
    },
    show: (items) => items.map((one) => item.show(one)),
    take(json, path, owner, intake) {
      if (!Array.isArray(json)) {
        intake.faults.push(`${path}: must be a list`)
        return []
      }
      return json.map((one, at) => item.take(one, `${path}[${at}]`, owner, intake))
    },
  }
}
