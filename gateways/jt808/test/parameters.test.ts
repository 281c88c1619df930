/** Terminal parameters that hold several values: octets to members by name, and back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex } from '#bytes/hex'
import { parameterNamed, parameterOf } from '../codec/bodies/parameter-table.ts'
import { namedParameters, takeParameter } from '../codec/bodies/parameters.ts'
import type { Intake } from '../codec/declare/field.ts'
import { explain, readMessage } from '../codec/index.ts'
import { scene } from './scene.ts'
import { Terminal } from './terminal.ts'

const octets = (hex: string): Uint8Array => fromHex(hex.replaceAll(' ', '')) ?? assert.fail(hex)

/** Encoding to kilobits of live and of stored video, and what the picture shows. */
const VIDEO_HEX = '00 05 0019 19 00000800 01 06 0032 0f 00001000 007f'
const VIDEO = {
  rt_encode: 0,
  rt_resolution: 5,
  rt_key_interval: 25,
  rt_fps: 25,
  rt_kbps: 2048,
  st_encode: 1,
  st_resolution: 6,
  st_key_interval: 50,
  st_fps: 15,
  st_kbps: 4096,
  osd: 0x7f,
}

/** Speed threshold to event flags, the same in 0xf364 and 0xf365. */
const GENERAL_HEX = '1e 06 02 003c 00c8 03 02 01 04 00010fff 00000003'
const GENERAL = {
  speed_threshold_kmh: 30,
  volume: 6,
  photo_strategy: 2,
  timed_photo_interval_s: 60,
  distance_photo_interval_m: 200,
  photos: 3,
  photo_interval_ds: 2,
  photo_resolution: 1,
  video_resolution: 4,
  alarm_enable: 0x10fff,
  event_enable: 3,
}
const ALARM_HEX = '32 05 03 02'
const ALARM = { level_speed_kmh: 50, video_s: 5, photos: 3, photo_interval_ds: 2 }

const ADAS_HEX = `${GENERAL_HEX} 00 1e ${ALARM_HEX} 3c 05 ${ALARM_HEX} ${ALARM_HEX} 1b ${ALARM_HEX} 1c 28 050302 1d ${ALARM_HEX} 03 02`
const ADAS = {
  ...GENERAL,
  reserved: '00',
  obstacle: { distance_threshold_ds: 30, ...ALARM },
  lane_change: { window_s: 60, times: 5, ...ALARM },
  lane_departure: ALARM,
  forward_collision: { time_threshold_ds: 27, ...ALARM },
  pedestrian: { time_threshold_ds: 28, enable_speed_kmh: 40, video_s: 5, photos: 3, photo_interval_ds: 2 },
  headway: { distance_threshold_ds: 29, ...ALARM },
  road_sign: { photos: 3, photo_interval_ds: 2 },
}

const DSM_HEX = `${GENERAL_HEX} 00b4 0078 000000 ${ALARM_HEX} ${ALARM_HEX} ${ALARM_HEX} ${ALARM_HEX} ${ALARM_HEX} 01`
const DSM = {
  ...GENERAL,
  smoking_window_s: 180,
  phone_window_s: 120,
  reserved: '000000',
  fatigue: ALARM,
  phone: ALARM,
  smoking: ALARM,
  distraction: ALARM,
  abnormal: ALARM,
  identity_trigger: 1,
}

/** Name, octets as the tables count them, members. */
const CASES: readonly (readonly [name: string, hex: string, members: object])[] = [
  ['illegal_driving_period', '16320a1e', { start_hour: 22, start_minute: 50, end_hour: 10, end_minute: 30 }],
  ['av_parameters', `${VIDEO_HEX} 01`, { ...VIDEO, audio_enable: 1 }],
  [
    'av_channels',
    '01 00 01 01 01 00 00 02 25 02 01',
    {
      av_count: 1,
      a_count: 0,
      v_count: 1,
      channels: [
        { physical: 1, logical: 1, type: 0, has_ptz: 0 },
        { physical: 2, logical: 37, type: 2, has_ptz: 1 },
      ],
    },
  ],
  [
    'channel_video',
    `02 01 ${VIDEO_HEX} 02 ${VIDEO_HEX}`,
    {
      channels: [
        { channel: 1, ...VIDEO },
        { channel: 2, ...VIDEO },
      ],
    },
  ],
  ['alarm_recording', '14 05 01', { storage_pct: 20, duration_min: 5, lead_min: 1 }],
  ['image_analysis', '32 5a', { passenger_limit: 50, fatigue_threshold: 90 }],
  [
    'wake_up',
    '03 01 1f 01 0830 1700 0000 0000 0000 0000 0000 0000',
    {
      mode: 3,
      condition: 1,
      weekdays: 0x1f,
      enable: 1,
      periods: [{ wake: '0830', close: '1700' }, ...Array.from({ length: 3 }, () => ({ wake: '0000', close: '0000' }))],
    },
  ],
  ['0x0110', '000003e8 c0001234', { period_ms: 1000, can: { id: 0x1234, data_method: 0, frame_type: 1, channel: 1 } }],
  ['adas', `${ADAS_HEX} 00000000`, { ...ADAS, reserved_end: '00000000' }],
  [
    'adas',
    `${ADAS_HEX} ${ALARM_HEX} 28 0000`,
    { ...ADAS, solid_line: ALARM, aisle_pedestrian: { level_speed_kmh: 40 }, reserved_end: '0000', form: 'guangdong' },
  ],
  ['dsm', `${DSM_HEX} 0000`, { ...DSM, reserved_end: '0000' }],
  [
    'dsm',
    `${DSM_HEX} 28 ${ALARM_HEX} ${ALARM_HEX} ${ALARM_HEX} ${ALARM_HEX}`,
    {
      ...DSM,
      lens_covered: { level_speed_kmh: 40 },
      no_belt: ALARM,
      infrared_glasses: ALARM,
      hands_off: ALARM,
      plays_with_phone: ALARM,
      form: 'guangdong',
    },
  ],
  [
    'tpms',
    '3930305232300000000000 00 0002 008c 0014 0005 006e 00b4 0050 000a 003c 000000000000',
    {
      tyre_type: '900R20',
      pressure_unit: 2,
      pressure: 140,
      imbalance_pct: 20,
      slow_leak_pct: 5,
      low_pressure: 110,
      high_pressure: 180,
      high_temperature_c: 80,
      low_battery_pct: 10,
      report_interval_s: 60,
      reserved: '000000000000',
    },
  ],
  ['bsd', '02 03', { rear_threshold_s: 2, side_rear_threshold_s: 3 }],
]

const OCTETS: Readonly<Record<string, number>> = { av_parameters: 21, wake_up: 20, tpms: 36 }

for (const [at, [name, hex, members]] of CASES.entries()) {
  test(`${name} (${at}): members by name, and the same octets again`, () => {
    const parameter = parameterNamed(name) ?? assert.fail(name)
    const value = octets(hex)
    assert.equal(value.length, OCTETS[name] ?? value.length)
    assert.deepEqual(namedParameters([{ id: parameter.id, value }]), { [parameter.name]: members })
    const intake: Intake = { form: '2013', faults: [] }
    assert.equal(toHex(takeParameter(parameter.id, members, 'value', intake).value as Uint8Array), toHex(value))
    assert.equal(
      toHex(takeParameter(parameter.id, Buffer.from(value).toString('base64'), 'value', intake).value as Uint8Array),
      toHex(value),
    )
    assert.deepEqual(intake.faults, [])
  })
}

test('the reserved octets of active safety may be left out', () => {
  for (const [id, members, hex] of [
    [0xf364, ADAS, `${ADAS_HEX} 00000000`],
    [0xf365, DSM, `${DSM_HEX} 0000`],
  ] as const) {
    const { reserved: _, ...named } = members
    const taken = takeParameter(id, named, 'value', { form: '2013', faults: [] })
    assert.equal(toHex(taken.value as Uint8Array), toHex(octets(hex)))
  }
  assert.equal(octets(`${ADAS_HEX} 00000000`).length, 56)
  assert.equal(octets(`${DSM_HEX} 0000`).length, 49)
})

test('the form of Guangdong is told by its members, or by name', () => {
  const { adas } = namedParameters([{ id: 0xf364, value: octets(`${ADAS_HEX} ${ALARM_HEX} 28`) }]) as { adas: object }
  const { form: _, ...members } = adas as { form: string }
  for (const json of [adas, members]) {
    const intake: Intake = { form: '2013', faults: [] }
    const { value } = takeParameter(0xf364, json, 'value', intake)
    assert.deepEqual([toHex(value as Uint8Array), intake.faults], [toHex(octets(`${ADAS_HEX} ${ALARM_HEX} 28`)), []])
  }
  const intake: Intake = { form: '2013', faults: [] }
  takeParameter(0xf364, { ...members, form: 'elsewhere' }, 'value', intake)
  assert.deepEqual(intake.faults, ['value.form: must be guangdong, or left out'])
})

test('octets that are not as their table has them stay octets', () => {
  for (const [id, hex] of [
    [0x75, '0005'],
    [0x75, `${VIDEO_HEX} 01 00`],
    [0x76, '010000 0101'],
    [0x77, `02 01 ${VIDEO_HEX}`],
    [0x7c, '03'],
    [0xf364, GENERAL_HEX],
    [0xf367, '020304'],
    [0x01ff, '00'],
  ] as const) {
    const value = octets(hex)
    assert.deepEqual(namedParameters([{ id, value }]), { [parameterOf(id).name]: Buffer.from(value).toString('base64') })
  }
})

test('a member that is wrong is told by its path', () => {
  const faultsOf = (id: number, json: unknown): readonly string[] => {
    const intake: Intake = { form: '2013', faults: [] }
    takeParameter(id, json, 'value', intake)
    return intake.faults
  }
  assert.deepEqual(faultsOf(0x7b, { passenger_limit: 256, fatigue_threshold: 1 }), [
    'value.passenger_limit: must be a whole number from 0 to 255',
  ])
  assert.deepEqual(faultsOf(0x7b, 'no base64!'), ['value: must be an object, or base64, of at most 255 octets'])
  assert.deepEqual(faultsOf(0x7c, { mode: 1, condition: 0, weekdays: 0, enable: 0, periods: [] }), [
    'value.periods: must have 4 items',
  ])
  assert.deepEqual(faultsOf(0x29, { s: 1 }), ['value: must be a whole number from 0 to 4294967295'])
  assert.deepEqual(faultsOf(0x77, { channels: Array.from({ length: 13 }, (_, channel) => ({ channel, ...VIDEO })) }), [
    'value: must be an object, or base64, of at most 255 octets',
  ])
})

test('parameters are read and written by name; what has members, by theirs', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  const command = (name: string, args: object) =>
    app.publish('devices/013812345678/down/command', JSON.stringify({ id: '1', name, args }), { qos: 1 })
  command('write', { parameters: { alarm_recording: { storage_pct: 20, duration_min: 5, lead_min: 1 }, bsd: 'AgM=' } })
  const { body } = terminal.one('set-parameters')
  assert.deepEqual(
    body.params.map(({ id, value }) => [id, toHex(value as Uint8Array)]),
    [
      [0x79, '140501'],
      [0xf367, '0203'],
    ],
  )
  terminal.send(terminal.frame({ type: 'terminal-response', body: { seq: 1, id: 0x8103, result: 0, extra_raw: undefined } }))
  command('read', { parameters: ['bsd'] })
  const query = terminal.one('parameters-query')
  terminal.send(terminal.frame({ type: 'parameters-reply', body: { seq: query.header.sn, params: body.params } }))
  const results = app
    .take()
    .filter(({ topic }) => topic.endsWith('/up/response'))
    .map((received) => (received.json() as { result: object }).result)
  assert.deepEqual(results, [
    {},
    {
      parameters: {
        alarm_recording: { storage_pct: 20, duration_min: 5, lead_min: 1 },
        bsd: { rear_threshold_s: 2, side_rear_threshold_s: 3 },
      },
    },
  ])
})

test('parameters that nobody asked for are an event with their names; on the wire and for applications of EMQX they are octets', () => {
  const body = octets('0001 01 0000f367 02 0203')
  const header = {
    id: 0x0104,
    length: body.length,
    form: '2013',
    protocol: 0,
    phone: '1',
    sn: 0,
    encryption: 0,
    reserved: 0,
  } as const
  const message = readMessage({ ...header, part: undefined }, body, 0, body.length)
  assert.deepEqual(explain(message), { parameters: { bsd: { rear_threshold_s: 2, side_rear_threshold_s: 3 } } })
})
