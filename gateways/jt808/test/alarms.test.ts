/** Alarms as events: once when they begin, once when they end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex } from '#bytes/hex'
import { type AppClient, World } from '#testing'
import { scene } from './scene.ts'
import { HERE, Terminal } from './terminal.ts'

const EMERGENCY = 1
const OVERSPEED = 2

/** `began`, `ended` of each alarm since the last take. */
function alarms(app: AppClient): unknown[] {
  return app
    .take()
    .map((received) => received.json() as { type: string; data: { began: string[]; ended: string[] } })
    .filter(({ type }) => type === 'alarm')
    .map(({ data }) => [data.began, data.ended])
}

test('an alarm is an event when it begins and when it ends, and not in between', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  for (const [alarm, expected] of [
    [0, []],
    [OVERSPEED, [[['overspeed'], []]]],
    [OVERSPEED, []],
    [OVERSPEED | EMERGENCY, [[['emergency'], []]]],
    [EMERGENCY, [[[], ['overspeed']]]],
    [0x80000000, [[['illegal-door-opening'], ['emergency']]]],
    [0, [[[], ['illegal-door-opening']]]],
  ] as const) {
    app.take()
    const frame = terminal.location({ alarm })
    terminal.send(frame, frame)
    assert.deepEqual(alarms(app), expected)
    assert.deepEqual(terminal.results(), [
      [0x0200, 0],
      [0x0200, 0],
    ])
  }
})

test('the event says where, and in full', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  terminal.send(terminal.location({ alarm: OVERSPEED }))
  const event = app.take().find(({ topic }) => topic === 'devices/013812345678/up/event') ?? assert.fail()
  const { type, data, native } = event.json() as {
    type: string
    data: { location: { lat: number; alarms: string[] } }
    native: { header: { msg_id: number } }
  }
  assert.deepEqual([type, data.location.lat, data.location.alarms], ['alarm', 31.230416, ['overspeed']])
  assert.equal(native.header.msg_id, 0x0200)
})

test('what could not be sent at its time has its own alarms; a normal batch goes on from the last report', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  const points = [HERE, { ...HERE, alarm: OVERSPEED }]
  terminal.send(terminal.location({ alarm: EMERGENCY }))
  app.take()
  terminal.send(terminal.frame({ type: 'location-batch', body: { type: 1, location: points } }))
  assert.deepEqual(alarms(app), [[['overspeed'], []]])
  terminal.send(terminal.location({ alarm: EMERGENCY }))
  assert.deepEqual(alarms(app), [])
  terminal.send(terminal.frame({ type: 'location-batch', body: { type: 0, location: points } }))
  assert.deepEqual(alarms(app), [
    [[], ['emergency']],
    [['overspeed'], []],
  ])
})

/** 0x67: alarm 77 begins, type 3, 60 km/h, 50 m, where and when, ACC, and what identifies it. */
const BSD =
  '0000004d0103' + '3c0032' + '0157fb6a06cc62a2' + '261122130501' + '0001' + '5445524d303031' + '261122130501' + '010200'

test('an alarm of active safety is an event each time it is reported; one that is not as its table says is none', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  const extras = fromHex(`300109${'6729'}${BSD}`) ?? assert.fail()
  for (let time = 0; time < 2; time++) {
    terminal.send(terminal.location({ extras }))
    const [event] = app
      .take()
      .map((received) => received.json() as { type: string; data: Record<string, unknown> })
      .filter(({ type }) => type === 'alarm')
    const bsd = event?.data['bsd'] as { alarm_id: number; alarm_identifier: { terminal_id: string } }
    assert.deepEqual([bsd.alarm_id, bsd.alarm_identifier.terminal_id], [77, 'TERM001'])
    assert.deepEqual([event?.data['began'], event?.data['adas']], [[], undefined])
  }
  for (const hex of ['67020000', '6729', '64']) {
    terminal.send(terminal.location({ extras: fromHex(hex) ?? assert.fail() }))
    assert.deepEqual(alarms(app), [], hex)
  }
})

test('a report is acknowledged when the broker has accepted its alarm, too; sent again, it tells the alarm again', async () => {
  let refusals = 1
  const access = {
    authenticate: () => ({ ok: true }) as const,
    authorize: (_: unknown, action: string, topic: string) =>
      !(action === 'publish' && topic.endsWith('event') && refusals-- > 0),
  }
  const world = new World({ access })
  const { gateway, app } = await scene({ topics: ['unified'] }, world)
  const terminal = new Terminal(gateway.connect())
  terminal.send(terminal.authenticate('any'))
  terminal.read()
  refusals = 1
  app.take()
  const frame = terminal.location({ alarm: OVERSPEED })
  terminal.send(frame, frame)
  assert.deepEqual(terminal.results(), [
    [0x0200, 1],
    [0x0200, 0],
  ])
  assert.deepEqual(alarms(app), [[['overspeed'], []]])
})
