/** Location reports: signs, time, alarms and every extra of the tables. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromHex } from '#bytes/hex'
import { alarmNames } from '../codec/bodies/alarms.ts'
import type { Location } from '../codec/bodies/location.ts'
import { readExtras } from '../codec/bodies/location-extras.ts'
import { utcOf } from '../codec/time.ts'
import { locationData } from '../topics.ts'
import { HERE } from './terminal.ts'

function extras(hex: string): unknown {
  return readExtras(fromHex(hex) as Uint8Array)
}

function data(more: Partial<Location>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(locationData({ ...HERE, ...more })))
}

test('south and west are negative', () => {
  const northEast = { lat: 31.230416, lon: 121.473701 }
  for (const [status, lat, lon] of [
    [0b0010, 1, 1],
    [0b0110, -1, 1],
    [0b1010, 1, -1],
    [0b1110, -1, -1],
  ] as const) {
    const { lat: actualLat, lon: actualLon } = data({ status })
    assert.deepEqual([actualLat, actualLon], [lat * northEast.lat, lon * northEast.lon])
  }
})

test('a negative number from a device that does not know the status bits is negative', () => {
  const { lat, lon } = data({ latitude: 0xff4580f2, longitude: 0xf81b0ee4, status: 2 })
  assert.deepEqual([lat, lon], [-12.222222, -132.444444])
})

test('without a fix zeros are no position, and another position is marked', () => {
  const unknown = data({ status: 0, latitude: 0, longitude: 0 })
  assert.equal('lat' in unknown || 'lon' in unknown, false)
  assert.equal(unknown['positioned'], false)
  const last = data({ status: 1 })
  assert.deepEqual([last['lat'], last['lon'], last['positioned']], [31.230416, 121.473701, false])
  assert.equal('positioned' in data({}), false)
  assert.deepEqual([data({ latitude: 0, longitude: 0 })['lat']], [0], 'with a fix it is the gulf of Guinea')
})

test('what cannot be is unknown', () => {
  const impossible = data({ latitude: 116_307_629, direction: 360, time: '000000000000' })
  for (const key of ['lat', 'lon', 'heading_deg', 'time']) assert.equal(key in impossible, false, key)
})

test('below the sea', () => {
  assert.equal(data({ altitude: 0xfff6 })['alt_m'], -10)
})

test('times are Beijing’s', () => {
  assert.equal(utcOf('261122160000'), '2026-11-22T08:00:00Z')
  assert.equal(utcOf('270101075959'), '2026-12-31T23:59:59Z')
  assert.equal(utcOf('280229000000'), '2028-02-28T16:00:00Z')
})

test('a time that is no decimal number is kept as it is, beside none', () => {
  const { time, time_raw } = locationData({ ...HERE, time: '2611221600fa' })
  assert.deepEqual([time, time_raw], [undefined, '2611221600fa'])
  assert.equal(locationData({ ...HERE, time: '000000000000' })['time_raw'], undefined)
})

test('what is no time is undefined', () => {
  for (const time of [
    '000000000000',
    '261322160000',
    '261100160000',
    '261131160000',
    '270229120000',
    '261122240000',
    '261122166000',
    '261122160060',
    '2611221600a0',
    '26112216',
    '',
  ]) {
    assert.equal(utcOf(time), undefined, time)
  }
})

test('alarms have names, bit 0 first', () => {
  assert.deepEqual(alarmNames(0), [])
  assert.deepEqual(alarmNames(0b11), ['emergency', 'overspeed'])
  assert.deepEqual(alarmNames(0x80000000), ['illegal-door-opening'])
  const all = alarmNames(0xffffffff)
  assert.equal(all.length, 32)
  assert.equal(new Set(all).size, 32)
})

test('every extra of the tables', () => {
  for (const [hex, expected] of [
    ['010400003039', { mileage: 12_345 }],
    ['020201c8', { fuel_meter: 456 }],
    ['03020258', { speed: 600 }],
    ['04020007', { alarm_id: 7 }],
    ['05043220ff00', { tire_pressure: [0x32, 0x20, null, 0] }],
    ['0602ffec', { carriage_temp: -20 }],
    ['110100', { overspeed_alarm: { type: 0 } }],
    ['11050100000042', { overspeed_alarm: { type: 1, id: 0x42 } }],
    ['1206020000004d01', { in_out_alarm: { type: 2, id: 0x4d, direction: 1 } }],
    ['130700000058003c01', { path_time_alarm: { id: 0x58, time: 60, result: 1 } }],
    ['140400000003', { video_alarm: 3 }],
    ['150480000001', { video_lost: [1, 32] }],
    ['160400000006', { video_covered: [2, 3] }],
    ['17029001', { storage_fault: { main: [1], disaster_recovery: [1, 4] } }],
    ['1803000555', { abnormal_driving: { type: 5, fatigue_degree: 85 } }],
    ['18020001', { abnormal_driving: { type: 1 } }],
    ['2a020002', { io_status: { deep_sleep: 0, sleep: 1 } }],
    ['2b0400020001', { analog: { ad0: 1, ad1: 2 } }],
    ['30011f', { rssi: 31 }],
    ['31010c', { gnss_sat_num: 12 }],
    ['e00201ff', { custome: { '224': '01ff' } }],
    ['e10104e20105', { custome: { '225': '04', '226': '05' } }],
    ['640201ff', { '100': '01ff' }],
    ['3300', { '51': '' }],
  ] as const) {
    assert.deepEqual(extras(hex), expected, hex)
  }
})

test('vehicle signals count from the least significant bit', () => {
  const { signal } = extras('250400004009') as { signal: Record<string, number> }
  assert.deepEqual(
    Object.keys(signal).filter((name) => signal[name] === 1),
    ['low_beam', 'left_turn', 'cluth'],
  )
})

test('a known extra of another length is kept as it is', () => {
  assert.deepEqual(extras('0102ffff'), { '1': 'ffff' })
  assert.deepEqual(extras('110342ffff'), { '17': '42ffff' })
})

test('a list that breaks off keeps its remainder, and what came before', () => {
  assert.deepEqual(extras('30011f0104'), { rssi: 31, extra_raw: '0104' })
  assert.deepEqual(extras('30011f010400'), { rssi: 31, extra_raw: '010400' })
  assert.deepEqual(extras('01'), { extra_raw: '01' })
})

test('of a repeated extra the last counts', () => {
  assert.deepEqual(extras('30010130010230010a'), { rssi: 10 })
})

test('property: any octets are extras of some kind', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => assert.equal(typeof readExtras(bytes), 'object')))
})
