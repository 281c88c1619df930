/** Every message by its declared layout: generated JSON becomes octets and the same JSON again; too few octets are malformed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as z from 'zod'
import { toHex } from '#bytes/hex'
import {
  DECLARED,
  type Draft,
  type Header,
  type HeaderForm,
  presentBody,
  readMessage,
  takeDraft,
  writeBody,
} from '../codec/index.ts'
import { documents } from '../documents.ts'
import { bodyOf, Draw, leastOctets } from './generated.ts'
import { scene } from './scene.ts'
import { Terminal } from './terminal.ts'

const FORMS: readonly HeaderForm[] = ['2013', '2019']

/** What a layout alone does not tell: which octets stand behind a control of the maker, and what is a time. */
const CONSTRAINED: Readonly<Partial<Record<Draft['type'], (body: Record<string, unknown>) => void>>> = {
  // An empty code does not show.
  authenticate(body) {
    body['code'] ||= 'AUTH01'
  },
  // In the 2013 form only these tell a status from the length of a name.
  'driver-identity'(body) {
    if (body['status'] === undefined) return
    body['status'] = 2 - ((body['status'] as number) % 2)
    if (body['status'] === 2) for (const key of Object.keys(body)) if (key !== 'status' && key !== 'time') delete body[key]
    if (body['status'] === 1) body['ic_result'] ??= 1
    // The two members of the supplement come together.
    if (body['face_match'] === undefined) delete body['uid']
    else body['uid'] ??= 'a'
  },
  // Without files, or without a time, the octets fit several forms.
  'attachment-list'(body) {
    const files = body['files'] as unknown[]
    if (files.length === 0) files.push({ name: 'a', size: 1 })
    const identifier = body['alarm_identifier'] as { time: string }
    identifier.time = '261122130501'
  },
  'set-events'(body) {
    const events = (body['events'] ?? []) as { content?: string }[]
    if (body['type'] !== 4) for (const event of events) event.content ??= 'a'
  },
  // The colour of the plate tells the edition.
  register(body) {
    body['color'] = 1
  },
  'vehicle-control'(body) {
    const controls = body['controls'] as { id: number; param: string }[] | undefined
    controls?.forEach((control, at) => {
      if (at < controls.length - 1) control.id = 1
      if (control.id === 1) control.param = 'AQ=='
    })
  },
}

function generated(draw: Draw, type: Draft['type'], form: HeaderForm): Record<string, unknown> {
  const { shape } = DECLARED.find((message) => message.type === type) as (typeof DECLARED)[number]
  const body = bodyOf(draw, shape, form) as Record<string, unknown>
  CONSTRAINED[type]?.(body)
  return body
}

function header(id: number, form: HeaderForm): Header {
  const protocol = form === '2019' ? 1 : 0
  return { id, form, protocol, length: 0, phone: '1', sn: 0, encryption: 0, reserved: 0, part: undefined }
}

function octetsOf(id: number, json: unknown, form: HeaderForm): Uint8Array {
  const draft = takeDraft(id, json, form)
  assert.ok(draft !== undefined && !('faults' in draft), JSON.stringify([draft, json]))
  return writeBody(draft, form)
}

/** The JSON of a body, without its counts, which JSON that comes in need not have. */
function shownOf(id: number, octets: Uint8Array, form: HeaderForm): unknown {
  const message = readMessage(header(id, form), octets, 0, octets.length)
  assert.ok(message.type !== 'opaque', `${toHex(octets)} is ${JSON.stringify(message)}`)
  return JSON.parse(JSON.stringify(presentBody(message)))
}

/** `actual` has all that `expected` has; what else it has are counts and defaults. */
function holds(actual: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    return Array.isArray(actual) && actual.length === expected.length && expected.every((item, i) => holds(actual[i], item))
  }
  if (typeof expected !== 'object' || expected === null) return Object.is(actual, expected)
  return Object.entries(expected).every(([key, value]) => holds((actual as Record<string, unknown>)?.[key], value))
}

const SCHEMA = JSON.parse(documents['generated/jt808/messages.schema.json'] as string) as { $defs: Record<string, object> }

/** The JSON Schema of a body. */
function schemaOf(type: Draft['type']): z.ZodType {
  const { location, parameter, [type]: body } = SCHEMA.$defs
  return z.fromJSONSchema({ ...SCHEMA, $defs: { location, parameter }, ...body } as Parameters<typeof z.fromJSONSchema>[0])
}

for (const { id, type } of DECLARED) {
  const hex = `0x${id.toString(16).padStart(4, '0')}`
  test(`property: generated ${hex} ${type} becomes octets and the same again, as its schema says`, () => {
    const schema = schemaOf(type)
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(...FORMS), (seed, form) => {
        const json = generated(new Draw(seed), type, form)
        const octets = octetsOf(id, json, form)
        const shown = shownOf(id, octets, form)
        assert.ok(holds(shown, json), `${JSON.stringify(shown)} is not ${JSON.stringify(json)}`)
        assert.equal(toHex(octetsOf(id, shown, form)), toHex(octets))
        assert.deepEqual(schema.safeParse(shown).error?.issues, undefined, JSON.stringify(shown))
      }),
      { numRuns: 60 },
    )
  })
}

test('a schema refuses what its message does not take', () => {
  assert.equal(schemaOf('tracking').safeParse({ period: 1, expiry: 60 }).success, true)
  assert.equal(schemaOf('tracking').safeParse({ period: 70_000 }).success, false)
  assert.equal(schemaOf('location').safeParse({}).success, false)
  assert.equal(schemaOf('set-polygon').safeParse({ id: 1, flag: 0, points: [{ lat: 1 }] }).success, false)
})

test('property: a body cut off is malformed, or as its remaining octets say', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.constantFrom(...DECLARED),
      fc.constantFrom(...FORMS),
      fc.nat(),
      (seed, { id, type, shape }, form, cut) => {
        const whole = octetsOf(id, generated(new Draw(seed), type, form), form)
        const octets = whole.subarray(0, cut % (whole.length + 1))
        const message = readMessage(header(id, form), octets, 0, octets.length)
        if (message.type === 'opaque') assert.equal(message.why, 'malformed')
        else assert.equal(toHex(writeBody(message, form)), toHex(octets))
        if (octets.length < leastOctets(shape, form)) assert.equal(message.type, 'opaque')
      },
    ),
    { numRuns: 2000 },
  )
})

for (const [form, phone] of [
  ['2013', '013812345678'],
  ['2019', '00000000013812345678'],
] as const) {
  test(`${form}: every message of a terminal that is too short is counted and answered as a bad message`, async () => {
    const { world, gateway } = await scene()
    const terminal = Terminal.online(gateway, phone)
    const short = DECLARED.filter(({ id, shape }) => id < 0x8000 && leastOctets(shape, form) > 0)
    assert.ok(short.length > 25)
    for (const { id, shape } of short) {
      const octets = new Uint8Array(leastOctets(shape, form) - 1)
      terminal.send(terminal.raw(id, octets))
      assert.deepEqual(terminal.results(), [[id, 2]], `0x${id.toString(16)} of ${octets.length} octets`)
    }
    assert.equal(world.malformed().get('bad-body'), short.length)
  })
}
