/** Messages that are events of their own: published, then answered as the standard says. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { World } from '#testing'
import { type Draft, messageId } from '../codec/index.ts'
import { scene, seen } from './scene.ts'
import { HERE, Terminal } from './terminal.ts'

const bytes = Uint8Array.of(1, 2, 3)

const EVENTS: readonly (readonly [draft: Draft, data: object])[] = [
  [{ type: 'event-report', body: { id: 7 } }, { id: 7 }],
  [
    { type: 'information-demand', body: { id: 2, flag: 1 } },
    { id: 2, flag: 1 },
  ],
  [
    { type: 'upgrade-result', body: { type: 0, result: 1 } },
    { type: 0, result: 1 },
  ],
  [
    { type: 'waybill', body: { data: bytes } },
    { length: 3, data: 'AQID' },
  ],
  [
    { type: 'driver-identity', body: { status: 2, time: '261122160000' } },
    { status: 2, time: '261122160000' },
  ],
  [
    {
      type: 'can-data',
      body: { time: '1600000123', can_data: [{ channel: 1, frame_type: 0, data_method: 0, id: 5, data: new Uint8Array(8) }] },
    },
    { length: 1, time: '1600000123', can_data: [{ channel: 1, frame_type: 0, data_method: 0, id: 5, data: 'AAAAAAAAAAA=' }] },
  ],
  [
    { type: 'media-event', body: { id: 9, type: 0, format: 0, event: 1, channel: 2 } },
    { id: 9, type: 0, format: 0, event: 1, channel: 2 },
  ],
  [
    { type: 'pass-through', body: { type: 0x41, data: bytes } },
    { type: 0x41, data: 'AQID' },
  ],
  [
    { type: 'compressed', body: { data: bytes } },
    { length: 3, data: 'AQID', inflate_error: 'malformed' },
  ],
  [
    { type: 'passengers', body: { start_time: '261122160000', end_time: '261122170000', on: 3, off: 4 } },
    { start_time: '261122160000', end_time: '261122170000', on: 3, off: 4 },
  ],
]

for (const [draft, data] of EVENTS) {
  test(`${draft.type}: published once, acknowledged however often it comes`, async () => {
    const { gateway, app } = await scene()
    const terminal = Terminal.online(gateway)
    app.take()
    const frame = terminal.frame(draft)
    terminal.send(frame, frame)
    assert.deepEqual(terminal.results(), [
      [messageId(draft), 0],
      [messageId(draft), 0],
    ])
    const events = app.take()
    assert.equal(events.length, 1)
    assert.equal(events[0]?.topic, 'devices/013812345678/up/event')
    const { type, data: published } = (events[0] ?? assert.fail()).json() as { type: string; data: object }
    assert.equal(type, draft.type)
    assert.deepEqual(published, data)
  })
}

test('an event that the broker refuses is answered with a failure', async () => {
  const access = {
    authenticate: () => ({ ok: true }) as const,
    authorize: (_: unknown, action: string) => action !== 'publish',
  }
  const { gateway } = await scene({}, new World({ access }))
  const terminal = Terminal.online(gateway)
  terminal.send(terminal.frame({ type: 'waybill', body: { data: bytes } }))
  assert.deepEqual(terminal.results(), [[0x0701, 1]])
})

test('a reply that nobody asked for is an event and not answered', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  terminal.send(terminal.frame({ type: 'shot-reply', body: { seq: 1, result: 1 } }))
  assert.deepEqual(terminal.results(), [])
  assert.deepEqual(seen(app), ['shot-reply'])
})

test('a batch becomes one location a point, and is acknowledged once', async () => {
  const { world, gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  const points = [HERE, { ...HERE, speed: 10, alarm: 2 }, { broken: bytes }, { ...HERE, speed: 20 }]
  terminal.send(terminal.frame({ type: 'location-batch', body: { type: 1, location: points } }))
  assert.deepEqual(terminal.results(), [[0x0704, 0]])
  const locations = app
    .take()
    .filter(({ topic }) => topic.endsWith('/up/telemetry'))
    .map((one) => one.json() as { type: string; data: { speed_kmh: number; alarms: string[] } })
  assert.deepEqual(
    locations.map(({ type, data }) => [type, data.speed_kmh, data.alarms]),
    [
      ['location', 61.4, []],
      ['location', 1, ['overspeed']],
      ['location', 2, []],
    ],
  )
  assert.equal(world.malformed().get('bad-batch-item'), 1)
})

test('a batch of which the broker refuses one point is answered with a failure', async () => {
  let refusals = 1
  const access = {
    authenticate: () => ({ ok: true }) as const,
    authorize: (_: unknown, action: string, topic: string) =>
      !(action === 'publish' && topic.endsWith('telemetry') && refusals-- > 0),
  }
  const { gateway } = await scene({}, new World({ access }))
  const terminal = Terminal.online(gateway)
  terminal.send(terminal.frame({ type: 'location-batch', body: { type: 0, location: [HERE, HERE] } }))
  assert.deepEqual(terminal.results(), [[0x0704, 1]])
})

test('the server’s time is UTC', async () => {
  const { world, gateway } = await scene()
  const terminal = Terminal.online(gateway, '00000000013812345678')
  terminal.send(terminal.frame({ type: 'time-query', body: {} }))
  const { body } = terminal.one('server-time')
  assert.equal(body.time, new Date(world.now()).toISOString().replace(/\D/g, '').slice(2, 14))
})

test('an RSA key is published and refused: bodies are not encrypted', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  terminal.send(terminal.frame({ type: 'terminal-key', body: { e: 65_537, n: new Uint8Array(128) } }))
  assert.deepEqual(terminal.results(), [[0x0a00, 3]])
  assert.deepEqual(seen(app), ['terminal-key'])
})
