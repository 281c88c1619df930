/** Topics and JSON as on EMQX, next to the unified ones. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex } from '#bytes/hex'
import { type AppClient, World } from '#testing'
import type { Of } from '../codec/index.ts'
import { emqxPayload } from '../emqx.ts'
import module from '../index.ts'
import { HERE, Terminal } from './terminal.ts'

const UP = 'jt808/013812345678/013812345678/up'
const DOWN = 'jt808/013812345678/013812345678/dn'
const bytes = Uint8Array.of(1, 2, 3)

async function scene(config: object = {}) {
  const world = new World()
  const gateway = await world.gateway(module, config)
  const app = world.app('app')
  app.subscribe('jt808/#', { qos: 1 })
  const terminal = Terminal.online(gateway)
  return { world, gateway, app, terminal }
}

function down(app: AppClient, msg_id: number, body: object = {}, header: object = {}): void {
  app.publish(DOWN, JSON.stringify({ header: { msg_id, ...header }, body }), { qos: 1 })
}

function up(app: AppClient): unknown[] {
  return app
    .take()
    .filter(({ topic }) => topic === UP)
    .map((received) => received.json())
}

test('a location, key by key', async () => {
  const { app, terminal } = await scene()
  app.take()
  const extras = fromHex('0104 0000000a 0502 0102 2504 00000001 8201 7e e102 0102') as Uint8Array
  terminal.send(terminal.location({ extras }))
  assert.deepEqual(terminal.results(), [[0x0200, 0]])
  const [received = assert.fail()] = app.take()
  assert.equal(received.topic, UP)
  assert.equal(received.qos, 1)
  const { header, body } = received.json() as { header: object; body: { extra: { signal: object } } }
  assert.deepEqual(header, { msg_id: 512, encrypt: 0, len: 28 + extras.length, phone: '013812345678', msg_sn: 1 })
  assert.deepEqual(body, {
    alarm: 0,
    status: 3,
    latitude: 31_230_416,
    longitude: 121_473_701,
    altitude: 12,
    speed: 614,
    direction: 178,
    time: '261122160000',
    extra: {
      mileage: 10,
      '5': 'AQI=',
      signal: { ...body.extra.signal, low_beam: 1 },
      '130': 'fg==',
      custome: { '225': 'AQI=' },
    },
  })
})

test('both kinds of topics at once: one answer, when both are accepted', async () => {
  const { app, terminal } = await scene()
  app.subscribe('devices/+/up/#', { qos: 1 })
  app.take()
  terminal.send(terminal.location(), terminal.frame({ type: 'waybill', body: { data: bytes } }))
  assert.deepEqual(terminal.results(), [
    [0x0200, 0],
    [0x0701, 0],
  ])
  assert.deepEqual(
    app.take().map(({ topic }) => topic),
    ['devices/013812345678/up/telemetry', UP, 'devices/013812345678/up/event', UP],
  )
})

test('each can be switched off', async () => {
  for (const [topics, expected] of [
    [['unified'], ['devices/013812345678/up/telemetry']],
    [['emqx'], [UP]],
  ] as const) {
    const { app, terminal } = await scene({ topics })
    app.subscribe('devices/+/up/#', { qos: 1 })
    app.take()
    terminal.send(terminal.location())
    assert.deepEqual(terminal.results(), [[0x0200, 0]])
    assert.deepEqual(
      app.take().map(({ topic }) => topic),
      expected,
    )
  }
})

test('batches, replies, unknown messages and pictures are published; registration and heartbeat are not', async () => {
  const { app, terminal } = await scene()
  app.take()
  terminal.send(
    terminal.register(),
    terminal.heartbeat(),
    terminal.frame({ type: 'location-batch', body: { type: 1, location: [HERE, { broken: bytes }] } }),
    terminal.frame({ type: 'shot-reply', body: { seq: 3, result: 0, ids: [9] } }),
    terminal.raw(0x0205, bytes),
    terminal.frame({ type: 'media-data', body: { id: 7, type: 0, format: 0, event: 1, channel: 2, multimedia: bytes } }),
    terminal.frame({ type: 'location-reply', body: { seq: 3, params: HERE } }),
    terminal.frame({ type: 'control-reply', body: { seq: 4, location: HERE } }),
  )
  const { extras: _, ...here } = HERE
  assert.deepEqual(
    up(app).map((json) => (json as { body: unknown }).body),
    [
      { type: 1, length: 2, location: [here, { data: 'AQID' }] },
      { seq: 3, result: 0, length: 1, ids: [9] },
      { unknown_id: true, data: 'AQID' },
      { id: 7, type: 0, format: 0, event: 1, channel: 2, multimedia: 'AQID' },
      { seq: 3, params: here },
      { seq: 4, location: here },
    ],
  )
})

test('a request for parts is published as well', async () => {
  const { app, terminal } = await scene()
  terminal.send(terminal.frame({ type: 'terminal-resend', body: { seq: 7, ids: [1, 2] } }))
  assert.deepEqual(
    up(app).map((json) => (json as { body: unknown }).body),
    [{ seq: 7, count: 2, ids: [1, 2] }],
  )
})

test('tyres of 2019 are octets there', () => {
  const given: Of<'location'> = {
    type: 'location',
    header: { id: 0x0200, length: 0, form: '2019', protocol: 1, phone: '1', sn: 0, encryption: 0, reserved: 0, part: undefined },
    body: { ...HERE, extras: fromHex('0502 01ff 0602 ffec') as Uint8Array },
  }
  const { body } = JSON.parse(Buffer.from(emqxPayload(given, 0)).toString()) as { body: { extra: object } }
  assert.deepEqual(body.extra, { tire_pressure: 'Af8=', carriage_temp: -20 })
})

test('a message down is sent, matched and repeated like any command', async () => {
  const { world, app, terminal } = await scene()
  down(app, 0x8300, { flag: 1, text: '前方拥堵' })
  const first = terminal.one('text-message')
  assert.deepEqual([first.body.flag, first.body.text], [1, '前方拥堵'])
  world.advance(10_000)
  assert.deepEqual(terminal.one('text-message'), first)
  down(app, 0x8104)
  assert.deepEqual(terminal.read(), [], 'one at a time')
  terminal.send(terminal.answer(first, 0))
  const query = terminal.one('parameters-query-all')
  app.take()
  terminal.send(
    terminal.answer(query, 0),
    terminal.frame({ type: 'parameters-reply', body: { seq: query.header.sn, params: [{ id: 1, value: 30 }] } }),
  )
  assert.deepEqual(
    up(app).map((json) => (json as { body: unknown }).body),
    [{ seq: query.header.sn, length: 1, params: [{ id: 1, value: 30 }] }],
  )
  down(app, 0x8204)
  assert.equal(terminal.one('link-check').header.sn, query.header.sn + 1)
})

test('a serial number of the application is used as it is', async () => {
  const { app, terminal } = await scene()
  down(app, 0x8104, {}, { msg_sn: 500 })
  assert.equal(terminal.one('parameters-query-all').header.sn, 500)
  terminal.send(terminal.frame({ type: 'parameters-reply', body: { seq: 500, params: [] } }))
  down(app, 0x8104)
  assert.equal(terminal.one('parameters-query-all').header.sn, 1)
})

test('what cannot be sent is counted, and the next goes out', async () => {
  const { world, app, terminal } = await scene()
  for (const payload of [
    'no json',
    '[]',
    'null',
    '{}',
    '{"header":{}}',
    '{"header":{"msg_id":"33027"}}',
    '{"header":{"msg_id":70000}}',
  ]) {
    app.publish(DOWN, payload, { qos: 1 })
  }
  down(app, 0x8202, { period: 'x' })
  down(app, 0x0200)
  down(app, 0x8104, {}, { msg_sn: -1 })
  assert.deepEqual(terminal.read(), [])
  down(app, 0x8104)
  assert.equal(terminal.read().length, 1)
  assert.equal(world.faults(), 0)
})

test('a terminal that takes a message and never replies holds up the next for half a minute', async () => {
  const { world, app, terminal } = await scene()
  down(app, 0x8201)
  down(app, 0x8204)
  terminal.send(terminal.answer(terminal.one('location-query'), 0))
  world.advance(29_999)
  assert.deepEqual(terminal.read(), [])
  world.advance(1)
  assert.equal(terminal.one('link-check').header.id, 0x8204)
})

test('a connection that ends leaves nothing behind', async () => {
  const { world, gateway, app, terminal } = await scene()
  down(app, 0x8104)
  terminal.peer.hangUp()
  Terminal.online(gateway)
  assert.equal(world.faults(), 0)
})
