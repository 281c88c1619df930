/** Makers' messages and additional items of locations, by the layouts of the config. */
import { Reader } from '#bytes/reader'
import { Writer } from '#bytes/writer'
import type { BodyFormat } from './codec/bodies/format.ts'
import { configured } from './codec/declare/configured.ts'
import type { Field } from './codec/declare/field.ts'
import { formatOf, struct, surplus } from './codec/declare/struct.ts'
import type { HeaderForm, Location, Opaque } from './codec/index.ts'
import type { Data } from './topics.ts'
import type { VendorConfig } from './vendor-config.ts'

interface VendorMessage {
  readonly name: string
  readonly format: BodyFormat<object>
}

interface VendorExtra {
  readonly name: string
  readonly field: Field<Record<string, unknown>>
}

/** The fields belong to no other, and look the same in every edition. */
const FORM: HeaderForm = '2013'

export class Vendor {
  readonly #messages: ReadonlyMap<number, VendorMessage>
  readonly #extras: ReadonlyMap<number, VendorExtra>

  constructor({ messages, extras }: VendorConfig) {
    this.#messages = new Map(messages.map(({ id, name, fields }) => [id, { name, format: formatOf(id, whole(fields)) }]))
    this.#extras = new Map(extras.map(({ id, name, fields }) => [id, { name, field: configured(fields) }]))
  }

  /** Name and JSON of a message that the standard does not know; `broken` when its body is not as declared. */
  read(id: number, { body }: Opaque): { readonly name: string; readonly data: Data } | 'broken' | undefined {
    const message = this.#messages.get(id)
    if (message === undefined) return undefined
    const value = message.format.decode(body, 0, body.length, FORM)
    return value === undefined ? 'broken' : { name: message.name, data: message.format.present?.(value) as Data }
  }

  /** The body of the message `id` from JSON; undefined when it is not declared. Throws a RangeError when counts do not fit. */
  compose(id: number, json: unknown): Uint8Array | { readonly faults: readonly string[] } | undefined {
    const format = this.#messages.get(id)?.format
    const taken = format?.take?.(json, FORM)
    if (format === undefined || taken === undefined) return undefined
    if ('faults' in taken) return taken
    const writer = new Writer()
    format.encode(writer, taken.body, FORM)
    return writer.finish()
  }

  /** The declared items among the extras of a location; undefined when there is none. What is not as declared stays undecoded. */
  extrasOf({ extras }: Location): Data | undefined {
    if (this.#extras.size === 0 || extras.length === 0) return undefined
    const reader = new Reader(extras)
    let found: Record<string, unknown> | undefined
    while (reader.remaining > 0) {
      const extra = this.#extras.get(reader.u8())
      const octets = reader.take(reader.u8())
      if (!reader.ok) break
      if (extra === undefined) continue
      const inside = new Reader(octets)
      const value = extra.field.read(inside, {}, FORM)
      if (!inside.ok || inside.remaining > 0) continue
      found ??= {}
      found[extra.name] = extra.field.show(value)
    }
    return found
  }
}

function whole(fields: VendorConfig['messages'][number]['fields']): Field<object> {
  const body = configured(fields)
  const rest = struct({ extra_raw: surplus })
  return {
    shape: body.shape,
    read: (reader, owner, form) => ({ ...body.read(reader, owner, form), ...rest.read(reader, owner, form) }),
    write(writer, value, owner, form) {
      body.write(writer, value as Record<string, unknown>, owner, form)
      rest.write(writer, value, owner, form)
    },
    show: (value) => ({ ...(body.show(value as Record<string, unknown>) as object), ...(rest.show(value) as object) }),
    take: (json, path, owner, intake) => body.take(json, path, owner, intake),
  }
}
