/**
 * Layouts of makers' messages and extras, as the config declares them:
 *
 *     - { id: 0x0f01, name: driver-score, fields: [{ name: score, type: u8 }, { name: mileage, type: u32, scale: 0.1, unit: km }] }
 */
import * as z from 'zod'
import { KNOWN_IDS, typeOf } from './codec/index.ts'

const live = { 'x-reload': 'live' } as const

/** A width in octets, or the number that counts the octets or items. */
const SIZE = String.raw`(?:[1-9]\d{0,3}|u8|u16|u32)`
const LEAF = String.raw`u8|u16|u32|i8|i16|i32|bcd\[[1-9]\d{0,2}\]|(?:string|bytes)(?:\[${SIZE}\])?`
const LEAF_TYPE = new RegExp(`^(?:${LEAF})$`)
const FIELD_TYPE = new RegExp(String.raw`^(?:${LEAF}|array(?:\[${SIZE}\])?)$`)
const LEAF_WORDS =
  'write u8, u16, u32, i8, i16, i32, bcd[n], string[n], string[u8], bytes[n], bytes[u8], or string or bytes at the end'

const MAX_FIELDS = 200
const MAX_LAYOUTS = 500

const key = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'write lower-case letters, digits and underscores')

const leaf = {
  name: key.meta({ title: 'Name in JSON', ...live }),
  scale: z
    .number()
    .positive()
    .default(1)
    .meta({ title: 'Value of one', description: 'Numbers only: JSON has number * scale + offset.', ...live }),
  offset: z
    .number()
    .default(0)
    .meta({ title: 'Value of zero', ...live }),
  unit: z
    .string()
    .regex(/^[a-z0-9]{1,16}$/, 'write lower-case letters and digits')
    .optional()
    .meta({ title: 'Unit', description: 'Stands behind the name in JSON: `mileage_km`.', ...live }),
  bits: z
    .record(
      key,
      z.union([
        z.int().min(0).max(31),
        z
          .tuple([z.int().min(0).max(31), z.int().min(0).max(31)])
          .refine(([low, high]) => low <= high, 'the lowest bit comes first'),
      ]),
    )
    .optional()
    .meta({
      title: 'Bits by name',
      description: 'Unsigned numbers only: a bit, or the lowest and the highest of several; bit 0 is the least significant.',
      ...live,
    }),
}

const leafField = z.strictObject({
  ...leaf,
  type: z
    .string()
    .regex(LEAF_TYPE, LEAF_WORDS)
    .meta({ title: 'Type', ...live }),
})

const field = z.strictObject({
  ...leaf,
  type: z
    .string()
    .regex(FIELD_TYPE, `${LEAF_WORDS}; or array[u8], array[n], or array at the end`)
    .meta({ title: 'Type', description: 'Numbers are big-endian, text is GBK, octets are base64 in JSON.', ...live }),
  fields: z
    .array(leafField)
    .min(1)
    .max(MAX_FIELDS)
    .optional()
    .meta({ title: 'Fields of each item of an array', ...live }),
})

export type FieldConfig = z.output<typeof field>
export type LeafConfig = z.output<typeof leafField>

const fields = z
  .array(field)
  .min(1)
  .max(MAX_FIELDS)
  .superRefine((list, context) => {
    checkNames(list, [], context)
    for (const [at, one] of list.entries()) {
      checkField(one, [at], context)
      if (isOpen(one.type) && at < list.length - 1) fault(context, [at, 'type'], 'only the last field may go on to the end')
      const isArray = one.type.startsWith('array')
      if (isArray !== (one.fields !== undefined))
        fault(context, [at, 'fields'], isArray ? 'an array needs the fields of its items' : 'only an array has fields')
      checkNames(one.fields ?? [], [at, 'fields'], context)
      for (const [place, item] of (one.fields ?? []).entries()) {
        checkField(item, [at, 'fields', place], context)
        if (isOpen(item.type)) fault(context, [at, 'fields', place, 'type'], 'an item of an array must say where it ends')
      }
    }
  })
  .meta({ title: 'Fields in their order', ...live })

/** Where a check reports what is wrong. */
interface Context {
  addIssue(issue: { code: 'custom'; path: (string | number)[]; message: string }): void
}

/** Without a size: up to the end. */
function isOpen(type: string): boolean {
  return type === 'string' || type === 'bytes' || type === 'array'
}

function checkNames(list: readonly { readonly name: string }[], path: (string | number)[], context: Context): void {
  const seen = new Set<string>()
  for (const [at, { name }] of list.entries()) {
    if (seen.has(name)) fault(context, [...path, at, 'name'], `there is a "${name}" already`)
    seen.add(name)
  }
}

function checkField({ type, bits, scale, offset }: LeafConfig, path: (string | number)[], context: Context): void {
  const isNumber = /^[ui]\d/.test(type)
  if (!isNumber && (scale !== 1 || offset !== 0)) fault(context, [...path, 'scale'], 'only a number has a scale')
  if (bits === undefined) return
  if (!type.startsWith('u')) fault(context, [...path, 'bits'], 'only u8, u16 and u32 have bits')
  for (const [name, range] of Object.entries(bits)) {
    const highest = typeof range === 'number' ? range : range[1]
    if (highest >= Number(type.slice(1))) fault(context, [...path, 'bits', name], `${type} has no bit ${highest}`)
  }
}

function fault(context: Context, path: (string | number)[], message: string): void {
  context.addIssue({ code: 'custom', path, message })
}

/** A number, or hexadecimal text. */
function idUpTo(most: number) {
  return z
    .union([
      z.int().min(0),
      z
        .string()
        .regex(/^0x[0-9a-fA-F]{1,4}$/, 'write a number such as 0x0f01')
        .transform(Number),
    ])
    .refine((id) => id <= most, `must be at most 0x${most.toString(16)}`)
}

/** Types that events have already. */
const TAKEN = new Set(['registered', 'authenticated', 'deregistered', 'unknown', 'media', 'attachment', ...KNOWN_IDS.map(typeOf)])

const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,63}$/, 'write lower-case letters, digits and hyphens')
  .refine((value) => !TAKEN.has(value), 'events of another message are called so')

const message = z.strictObject({
  id: idUpTo(0xffff)
    .refine((id) => typeOf(id) === undefined, 'the standard has this message')
    .meta({ title: 'Message id', ...live }),
  name: name.meta({ title: 'Name', description: 'Type of its event.', ...live }),
  fields,
})

const extra = z.strictObject({
  id: idUpTo(0xff).meta({ title: 'Id of the additional item of a location', ...live }),
  name: key.meta({ title: 'Name in `extra`', ...live }),
  fields,
})

export const vendor = z.strictObject({
  messages: z
    .array(message)
    .max(MAX_LAYOUTS)
    .default([])
    .superRefine(distinct)
    .meta({ title: "Makers' messages, up and down", ...live }),
  extras: z
    .array(extra)
    .max(MAX_LAYOUTS)
    .default([])
    .superRefine(distinct)
    .meta({ title: "Makers' additional items of locations", ...live }),
})

export type VendorConfig = z.output<typeof vendor>

function distinct(list: readonly { readonly id: number; readonly name: string }[], context: Context): void {
  for (const member of ['id', 'name'] as const) {
    const seen = new Set<unknown>()
    for (const [at, one] of list.entries()) {
      if (seen.has(one[member])) fault(context, [at, member], 'is there already')
      seen.add(one[member])
    }
  }
}
