/** The short form of the unified topics: `/up/telemetry`, `/up/event`, `/up/data`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CON, NON, POST, PUT } from '#stacks/coap/codes'
import { CONTENT_FORMAT, uintOption } from '#stacks/coap/options'
import { World } from '#testing'
import coap from '../index.ts'
import { Device, nextJson } from './device.ts'

async function start() {
  const world = new World()
  const gateway = await world.gateway(coap, {}, { name: 'meters' })
  const app = world.app('app')
  for (const leaf of ['telemetry', 'event', 'data']) app.subscribe(`devices/+/up/${leaf}`, { qos: 1 })
  const device = new Device(gateway)
  const send = (kind: string, payload: string | Uint8Array, format?: number, type?: typeof CON | typeof NON) => {
    const options = format === undefined ? [] : [uintOption(CONTENT_FORMAT, format)]
    return device.ask({ code: POST, uri: `/up/${kind}?clientid=m1`, payload, options, ...(type !== undefined && { type }) })
  }
  return { world, app, device, send }
}

test('telemetry is wrapped into the envelope', async () => {
  const { world, app, send } = await start()
  assert.equal(send('telemetry', '{"temperature_c":21.5,"humidity_pct":40}', 50).code, '2.04')
  const [message] = app.take()
  assert.deepEqual([message?.topic, message?.qos], ['devices/m1/up/telemetry', 1])
  assert.equal(message?.message.properties?.contentType, 'application/json')
  assert.deepEqual(message?.json(), {
    v: 1,
    ts: world.now(),
    device: 'm1',
    protocol: 'coap',
    gateway: 'meters',
    type: 'measurement',
    data: { values: { temperature_c: 21.5, humidity_pct: 40 } },
  })
})

test('a scalar is the value', async () => {
  const { app, send } = await start()
  for (const [payload, value] of [
    ['21.5', 21.5],
    ['"open"', 'open'],
    ['true', true],
  ] as const) {
    assert.equal(send('telemetry', payload).code, '2.04')
    assert.deepEqual(nextJson<{ data: unknown }>(app).data, { values: { value } })
  }
})

test('telemetry that is no JSON of values is 4.00 with words, and is not published', async () => {
  const { app, send } = await start()
  for (const payload of ['{"t":', 'warm', '[1,2]', 'null', '', Uint8Array.of(0xff, 0xfe)]) {
    const answer = send('telemetry', payload)
    assert.equal(answer.code, '4.00')
    assert.ok(answer.text.length > 10)
  }
  assert.equal(app.take().length, 0)
})

test('another format is 4.15 and says which ones are read', async () => {
  const { send } = await start()
  const answer = send('telemetry', Uint8Array.of(0xa0), 60)
  assert.equal(answer.code, '4.15')
  assert.match(answer.text, /JSON \(50\).*cbor/)
})

test('what is an envelope already passes, under its sender’s true name', async () => {
  const { world, app, send } = await start()
  const envelope = {
    v: 1,
    device: 'somebody',
    gateway: 'else',
    type: 'location',
    data: { lat: 31.2, lon: 121.4 },
    native: { raw: 1 },
  }
  send('telemetry', JSON.stringify(envelope))
  assert.deepEqual(nextJson(app), { ...envelope, ts: world.now(), device: 'm1', protocol: 'coap', gateway: 'meters' })
  send('event', JSON.stringify({ ...envelope, ts: 5 }))
  assert.equal(nextJson<{ ts: number }>(app).ts, 5)
})

test('an event names itself, or is an `event`', async () => {
  const { app, send } = await start()
  const event = (payload: string) => {
    assert.equal(send('event', payload).code, '2.04', payload)
    const message = app.take()[0] ?? assert.fail('no event')
    assert.equal(message.topic, 'devices/m1/up/event')
    const { type, data } = message.json() as { type: string; data: unknown }
    return { type, data }
  }
  assert.deepEqual(event('{"type":"door-open","door":2}'), { type: 'door-open', data: { door: 2 } })
  assert.deepEqual(event('{"type":"door-open","data":{"door":2}}'), { type: 'door-open', data: { door: 2 } })
  assert.deepEqual(event('{"door":2}'), { type: 'event', data: { door: 2 } })
  assert.deepEqual(event('7'), { type: 'event', data: { value: 7 } })
  assert.deepEqual(event('door open'), { type: 'event', data: { value: 'door open' } })
  assert.equal(send('event', '[1]').code, '4.00')
  assert.equal(send('event', '').code, '4.00')
})

test('data goes through as it is', async () => {
  const { app, send } = await start()
  const bytes = Uint8Array.of(0, 255, 128)
  assert.equal(send('data', bytes, 42, NON).code, '2.04')
  const [message] = app.take()
  assert.deepEqual([message?.topic, message?.qos, [...(message?.payload ?? [])]], ['devices/m1/up/data', 0, [...bytes]])
  assert.equal(message?.message.properties?.contentType, 'application/octet-stream')
})

test('PUT works as POST, and the client id is encoded in the topic', async () => {
  const { app, device } = await start()
  assert.equal(device.ask({ code: PUT, uri: '/up/telemetry?c=a%2Fb', payload: '1' }).code, '2.04')
  assert.equal(app.take()[0]?.topic, 'devices/a%2Fb/up/telemetry')
})

test('without a client id there is no topic: 4.00', async () => {
  const { device } = await start()
  for (const kind of ['telemetry', 'event', 'data']) {
    const answer = device.ask({ code: POST, uri: `/up/${kind}`, payload: '1' })
    assert.equal(answer.code, '4.00')
    assert.match(answer.text, /clientid is required/)
  }
})

test('the mountpoint does not move a device’s own topics', async () => {
  const world = new World()
  const gateway = await world.gateway(coap, {}, { mountpoint: 'site/${clientid}/' })
  const app = world.app('app')
  app.subscribe('devices/m1/up/telemetry')
  app.subscribe('site/#')
  const device = new Device(gateway)
  device.ask({ code: POST, uri: '/up/telemetry?c=m1', payload: '1' })
  device.ask({ code: POST, uri: '/ps/t?c=m1', payload: '1' })
  assert.deepEqual(
    app.take().map(({ topic }) => topic),
    ['devices/m1/up/telemetry', 'site/m1/t'],
  )
})
