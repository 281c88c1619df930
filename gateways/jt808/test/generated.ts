/** Bodies of messages as JSON, made from the declared layouts: whatever a declaration allows, this draws. */
import fc from 'fast-check'
import { BASICS_SHAPE } from '../codec/bodies/location.ts'
import { EXTRAS } from '../codec/bodies/location-extras.ts'
import { PARAMETERS } from '../codec/bodies/parameter-table.ts'
import type { ConditionShape, Extent, Member, Shape } from '../codec/declare/shape.ts'
import type { HeaderForm } from '../codec/index.ts'

type Json = Record<string, unknown>

/** Draws values one by one, so that a member may hang on the ones before it. */
export type Draw = fc.GeneratorValue

const MOST_ITEMS = 3
/** A tyre of this pressure shows as null. */
const NOT_FITTED = 0xff
const TEXT = fc.string({ unit: fc.constantFrom(...'aZ0;- 车牌龘€沪B'), maxLength: 12 })
const TIME = fc.constantFrom('261122130501', '000000000000', '991231235959')

/** A body of this shape; undefined when a member before says that it is not there. */
export function bodyOf(draw: Draw, shape: Shape, form: HeaderForm): unknown {
  return value(draw, shape, form, {})
}

function value(draw: Draw, shape: Shape, form: HeaderForm, owner: Json): unknown {
  switch (shape.kind) {
    case 'number':
      return number(draw, shape.bits, shape.signed === true)
    case 'digits':
      if (shape.octets === 6) return draw(() => TIME)
      return draw(fc.string, { unit: fc.constantFrom(...'0123456789'), minLength: 2 * shape.octets, maxLength: 2 * shape.octets })
    case 'text':
      return text(draw, 'octets' in shape ? shape.octets : 40)
    case 'octets':
      return Buffer.from(octets(draw, shape)).toString('base64')
    case 'hex':
      return Buffer.from(octets(draw, shape)).toString('hex')
    case 'count':
      return undefined
    case 'struct':
      return struct(draw, shape.members, form)
    case 'list': {
      const item = shape.item.kind === 'either' ? one(draw, shape.item.of) : shape.item
      return Array.from({ length: draw(fc.nat, MOST_ITEMS) }, () => value(draw, item, form, owner))
    }
    case 'numbers':
      return draw(
        fc.subarray,
        Array.from({ length: shape.bits }, (_, at) => at + 1),
        { maxLength: 4 },
      )
    case 'location':
      return location(draw, form, shape.basics === true)
    case 'parameter':
      return parameter(draw)
    case 'either':
      return value(draw, one(draw, shape.of), form, owner)
    case 'by-form':
      return value(draw, shape[form], form, owner)
  }
}

function one<T>(draw: Draw, choices: readonly T[]): T {
  return draw(fc.constantFrom, ...choices)
}

function number(draw: Draw, bits: number, signed: boolean): number {
  const size = 2 ** bits
  const [min, max] = signed ? [-size / 2, size / 2 - 1] : [0, size - 1]
  return draw(
    (least: number, most: number) =>
      fc.oneof(
        fc.integer({ min: least, max: Math.min(most, 4) }),
        fc.double({ min: least, max: most, noNaN: true }).map((value) => Math.round(value) + 0),
      ),
    min,
    max,
  )
}

/** At most so many octets of GBK, whose longest character has four; none at the end that reads as padding. */
function text(draw: Draw, most: number): string {
  return draw(() => TEXT)
    .slice(0, Math.floor(most / 4))
    .trimEnd()
}

function octets(draw: Draw, extent: Extent): Uint8Array {
  if ('octets' in extent) return draw(fc.uint8Array, { minLength: extent.octets, maxLength: extent.octets })
  return draw(fc.uint8Array, { maxLength: 20 })
}

function struct(draw: Draw, members: readonly Member[], form: HeaderForm): Json {
  const body: Json = {}
  for (const member of members) {
    // What may follow the declared members would hide one that may be missing.
    if (member.name === 'extra_raw') continue
    if (member.when !== undefined && !holds(member.when, body, form)) continue
    if (member.optional === true && draw(fc.boolean)) continue
    const drawn = value(draw, member, form, body)
    if (drawn !== undefined) body[member.name] = drawn
  }
  return body
}

function holds(condition: ConditionShape, body: Json, form: HeaderForm): boolean {
  if ('edition' in condition) return form === condition.edition
  if ('flags' in condition) return ((body[condition.flags] as number) & (1 << condition.bit)) !== 0
  if ('member' in condition) return condition.in.includes(body[condition.member] as number)
  if ('not' in condition) return !holds(condition.not, body, form)
  return condition.all.every((part) => holds(part, body, form))
}

function location(draw: Draw, form: HeaderForm, basics: boolean): Json {
  const report = value(draw, BASICS_SHAPE, form, {}) as Json
  const extra: Json = {}
  for (const { name, field } of basics ? [] : draw(fc.subarray, [...EXTRAS], { maxLength: 4 })) {
    extra[name] = value(draw, field.shape, form, {})
  }
  const tyres = extra['tire_pressure'] as (number | null)[] | undefined
  tyres?.forEach((tyre, at) => {
    if (tyre === NOT_FITTED) tyres[at] = null
  })
  return Object.keys(extra).length === 0 ? report : { ...report, extra }
}

function parameter(draw: Draw): Json {
  const { id, type } = one(draw, [...PARAMETERS, { id: 0x0110, type: 'octets' } as const])
  switch (type) {
    case 'text':
      return { id, value: text(draw, 48) }
    case 'octets':
      return { id, value: Buffer.from(draw(fc.uint8Array, { maxLength: 20 })).toString('base64') }
    default:
      return { id, value: number(draw, { dword: 32, word: 16, byte: 8 }[type], false) }
  }
}

/** Fewer octets than this are no body of the shape, whatever they say. */
export function leastOctets(shape: Shape, form: HeaderForm): number {
  if (shape.optional === true && shape.kind !== 'octets' && shape.kind !== 'text' && shape.tail === true) return 0
  switch (shape.kind) {
    case 'number':
    case 'count':
      return shape.tail === true ? 0 : Math.ceil(shape.bits / 8)
    case 'digits':
      return shape.octets
    case 'text':
    case 'octets':
    case 'hex':
      return 'octets' in shape ? shape.octets : 'prefix' in shape ? shape.prefix / 8 : 0
    case 'struct':
      if (shape.packed !== undefined) return shape.packed / 8
      return shape.members.filter((member) => always(member, form)).reduce((sum, member) => sum + leastOctets(member, form), 0)
    case 'list':
      return 0
    case 'numbers':
      return shape.bits / 8
    case 'location':
      return shape.optional === true ? 0 : 28
    case 'parameter':
      return 5
    case 'either':
      return Math.min(...shape.of.map((part) => leastOctets(part, form)))
    case 'by-form':
      return leastOctets(shape[form], form)
  }
}

function always({ when }: Member, form: HeaderForm): boolean {
  if (when === undefined) return true
  if ('edition' in when) return when.edition === form
  if ('not' in when && 'edition' in when.not) return when.not.edition !== form
  return false
}
