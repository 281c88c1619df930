/** Every message of the three editions: decoded, encoded, shown as JSON and composed from it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromHex, toHex } from '#bytes/hex'
import { isMalformed } from '#sdk'
import { PARAMETERS, parameterNamed } from '../codec/bodies/parameter-table.ts'
import {
  type Draft,
  decode,
  type Header,
  type HeaderForm,
  KNOWN_IDS,
  type Message,
  nativeOf,
  presentBody,
  readMessage,
  takeDraft,
  writeBody,
} from '../codec/index.ts'
import { conformanceIds, vectors } from './vectors.ts'

/** JT/T 808 clause 8 (2011, 2013, 2019), JT/T 1078 clause 5, T/JSATL 12 clause 4. */
const UP = `0001 0002 0003 0004 0005 0100 0102 0104 0107 0108 0200 0201 0301 0302 0303 0500 0608 0700 0701 0702 0704 0705 0800
  0801 0802 0805 0900 0901 0a00 1003 1005 1205 1206 1210 1211 1212 1fc4`
const DOWN = `8001 8003 8004 8100 8103 8104 8105 8106 8107 8108 8201 8202 8203 8204 8300 8301 8302 8303 8304 8400 8401 8500 8600
  8601 8602 8603 8604 8605 8606 8607 8608 8700 8701 8702 8800 8801 8802 8803 8804 8805 8900 8a00 9003 9101 9102 9105 9201 9202
  9205 9206 9207 9208 9212 9301 9302 9303 9304 9305 9306`

const ids = (text: string): number[] => text.split(/\s+/).map((id) => Number.parseInt(id, 16))

function headerOf(id: number, form: HeaderForm): Header {
  return {
    id,
    form,
    length: 0,
    protocol: form === '2019' ? 1 : 0,
    phone: '1',
    sn: 0,
    encryption: 0,
    reserved: 0,
    part: undefined,
  }
}

interface Sample {
  readonly name: string
  readonly id: number
  readonly form: HeaderForm
  readonly body: Uint8Array
}

const samples: Sample[] = vectors().flatMap((vector) => {
  if (vector.kind === 'body') return [{ ...vector, body: fromHex(vector.hex) as Uint8Array }]
  if (vector.kind !== 'frame') return []
  const message = decode(fromHex(vector.hex) as Uint8Array)
  assert.ok(!isMalformed(message))
  if (message.type === 'opaque') return []
  const { id, form } = message.header
  return [{ name: vector.name, id, form, body: writeBody(message, form) }]
})

function read({ id, form }: Pick<Sample, 'id' | 'form'>, body: Uint8Array): Message {
  return readMessage(headerOf(id, form), body, 0, body.length)
}

test('every message of the standard is decoded, and has a packet to prove it', () => {
  const standard = [...ids(UP), ...ids(DOWN)].sort((a, b) => a - b)
  assert.deepEqual(KNOWN_IDS, standard)
  const proven = new Set(samples.map((sample) => sample.id))
  assert.deepEqual(
    standard.filter((id) => !proven.has(id)),
    [],
  )
})

test('every message of the standard has its row of conformance', () => {
  const rows = conformanceIds()
  const missing = KNOWN_IDS.map((id) => `message-${id.toString(16).padStart(4, '0')}`).filter((id) => !rows.has(id))
  assert.deepEqual(missing, [])
})

test('property: a packet with octets changed, cut off or appended decodes and encodes to itself, or is opaque', () => {
  const bodies = samples.filter(({ body }) => body.length > 0)
  const change = fc.record({ at: fc.nat(2000), octet: fc.nat(255) })
  fc.assert(
    fc.property(
      fc.nat(bodies.length - 1),
      fc.array(change, { maxLength: 3 }),
      fc.nat(40),
      fc.uint8Array({ maxLength: 5 }),
      (which, changes, cut, more) => {
        const sample = bodies[which] as Sample
        const kept = cut > 20 ? sample.body : sample.body.slice(0, Math.max(0, sample.body.length - cut))
        const body = Uint8Array.from([...kept, ...more])
        for (const { at, octet } of changes) if (body.length > 0) body[at % body.length] = octet
        const message = read(sample, body)
        assert.doesNotThrow(() => JSON.stringify(nativeOf(message)))
        if (message.type === 'opaque') assert.equal(toHex(message.body), toHex(body))
        else assert.equal(toHex(writeBody(message, sample.form)), toHex(body), sample.name)
      },
    ),
    { numRuns: 3000 },
  )
})

/** A number wider than its table, counts that lie, a time that is none: read, and never written. */
const CARELESS = [
  'parameters.json: parameters, 2013 form, serial 5 (1)',
  'parameters.json: parameters, 2013 form, serial 5 (3)',
  'parameters.json: parameters, 2013 form, serial 5 (4)',
  'recorder-and-driver.json: driver identity, 2019 form, serial 3',
]

for (const sample of samples.filter(({ name }) => !CARELESS.includes(name))) {
  test(`composed from its own JSON: ${sample.name}`, () => {
    const message = read(sample, sample.body)
    if (message.type === 'opaque') return assert.equal(message.why, 'malformed')
    const json = JSON.parse(JSON.stringify((nativeOf(message) as { body: unknown }).body))
    const draft = takeDraft(sample.id, json, sample.form)
    assert.ok(draft !== undefined && !('faults' in draft), JSON.stringify(draft))
    // What a device pads, or writes in other widths and orders than the tables, does not come back from JSON as octets.
    const again = read(sample, writeBody(draft as Draft, sample.form))
    if (sample.id < 0x8000) assert.deepEqual(JSON.parse(JSON.stringify((nativeOf(again) as { body: unknown }).body)), json)
    else if (!/\\u0000|\\udc[89a-f]/.test(JSON.stringify(message.body))) {
      assert.equal(toHex(writeBody(draft as Draft, sample.form)), toHex(sample.body))
    }
  })
}

test('what is wrong in the JSON of a message is named with its path', () => {
  const faults = (id: number, json: unknown, form: HeaderForm = '2013'): unknown => {
    const draft = takeDraft(id, json, form)
    return draft !== undefined && 'faults' in draft ? draft.faults : draft
  }
  assert.deepEqual(faults(0x8202, { period: 1 }), ['args.expiry: must be a whole number from 0 to 4294967295'])
  assert.deepEqual(faults(0x8202, { period: 0 }), {
    type: 'tracking',
    body: { period: 0, expiry: undefined, extra_raw: undefined },
  })
  assert.deepEqual(faults(0x8202, { period: 70_000, expiry: 1, x: 1 }), [
    'args.x: is not known here',
    'args.period: must be a whole number from 0 to 65535',
  ])
  assert.equal((faults(0x8600, { type: 0, areas: [{}, 7] }) as string[]).at(-1), 'args.areas[1]: must be an object')
  assert.deepEqual(faults(0x8802, { type: 0, channel: 0, event: 0, start_time: '2026', end_time: '000000000000' }), [
    'args.start_time: must be 12 digits',
  ])
  assert.deepEqual(faults(0x8900, { type: 1, data: '*' }), ['args.data: must be base64'])
  assert.deepEqual(faults(0x8103, { params: [{ id: 1, value: 'x' }] }), [
    'args.params[0].value: must be a whole number from 0 to 4294967295',
  ])
  assert.deepEqual(faults(0x8a00, { e: 1, n: 'AAAA' }), ['args.n: must be base64 of 128 octets'])
  assert.equal(takeDraft(0xf001, {}, '2013'), undefined, 'a maker’s')
})

test('parameters have one name and one id each', () => {
  assert.equal(new Set(PARAMETERS.map(({ name }) => name)).size, PARAMETERS.length)
  for (const parameter of PARAMETERS) {
    assert.match(parameter.name, /^[a-z][a-z0-9_]*$/)
    assert.equal(parameterNamed(parameter.name), parameter)
    assert.equal(parameterNamed(`0x${parameter.id.toString(16)}`), parameter)
    assert.equal(parameterNamed(String(parameter.id)), parameter)
  }
  assert.equal(parameterNamed('0x0110')?.type, 'struct')
  assert.equal(parameterNamed('0x01ff')?.type, 'struct')
  assert.equal(parameterNamed('0x0200')?.type, 'octets')
  assert.equal(parameterNamed('bogus'), undefined)
  assert.equal(parameterNamed('0x123456789'), undefined)
})

test('numbers of parameters are read in the octets they have', () => {
  const body = fromHex('0001 03 00000001 01 0a 00000029 02 0064 00000083 04 d4c14231') as Uint8Array
  const message = read({ id: 0x0104, form: '2013' }, body)
  assert.ok(message.type === 'parameters-reply')
  assert.deepEqual((nativeOf(message) as { body: object }).body, {
    seq: 1,
    length: 3,
    params: [
      { id: 1, value: 10 },
      { id: 0x29, value: 100 },
      { id: 0x83, value: '粤B1' },
    ],
  })
  assert.equal(toHex(writeBody(message, '2013')), toHex(body))
})

test('a form that only some devices have shows, and may be asked for, by name', () => {
  const identifier = { terminal_id: 'TERM001', time: '261122130501', index: 1, count: 2 }
  const request = { ip: '1.2.3.4', tcp_port: 6208, udp_port: 0, alarm_identifier: identifier, alarm_number: 'A1' }
  const attributes = {
    type: 1,
    manufacturer: 'MAKER',
    model: 'M',
    id: 'I',
    iccid: '89860123456789012345',
    hardware_version: 'H',
    firmware_version: 'F',
    gnss_prop: 3,
    comm_prop: 1,
  }
  const upgrade = { type: 0, manufacturer: 'MAKER', version: 'V', firmware: 'AQID' }
  for (const [id, json, form, octets] of [
    [0x9208, request, undefined, 8 + 4 + 16 + 32 + 16],
    [0x9208, request, 'guangdong', 8 + 4 + 36 + 4 + 32 + 16],
    [0x9208, request, 'heilongjiang', 8 + 4 + 38 + 32 + 16],
    [0x0107, attributes, undefined, 2 + 5 + 30 + 30 + 10 + 2 + 2 + 2],
    [0x0107, attributes, 'maker-11', 2 + 11 + 30 + 30 + 10 + 2 + 2 + 2],
    [0x8108, upgrade, undefined, 1 + 5 + 2 + 4 + 3],
    [0x8108, upgrade, 'maker-11', 1 + 11 + 2 + 4 + 3],
  ] as const) {
    const draft = takeDraft(id, form === undefined ? json : { ...json, form }, '2019')
    assert.ok(draft !== undefined && !('faults' in draft), JSON.stringify(draft))
    const body = writeBody(draft, '2019')
    assert.equal(body.length, octets, form)
    const header = { id, length: body.length, form: '2019', protocol: 1, phone: '1', sn: 0, encryption: 0, reserved: 0 } as const
    const message = readMessage({ ...header, part: undefined }, body, 0, body.length)
    assert.ok(message.type !== 'opaque')
    assert.equal((presentBody(message) as { form?: string }).form, form)
  }
  assert.deepEqual(takeDraft(0x9208, { ...request, form: 'bogus' }, '2013'), {
    faults: ['args.form: must be guangdong or heilongjiang, or left out'],
  })
})
