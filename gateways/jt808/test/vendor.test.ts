/** Makers' messages and extras by layouts of the config: decoded, published, composed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromHex, toHex } from '#bytes/hex'
import { config } from '../config.ts'
import { Vendor } from '../vendor.ts'
import { vendor } from '../vendor-config.ts'
import { scene, seen } from './scene.ts'
import { Terminal } from './terminal.ts'

const FIELDS = [
  { name: 'mode', type: 'u8', bits: { door: 0, level: [4, 7] } },
  { name: 'temperature', type: 'i16', scale: 0.1, unit: 'c' },
  { name: 'fuel', type: 'u8', scale: 0.5, offset: -40 },
  { name: 'serial', type: 'bcd[3]' },
  { name: 'plate', type: 'string[10]' },
  { name: 'note', type: 'string[u8]' },
  { name: 'key', type: 'bytes[2]' },
  { name: 'blob', type: 'bytes[u16]' },
  {
    name: 'probes',
    type: 'array[u8]',
    fields: [
      { name: 'id', type: 'u32' },
      { name: 'level', type: 'u16', unit: 'mm' },
    ],
  },
  { name: 'rest', type: 'string' },
]
const HEX = '91 ff9c 64 123456 bba6420000000000000000 02c7b0 0102 0001aa 02 00000001 0010 00000002 0020 b7bd'.replace(
  'bba6420000000000000000',
  'bba64231323334350000',
)
const JSON_BODY = {
  mode: { door: 1, level: 9 },
  temperature_c: -10,
  fuel: 10,
  serial: '123456',
  plate: '沪B12345',
  note: '前',
  key: 'AQI=',
  blob: 'qg==',
  probes: [
    { id: 1, level_mm: 16 },
    { id: 2, level_mm: 32 },
  ],
  rest: '方',
}
const CONFIG = {
  vendor: {
    messages: [
      { id: '0x0f01', name: 'driver-score', fields: FIELDS },
      { id: 0xf001, name: 'set-score', fields: FIELDS },
      { id: 0x0f02, name: 'short', fields: [{ name: 'a', type: 'u16' }] },
    ],
    extras: [{ id: 0xe1, name: 'probe', fields: [{ name: 'level', type: 'u16', scale: 0.1, unit: 'mm' }] }],
  },
}

function bytes(text: string): Uint8Array {
  return fromHex(text.replaceAll(' ', '')) as Uint8Array
}

test('a declared message is an event with its fields, acknowledged, on both kinds of topics', async () => {
  const { gateway, app } = await scene(CONFIG)
  app.subscribe('jt808/+/+/up', { qos: 1 })
  const terminal = Terminal.online(gateway)
  app.take()
  terminal.send(terminal.raw(0x0f01, bytes(HEX)))
  assert.deepEqual(terminal.results(), [[0x0f01, 0]])
  const [event, native] = app.take().map((received) => received.json() as Record<string, Record<string, unknown>>)
  assert.deepEqual([event?.['type'], event?.['data']], ['driver-score', JSON_BODY])
  assert.deepEqual(event?.['native']?.['body'], JSON_BODY)
  assert.deepEqual(native?.['body'], JSON_BODY)
})

test('a declared message is composed from JSON, and faults are named', async () => {
  const { gateway, app } = await scene(CONFIG)
  const terminal = Terminal.online(gateway)
  const send = (args: object) => {
    app.take()
    const command = JSON.stringify({ id: '1', name: 'jt808.f001', args })
    app.publish('devices/013812345678/down/command', command, { qos: 1 })
  }
  const said = () => {
    const response = app.take().at(-1)?.json() as { error?: { code: string; message: string } } | undefined
    return response?.error
  }
  send(JSON_BODY)
  const [sent] = terminal.read()
  assert.equal(sent?.header.id, 0xf001)
  assert.equal(sent?.type === 'opaque' ? toHex(sent.body) : '', HEX.replaceAll(' ', ''))
  terminal.send(terminal.answer(sent ?? assert.fail(), 0))
  assert.equal(said(), undefined)
  send({ ...JSON_BODY, mode: { door: 2, lid: 1 }, temperature_c: 4000, probes: [{ id: -1, level_mm: 0 }], more: 1 })
  assert.deepEqual(said(), {
    code: 'bad-request',
    message: [
      'args.more: is not known here',
      'args.mode.lid: is not known here',
      'args.mode.door: must be a whole number from 0 to 1',
      'args.temperature_c: must be a number from -3276.8 to 3276.7',
      'args.probes[0].id: must be a whole number from 0 to 4294967295',
    ].join('; '),
  })
  send({ ...JSON_BODY, blob: Buffer.alloc(70_000).toString('base64') })
  assert.equal(said()?.code, 'bad-request')
  assert.deepEqual(terminal.read(), [])
})

test('a body that is not as declared is a bad message; one that is longer keeps its rest', async () => {
  const { world, gateway, app } = await scene(CONFIG)
  const terminal = Terminal.online(gateway)
  app.take()
  terminal.send(terminal.raw(0x0f02, bytes('01')), terminal.raw(0x0f02, bytes('0102ff')), terminal.raw(0x0f03, bytes('01')))
  assert.deepEqual(terminal.results(), [
    [0x0f02, 2],
    [0x0f02, 0],
    [0x0f03, 3],
  ])
  const [event] = app.take().map((received) => received.json() as { data: object })
  assert.deepEqual(event?.data, { a: 0x0102, extra_raw: 'ff' })
  assert.equal(world.malformed().get('bad-body'), 1)
})

test('declared extras stand beside the position; what is not as declared does not', async () => {
  const { gateway, app } = await scene(CONFIG)
  const terminal = Terminal.online(gateway)
  app.take()
  for (const extras of ['e1020019 300105', 'e10119 300105', 'e1']) terminal.send(terminal.location({ extras: bytes(extras) }))
  assert.deepEqual(
    app.take().map((received) => (received.json() as { data: { extra?: object } }).data.extra),
    [{ probe: { level_mm: 2.5 } }, undefined, undefined],
  )
})

test('a repeated message is answered again and published once', async () => {
  const { gateway, app } = await scene(CONFIG)
  const terminal = Terminal.online(gateway)
  app.take()
  const frame = terminal.raw(0x0f02, bytes('0102'))
  terminal.send(frame, frame)
  assert.equal(terminal.results().length, 2)
  assert.deepEqual(seen(app), ['short'])
})

test('what is wrong in a layout is refused with its path', () => {
  const message = (fields: unknown, more: object = {}) => ({ messages: [{ id: 0x0f01, name: 'm', fields, ...more }] })
  const u8 = (name: string, more: object = {}) => ({ name, type: 'u8', ...more })
  for (const [input, path] of [
    [message([]), 'messages.0.fields'],
    [message([u8('A')]), 'messages.0.fields.0.name'],
    [message([{ name: 'a', type: 'u24' }]), 'messages.0.fields.0.type'],
    [message([{ name: 'a', type: 'bcd' }]), 'messages.0.fields.0.type'],
    [message([u8('a'), u8('a')]), 'messages.0.fields.1.name'],
    [message([{ name: 'a', type: 'string' }, u8('b')]), 'messages.0.fields.0.type'],
    [message([u8('a', { bits: { b: 8 } })]), 'messages.0.fields.0.bits.b'],
    [message([u8('a', { bits: { b: [3, 2] } })]), 'messages.0.fields.0.bits.b'],
    [message([{ name: 'a', type: 'i8', bits: { b: 1 } }]), 'messages.0.fields.0.bits'],
    [message([{ name: 'a', type: 'string', scale: 2 }]), 'messages.0.fields.0.scale'],
    [message([{ name: 'a', type: 'array' }]), 'messages.0.fields.0.fields'],
    [message([u8('a', { fields: [u8('b')] })]), 'messages.0.fields.0.fields'],
    [message([{ name: 'a', type: 'array', fields: [{ name: 'b', type: 'bytes' }] }]), 'messages.0.fields.0.fields.0.type'],
    [message([u8('a')], { id: 0x0200 }), 'messages.0.id'],
    [message([u8('a')], { id: 0x10000 }), 'messages.0.id'],
    [message([u8('a')], { name: 'media' }), 'messages.0.name'],
    [{ messages: [1, 2].map(() => message([u8('a')]).messages[0]) }, 'messages.1.id'],
    [{ extras: [{ id: 0x100, name: 'x', fields: [u8('a')] }] }, 'extras.0.id'],
  ] as const) {
    const parsed = vendor.safeParse(input)
    assert.equal(parsed.success, false, JSON.stringify(input))
    assert.equal(parsed.error?.issues[0]?.path.join('.'), path)
  }
})

test('property: any octets decode to JSON that composes the same octets, or not at all', () => {
  const layouts = new Vendor(
    config.parse({
      vendor: {
        messages: [
          {
            id: 0x0f01,
            name: 'm',
            fields: [
              { name: 'a', type: 'i32', scale: 1e-6 },
              { name: 'b', type: 'bytes[u8]' },
              { name: 'c', type: 'array[2]', fields: [{ name: 'd', type: 'i8' }] },
              { name: 'e', type: 'array', fields: [{ name: 'f', type: 'u16', scale: 0.01, offset: -100 }] },
            ],
          },
        ],
      },
    }).vendor,
  )
  let decoded = 0
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (body) => {
      const read = layouts.read(0x0f01, { type: 'opaque', why: 'unknown', body })
      if (read === 'broken' || read === undefined) return
      decoded += 1
      assert.deepEqual(layouts.compose(0x0f01, JSON.parse(JSON.stringify(read.data))), body)
    }),
    { numRuns: 2000 },
  )
  assert.ok(decoded > 0)
})
