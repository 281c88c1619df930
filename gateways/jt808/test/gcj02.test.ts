/** Shifted coordinates: a published pair, the way back, and what is published. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toGcj02, toWgs84 } from '../gcj02.ts'
import { locationData } from '../topics.ts'
import { scene } from './scene.ts'
import { HERE, Terminal } from './terminal.ts'

test('a known place of Beijing', () => {
  const { lat, lon } = toGcj02({ lat: 39.915, lon: 116.404 })
  assert.ok(Math.abs(lat - 39.91640428150164) < 1e-9)
  assert.ok(Math.abs(lon - 116.41024449916938) < 1e-9)
})

test('property: the way there and back ends within a centimetre', () => {
  const place = fc.record({
    lat: fc.double({ min: 3, max: 54, noNaN: true }),
    lon: fc.double({ min: 73, max: 136, noNaN: true }),
  })
  fc.assert(
    fc.property(place, (start) => {
      const back = toWgs84(toGcj02(start))
      // 1e-7 degrees of latitude are 11 mm.
      assert.ok(Math.abs(back.lat - start.lat) < 1e-7 && Math.abs(back.lon - start.lon) < 1e-7)
    }),
  )
})

test('elsewhere nothing is shifted', () => {
  for (const place of [
    { lat: 48.8566, lon: 2.3522 },
    { lat: -33.86, lon: 151.2 },
  ]) {
    assert.equal(toGcj02(place), place)
    assert.equal(toWgs84(place), place)
  }
})

test('a position is published as WGS-84 to the micro-degree, whatever the terminal reports', () => {
  const wgs = { lat: 31.230416, lon: 121.473701 }
  const gcj = toGcj02(wgs)
  const reported = { ...HERE, latitude: Math.round(gcj.lat * 1e6), longitude: Math.round(gcj.lon * 1e6) }
  assert.notEqual(reported.latitude, HERE.latitude)
  const { lat, lon } = locationData(reported, 'gcj02')
  assert.deepEqual({ lat, lon }, wgs)
  assert.equal(locationData({ ...HERE, latitude: 91_000_000 }, 'gcj02')['lat'], undefined)
})

test('reports and replies are converted alike, the full decode is not', async () => {
  const { gateway, app } = await scene({ coordinates: 'gcj02' })
  const terminal = Terminal.online(gateway)
  app.take()
  terminal.send(terminal.location())
  const [report] = app.take().map((received) => received.json() as { data: object; native: { body: { latitude: number } } })
  app.publish('devices/013812345678/down/command', '{"id":"1","name":"locate"}', { qos: 1 })
  const query = terminal.read().at(-1)
  terminal.send(terminal.frame({ type: 'location-reply', body: { seq: query?.header.sn ?? -1, params: HERE } }))
  const response = app.take().find(({ topic }) => topic.endsWith('/up/response'))
  const answer = response?.json() as { result: { location: object } } | undefined
  assert.deepEqual(answer?.result.location, report?.data)
  assert.deepEqual(report?.data, JSON.parse(JSON.stringify(locationData(HERE, 'gcj02'))))
  assert.equal(report?.native.body.latitude, HERE.latitude)
})
