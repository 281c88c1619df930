/** Bodies of messages as JSON, made from the declared layouts: whatever a declaration allows, this draws. */
import { BASICS_SHAPE } from '../codec/bodies/location.ts'
import { EXTRAS } from '../codec/bodies/location-extras.ts'
import { PARAMETERS, parameterOf } from '../codec/bodies/parameter-table.ts'
import type { ConditionShape, Extent, Member, Shape } from '../codec/declare/shape.ts'
import type { HeaderForm } from '../codec/index.ts'

type Json = Record<string, unknown>

/**
 * Draws values one by one, so that a member may hang on the ones before it. All of them come from one seed: a failure is told by its
 * seed, and there is nothing to make smaller but that.
 */
export class Draw {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** From 0, less than `count`. */
  below(count: number): number {
    // A multiplicative hash of a counter (the finalizer of MurmurHash3): each draw differs in all bits from its neighbours.
    this.#state = (this.#state + 0x9e3779b9) | 0
    let bits = Math.imul(this.#state ^ (this.#state >>> 16), 0x85ebca6b)
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
    return Math.floor((((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32) * count)
  }

  one<T>(choices: ArrayLike<T>): T {
    return choices[this.below(choices.length)] as T
  }

  /** Some of `choices` in their order, at most `most`. */
  some<T>(choices: readonly T[], most: number): T[] {
    const kept = new Set(Array.from({ length: this.below(most + 1) }, () => this.one(choices)))
    return choices.filter((choice) => kept.has(choice))
  }

  octets(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(0x100))
  }
}

const MOST_ITEMS = 3
/** Octets of what has no length of its own. */
const MOST_OCTETS = 20
const MOST_CHARACTERS = 12
/** A tyre of this pressure shows as null. */
const NOT_FITTED = 0xff
const CHARACTERS = [...'aZ0;- 车牌龘€沪B']
const TIMES = ['261122130501', '000000000000', '991231235959']

/** A body of this shape; undefined when a member before says that it is not there. */
export function bodyOf(draw: Draw, shape: Shape, form: HeaderForm): unknown {
  return value(draw, shape, form, {})
}

function value(draw: Draw, shape: Shape, form: HeaderForm, owner: Json): unknown {
  switch (shape.kind) {
    case 'number':
      return number(draw, shape.bits, shape.signed === true)
    case 'digits':
      if (shape.octets === 6) return draw.one(TIMES)
      return Array.from({ length: 2 * shape.octets }, () => draw.below(10)).join('')
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
      const item = shape.item.kind === 'either' ? draw.one(shape.item.of) : shape.item
      return Array.from({ length: draw.below(MOST_ITEMS + 1) }, () => value(draw, item, form, owner))
    }
    case 'numbers':
      return draw.some(
        Array.from({ length: shape.bits }, (_, at) => at + 1),
        4,
      )
    case 'location':
      return location(draw, form, shape.basics === true)
    case 'parameter':
      return parameter(draw)
    case 'either':
      return value(draw, draw.one(shape.of), form, owner)
    case 'by-form':
      return value(draw, shape[form], form, owner)
  }
}

/** Often one of the least or of the largest. */
function number(draw: Draw, bits: number, signed: boolean): number {
  const size = 2 ** bits
  const least = signed ? -size / 2 : 0
  switch (draw.below(4)) {
    case 0:
      return least + draw.below(Math.min(size, 4))
    case 1:
      return least + size - 1 - draw.below(Math.min(size, 4))
    case 2:
      return draw.below(Math.min(signed ? size / 2 : size, 5))
    default:
      return least + draw.below(size)
  }
}

/** At most so many octets of GBK, whose longest character has four; none at the end that reads as padding. */
function text(draw: Draw, most: number): string {
  const length = draw.below(Math.min(MOST_CHARACTERS, Math.floor(most / 4)) + 1)
  return Array.from({ length }, () => draw.one(CHARACTERS))
    .join('')
    .trimEnd()
}

function octets(draw: Draw, extent: Extent): Uint8Array {
  return draw.octets('octets' in extent ? extent.octets : draw.below(MOST_OCTETS + 1))
}

function struct(draw: Draw, members: readonly Member[], form: HeaderForm): Json {
  const body: Json = {}
  for (const member of members) {
    // What may follow the declared members would hide one that may be missing.
    if (member.name === 'extra_raw') continue
    if (member.when !== undefined && !holds(member.when, body, form)) continue
    if (member.optional === true && draw.below(2) === 0) continue
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
  for (const { name, field } of basics ? [] : draw.some(EXTRAS, 4)) {
    extra[name] = value(draw, field.shape, form, {})
  }
  const tyres = extra['tire_pressure'] as (number | null)[] | undefined
  tyres?.forEach((tyre, at) => {
    if (tyre === NOT_FITTED) tyres[at] = null
  })
  return Object.keys(extra).length === 0 ? report : { ...report, extra }
}

function parameter(draw: Draw): Json {
  const { id, type } = draw.one([...PARAMETERS, parameterOf(0x0110), parameterOf(0xf000)])
  switch (type) {
    case 'text':
      return { id, value: text(draw, 48) }
    case 'struct':
    case 'octets':
      return { id, value: Buffer.from(draw.octets(draw.below(MOST_OCTETS + 1))).toString('base64') }
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
