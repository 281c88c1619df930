/** Which message of the terminal ends which command. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AppClient, hex } from '#testing'
import type { Draft, Message } from '../codec/index.ts'
import { scene } from './scene.ts'
import { HERE, Terminal } from './terminal.ts'

function command(app: AppClient, name: string, args: object = {}, more: object = {}): void {
  app.publish('devices/013812345678/down/command', JSON.stringify({ id: '42', name, args, ...more }), { qos: 1 })
}

interface Response {
  readonly ok: boolean
  readonly result?: unknown
  readonly error?: { readonly code: string }
}

function responses(app: AppClient): Response[] {
  return app
    .take()
    .filter(({ topic }) => topic.endsWith('/up/response'))
    .map((received) => received.json() as Response)
}

/** The one message that the platform sent. */
function sent(terminal: Terminal): Message {
  const [message = assert.fail('nothing was sent'), ...rest] = terminal.read()
  assert.deepEqual(rest, [])
  return message
}

const WHERE = {
  lat: 31.230416,
  lon: 121.473701,
  alt_m: 12,
  speed_kmh: 61.4,
  heading_deg: 178,
  time: '2026-11-22T08:00:00Z',
  alarms: [],
  status: ['acc-on', 'positioned'],
}
const TIMES = { start_time: '000000000000', end_time: '000000000000' }
const bytes = Uint8Array.of(1, 2, 3)

/** Command, its arguments, the message id it sends, the reply to serial number `seq`, the result. */
const REPLIES: readonly (readonly [string, object, number, (seq: number) => Draft, unknown])[] = [
  [
    'read',
    { parameters: ['report_interval_s', '0x0083', 0x0110] },
    0x8106,
    (seq) => ({
      type: 'parameters-reply',
      body: {
        seq,
        params: [
          { id: 0x29, value: 30 },
          { id: 0x83, value: '沪B12345' },
          { id: 0x110, value: bytes },
        ],
      },
    }),
    { parameters: { report_interval_s: 30, plate: '沪B12345', '0x0110': 'AQID' } },
  ],
  ['read', {}, 0x8104, (seq) => ({ type: 'parameters-reply', body: { seq, params: [] } }), { parameters: {} }],
  ['locate', {}, 0x8201, (seq) => ({ type: 'location-reply', body: { seq, params: HERE } }), { location: WHERE }],
  [
    'jt808.8107',
    {},
    0x8107,
    () => ({
      type: 'attributes-reply',
      body: {
        type: 1,
        manufacturer: 'M',
        model: 'X',
        id: 'I',
        iccid: '89860123456789012345',
        hardware_version: 'H',
        firmware_version: 'F',
        gnss_prop: 3,
        comm_prop: 1,
      },
    }),
    {
      type: 1,
      manufacturer: 'M',
      model: 'X',
      id: 'I',
      iccid: '89860123456789012345',
      hardware_version: 'H',
      firmware_version: 'F',
      gnss_prop: 3,
      comm_prop: 1,
    },
  ],
  [
    'jt808.doors',
    { lock: true },
    0x8500,
    (seq) => ({ type: 'control-reply', body: { seq, location: HERE } }),
    { location: WHERE },
  ],
  ['jt808.8500', { flag: 1 }, 0x8500, (seq) => ({ type: 'control-reply', body: { seq, location: HERE } }), { location: WHERE }],
  [
    'jt808.8700',
    { command: 0 },
    0x8700,
    (seq) => ({ type: 'recorder-data', body: { seq, command: 0, data: bytes } }),
    { command: 0, data: 'AQID' },
  ],
  [
    'jt808.8702',
    {},
    0x8702,
    () => ({ type: 'driver-identity', body: { status: 2, time: '261122160000' } }),
    { status: 2, time: '261122160000' },
  ],
  [
    'jt808.8801',
    {
      channel_id: 1,
      command: 1,
      period: 0,
      save: 0,
      resolution: 1,
      quality: 5,
      bright: 128,
      contrast: 64,
      saturate: 64,
      chromaticity: 128,
    },
    0x8801,
    (seq) => ({ type: 'shot-reply', body: { seq, result: 0, ids: [7, 8] } }),
    { result: 0, length: 2, ids: [7, 8] },
  ],
  [
    'jt808.8802',
    { type: 0, channel: 0, event: 0, ...TIMES },
    0x8802,
    (seq) => ({ type: 'media-search-reply', body: { seq, result: [] } }),
    { length: 0, result: [] },
  ],
  [
    'jt808.8608',
    { type: 1 },
    0x8608,
    () => ({ type: 'areas-reply', body: { type: 1, count: 0, data: bytes } }),
    { type: 1, count: 0, data: 'AQID' },
  ],
  [
    'jt808.9205',
    { channel: 1, ...TIMES, alarm: '0000000000000000', media: 0, stream: 0, storage: 0 },
    0x9205,
    (seq) => ({ type: 'recordings', body: { seq, items: [] } }),
    { length: 0, items: [] },
  ],
]

for (const [name, args, id, reply, result] of REPLIES) {
  test(`${name} ${Object.keys(args).join(' ')}: sends ${id.toString(16)} and ends with its reply`, async () => {
    const { gateway, app } = await scene()
    const terminal = Terminal.online(gateway)
    app.take()
    command(app, name, args)
    const message = sent(terminal)
    assert.equal(message.header.id, id)
    const { type, body } = reply(message.header.sn + 1)
    if ('seq' in body) {
      terminal.send(terminal.frame({ type, body } as Draft))
      assert.deepEqual(responses(app), [], 'the reply to something else')
    }
    terminal.send(terminal.answer(message, 0))
    assert.deepEqual(responses(app), [], 'the reply is still to come')
    terminal.send(terminal.frame(reply(message.header.sn)))
    assert.deepEqual(
      responses(app).map(({ ok, result: got }) => [ok, got]),
      [[true, JSON.parse(JSON.stringify(result))]],
    )
  })

  test(`${name} ${Object.keys(args).join(' ')}: a general failure ends it`, async () => {
    const { gateway, app } = await scene()
    const terminal = Terminal.online(gateway)
    app.take()
    command(app, name, args)
    const message = sent(terminal)
    terminal.send(terminal.answer(message, 3))
    assert.deepEqual(
      responses(app).map(({ error }) => error?.code),
      ['refused'],
    )
    terminal.send(terminal.frame(reply(message.header.sn)))
    assert.deepEqual(responses(app), [], 'once')
  })
}

const GENERAL: readonly (readonly [string, object, string, string])[] = [
  [
    'write',
    { parameters: { report_interval_s: 30, '0x0083': '沪B', plate_color: 2 } },
    '8103',
    '0300000029040000001e0000008303bba642000000840102',
  ],
  ['interval', { interval_s: 5, duration_s: 600 }, '8202', '000500000258'],
  ['interval', { interval_s: 0 }, '8202', '0000'],
  ['reboot', {}, '8105', '04'],
  ['jt808.8105', { command: 2, param: '1;code' }, '8105', '02313b636f6465'],
  ['jt808.8204', {}, '8204', ''],
  ['jt808.8203', { seq: 0, type: 1 }, '8203', '000000000001'],
  ['jt808.8301', { type: 2, events: [{ id: 1, content: 'A' }] }, '8301', '0201010141'],
  ['jt808.8302', { flag: 1, question: '?', answers: [{ id: 1, answer: 'y' }] }, '8302', '01013f01000179'],
  ['jt808.8400', { type: 0, phone: '110' }, '8400', '00313130'],
  ['jt808.8601', { ids: [1, 2] }, '8601', '020000000100000002'],
  ['jt808.8804', { command: 0, time: 0, save: 0, rate: 0 }, '8804', '0000000000'],
  ['jt808.8900', { type: 65, data: 'AQID' }, '8900', '41010203'],
  [
    'jt808.9101',
    { ip: '1.2.3.4', tcp_port: 1, udp_port: 2, channel: 1, media: 0, stream: 0 },
    '9101',
    '07312e322e332e3400010002010000',
  ],
  ['jt808.F001', { hex: 'CA FE' }, 'f001', 'cafe'],
]

for (const [name, args, id, body] of GENERAL) {
  test(`${name} ${JSON.stringify(args).slice(0, 40)}: ends with the general response`, async () => {
    const { gateway, app } = await scene()
    const terminal = Terminal.online(gateway)
    app.take()
    command(app, name, args)
    const [frame = assert.fail()] = terminal.peer.take()
    assert.equal(hex(frame).slice(2, 6), id)
    // flag, header of 12; check code, flag
    assert.equal(hex(frame).slice(26, -4), body)
    terminal.send(
      terminal.frame({
        type: 'terminal-response',
        body: { seq: 1, id: Number.parseInt(id, 16), result: 0, extra_raw: undefined },
      }),
    )
    assert.deepEqual(
      responses(app).map(({ ok, result }) => [ok, result]),
      [[true, {}]],
    )
  })
}

test('messages that nothing comes back for are over when they are sent', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  command(app, 'jt808.8001', { seq: 1, id: 2, result: 4 })
  assert.equal(sent(terminal).header.id, 0x8001)
  assert.deepEqual(
    responses(app).map(({ ok }) => ok),
    [true],
  )
})

test('a terminal of 2011 has no reply to a shot: its general response ends it', async () => {
  const { gateway, app } = await scene()
  const terminal = new Terminal(gateway.connect())
  terminal.send(terminal.register({ edition: '2011' }), terminal.authenticate('any'))
  terminal.read()
  app.take()
  command(app, 'jt808.8801', REPLIES.find(([name]) => name === 'jt808.8801')?.[1])
  terminal.send(terminal.answer(sent(terminal), 0))
  assert.deepEqual(
    responses(app).map(({ ok }) => ok),
    [true],
  )
})

test('a terminal that takes a command is not sent it again; without its reply the deadline ends it', async () => {
  const { world, gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  command(app, 'locate', {}, { timeout_s: 60 })
  terminal.send(terminal.answer(sent(terminal), 0))
  world.advance(59_999)
  assert.deepEqual(terminal.read(), [])
  assert.deepEqual(responses(app), [])
  world.advance(1)
  assert.deepEqual(
    responses(app).map(({ error }) => error?.code),
    ['timeout'],
  )
})

test('where a vehicle says it is when asked, is a location too', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  command(app, 'locate')
  const seq = sent(terminal).header.sn
  terminal.send(terminal.frame({ type: 'location-reply', body: { seq, params: HERE } }))
  const located = app.take().filter(({ topic }) => topic.endsWith('/up/telemetry'))
  assert.deepEqual(
    located.map((received) => (received.json() as { data: unknown }).data),
    [WHERE],
  )
  assert.deepEqual(terminal.read(), [])
})

test('the parts of a long reply are one reply', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  command(app, 'jt808.8700', { command: 8 })
  const seq = sent(terminal).header.sn
  const body = Uint8Array.of(seq >> 8, seq & 0xff, 8, 1, 2, 3, 4)
  terminal.send(
    terminal.raw(0x0700, body.subarray(0, 4), { part: { total: 2, sn: 1 } }),
    terminal.raw(0x0700, body.subarray(4), { part: { total: 2, sn: 2 } }),
  )
  assert.deepEqual(
    responses(app).map(({ result }) => result),
    [{ command: 8, data: 'AQIDBA==' }],
  )
})
