/** What an authenticated terminal sends, and what comes of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { World } from '#testing'
import module from '../index.ts'
import { join, scene, seen } from './scene.ts'
import { Terminal } from './terminal.ts'

for (const phone of ['013812345678', '00000000013812345678']) {
  test(`${phone}: registration, authentication and a report in one chunk`, async () => {
    const { world, gateway, app } = await scene()
    const terminal = new Terminal(gateway.connect(), phone)
    terminal.send(join(terminal.register(), terminal.authenticate('AUTH01'), terminal.location()))
    const [registered, authenticated, located] = terminal.read()
    assert.equal(registered?.type, 'register-response')
    assert.equal(registered?.header.protocol, phone.length === 20 ? 1 : 0)
    assert.deepEqual(authenticated?.body, { seq: 1, id: 0x0102, result: 0, extra_raw: undefined })
    assert.deepEqual(located?.body, { seq: 2, id: 0x0200, result: 0, extra_raw: undefined })
    assert.deepEqual(
      [registered, authenticated, located].map((message) => message?.header.sn),
      [0, 1, 2],
    )
    assert.deepEqual(seen(app), ['online', 'registered', 'authenticated', 'location'])
    assert.equal(world.faults(), 0)
  })

  test(`${phone}: the same octet by octet`, async () => {
    const { gateway, app } = await scene()
    const terminal = new Terminal(gateway.connect(), phone)
    for (const octet of join(terminal.register(), terminal.authenticate('AUTH01'), terminal.location()))
      terminal.send(Uint8Array.of(octet))
    assert.equal(terminal.read().length, 3)
    assert.deepEqual(seen(app), ['online', 'registered', 'authenticated', 'location'])
  })
}

test('the envelope of a report says what the contract says', async () => {
  const { world, gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  terminal.send(terminal.location({ alarm: 0x3, extras: Uint8Array.of(0x01, 4, 0, 0, 0x30, 0x39, 0x82, 1, 0xfe) }))
  const [received] = app.take()
  assert.equal(received?.topic, 'devices/013812345678/up/telemetry')
  assert.equal(received?.qos, 1)
  assert.deepEqual(received?.json(), {
    v: 1,
    ts: world.now(),
    device: '013812345678',
    protocol: 'jt808',
    gateway: 'jt808',
    type: 'location',
    data: {
      lat: 31.230416,
      lon: 121.473701,
      alt_m: 12,
      speed_kmh: 61.4,
      heading_deg: 178,
      time: '2026-11-22T08:00:00Z',
      alarms: ['emergency', 'overspeed'],
      status: ['acc-on', 'positioned'],
    },
    native: {
      header: { msg_id: 512, encrypt: 0, len: 37, phone: '013812345678', msg_sn: 1 },
      body: {
        alarm: 3,
        status: 3,
        latitude: 31_230_416,
        longitude: 121_473_701,
        altitude: 12,
        speed: 614,
        direction: 178,
        time: '261122160000',
        extra: { mileage: 12_345, '130': 'fe' },
      },
    },
  })
})

test('`native: false` leaves the full decode out', async () => {
  const { gateway, app } = await scene({ native: false })
  const terminal = Terminal.online(gateway)
  app.take()
  terminal.send(terminal.location())
  const [received] = app.take()
  assert.equal(received?.text.includes('native'), false)
})

test('a report that nobody wants is acknowledged', async () => {
  const world = new World()
  const gateway = await world.gateway(module)
  const terminal = Terminal.online(gateway)
  terminal.send(terminal.location())
  assert.deepEqual(terminal.results(), [[0x0200, 0]])
})

test('a report that the broker refuses is answered with a failure, and may come again', async () => {
  let allowed = false
  const access = {
    authenticate: () => ({ ok: true }) as const,
    authorize: (_: unknown, action: string) => action !== 'publish' || allowed,
  }
  const { gateway, app } = await scene({}, new World({ access }))
  const terminal = Terminal.online(gateway)
  app.take()
  const report = terminal.location()
  terminal.send(report)
  assert.deepEqual(terminal.results(), [[0x0200, 1]])
  allowed = true
  terminal.send(report)
  assert.deepEqual(terminal.results(), [[0x0200, 0]])
  assert.deepEqual(seen(app), ['location'])
})

test('events carry what the terminal said of itself, without the code', async () => {
  const { gateway, app } = await scene()
  const terminal = new Terminal(gateway.connect(), '00000000013812345678')
  terminal.send(terminal.register({ manufacturer: 'MAKER000001' }), terminal.authenticate('SECRET'))
  const events = app
    .take()
    .filter((received) => received.topic.endsWith('/up/event'))
    .map((received) => received.json() as { type: string; data: unknown; native: { body: unknown } })
  assert.deepEqual(
    events.map(({ type, data }) => ({ type, data })),
    [
      {
        type: 'registered',
        data: {
          edition: '2019',
          province: 31,
          city: 115,
          manufacturer: 'MAKER000001',
          model: 'MODEL-A',
          terminal_id: 'ID00001',
          plate_color: 1,
          plate: '沪B12345',
        },
      },
      { type: 'authenticated', data: { imei: '123456789012345', software_version: 'V1.0.0' } },
    ],
  )
  assert.equal(JSON.stringify(events).includes('SECRET'), false)
})

test('a heartbeat is acknowledged', async () => {
  const { gateway } = await scene()
  const terminal = Terminal.online(gateway)
  terminal.send(terminal.heartbeat())
  assert.deepEqual(terminal.results(), [[0x0002, 0]])
})

test('a repeated frame is acknowledged again and not published again', async () => {
  const { world, gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  const report = terminal.location()
  terminal.send(report, report)
  assert.deepEqual(terminal.results(), [
    [0x0200, 0],
    [0x0200, 0],
  ])
  assert.deepEqual(seen(app), ['location'])
  assert.equal(world.counters().get('duplicate'), 1)
})

test('a device that never counts its serial numbers does not repeat itself', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  for (const speed of [100, 200]) {
    const body = { alarm: 0, status: 3, latitude: 1, longitude: 1, altitude: 0, speed, direction: 0, time: '261122160000' }
    terminal.send(terminal.frame({ type: 'location', body: { ...body, extras: new Uint8Array(0) } }, { sn: 7 }))
  }
  assert.deepEqual(seen(app), ['location', 'location'])
})

test('what is not decoded is answered as unsupported and published as it is', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  const frame = terminal.raw(0x0f00, Uint8Array.of(0x41, 0xca, 0xfe))
  terminal.send(frame, frame)
  assert.deepEqual(terminal.results(), [
    [0x0f00, 3],
    [0x0f00, 3],
  ])
  const received = app.take().map((one) => one.json() as { type: string; data: unknown; native: { body: unknown } })
  assert.equal(received.length, 1, 'once, however often it is repeated')
  const [{ type, data, native } = assert.fail()] = received
  assert.equal(type, 'unknown')
  assert.deepEqual(data, { id: '0x0f00', hex: '41cafe' })
  assert.deepEqual(native.body, { unknown_id: true, data: '41cafe' })
})

test('an encrypted message is answered as unsupported and published as it is', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  terminal.send(terminal.raw(0x0200, Uint8Array.of(1, 2), { encryption: 1 }))
  assert.deepEqual(terminal.results(), [[0x0200, 3]])
  assert.deepEqual(seen(app), ['unknown'])
})

test('a body that is too short is answered as a bad message', async () => {
  const { world, gateway } = await scene()
  const terminal = Terminal.online(gateway)
  terminal.send(terminal.raw(0x0200, new Uint8Array(27)))
  assert.deepEqual(terminal.results(), [[0x0200, 2]])
  assert.equal(world.malformed().get('bad-body'), 1)
})

test('a platform message is not answered', async () => {
  const { world, gateway } = await scene()
  const terminal = Terminal.online(gateway)
  terminal.send(terminal.frame({ type: 'platform-response', body: { seq: 0, id: 0x0200, result: 0, extra_raw: undefined } }))
  assert.deepEqual(terminal.read(), [])
  assert.equal(world.counters().get('unexpected-message'), 1)
})
