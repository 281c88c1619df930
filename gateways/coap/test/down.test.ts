/** Commands down and their answers up: `/down`, `/down/data`, `/up/response`. Every command has exactly one response. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CON, GET, POST } from '#stacks/coap/codes'
import { type AppClient, World, type WorldOptions } from '#testing'
import coap from '../index.ts'
import { Device, type Got, observe } from './device.ts'

const MAX_TRANSMIT_WAIT_MS = 93_000 // RFC 7252 4.8.2

async function start(config: object = {}, options: WorldOptions = {}) {
  const world = new World(options)
  const gateway = await world.gateway(coap, config)
  const app = world.app('app')
  app.subscribe('devices/+/up/response', { qos: 1 })
  const device = new Device(gateway)
  const command = (fields: object) => app.publish('devices/m1/down/command', JSON.stringify(fields), { qos: 1 })
  const answer = (payload: unknown, uri = '/up/response?clientid=m1') =>
    device.ask({ code: POST, uri, payload: JSON.stringify(payload) })
  return { world, gateway, app, device, command, answer }
}

function responses(app: AppClient): unknown[] {
  return app.take().map((message) => message.json())
}

/** The command that the device gets, acknowledged. */
function take(device: Device): Got {
  const got = device.one()
  assert.equal(got.type, CON)
  device.ack(got.messageId)
  return got
}

test('a command comes as a notification, and its answer is the response', async () => {
  const { world, app, device, command, answer } = await start()
  assert.equal(observe(device, '/down?clientid=m1').code, '2.05')
  command({ id: '42', name: 'read', args: { path: '/3/0' } })
  const got = take(device)
  assert.deepEqual(JSON.parse(got.text), { id: '42', name: 'read', args: { path: '/3/0' } })
  assert.equal(got.format, 50)
  assert.deepEqual(responses(app), [])
  assert.equal(answer({ id: '42', ok: true, result: { value: 7 } }).code, '2.04')
  assert.deepEqual(responses(app), [{ id: '42', device: 'm1', ok: true, result: { value: 7 } }])
  assert.equal(world.core.client('m1')?.unacknowledged, 0)
})

test('an answer may say no, and each command is answered once', async () => {
  const { app, device, command, answer } = await start()
  observe(device, '/down?clientid=m1')
  command({ id: 7, name: 'reboot' })
  take(device)
  const error = { code: 'refused', message: 'not now' }
  assert.equal(answer({ id: 7, ok: false, error }).code, '2.04')
  assert.deepEqual(responses(app), [{ id: '7', device: 'm1', ok: false, error }])
  const again = answer({ id: 7, ok: true })
  assert.deepEqual([again.code, again.text], ['4.04', 'no command with this id waits for an answer'])
  assert.deepEqual(responses(app), [])
})

test('an MQTT 5 response topic gets the answer too', async () => {
  const { app, device, answer } = await start()
  app.subscribe('answers/x', { qos: 1 })
  observe(device, '/down?clientid=m1')
  const properties = { responseTopic: 'answers/x', correlationData: Uint8Array.of(1, 2) }
  app.publish('devices/m1/down/command', '{"id":"1","name":"read"}', { qos: 1, properties })
  take(device)
  answer({ id: '1', result: 5 })
  const [unified, other] = app.take()
  assert.deepEqual([unified?.topic, other?.topic], ['devices/m1/up/response', 'answers/x'])
  assert.deepEqual(other?.message.properties?.correlationData, Uint8Array.of(1, 2))
  assert.deepEqual(other?.json(), { id: '1', device: 'm1', ok: true, result: 5 })
})

test('a command that is not answered in time is a timeout', async () => {
  const { world, app, device, command, answer } = await start()
  observe(device, '/down?clientid=m1')
  command({ id: '1', name: 'read', timeout_s: 5 })
  take(device)
  world.advance(6000)
  assert.deepEqual(responses(app), [
    { id: '1', device: 'm1', ok: false, error: { code: 'timeout', message: 'no answer within 5 s' } },
  ])
  assert.equal(answer({ id: '1' }).code, '4.04')
})

test('a device that does not acknowledge is offline, one that rejects has refused', async () => {
  const { world, app, device, command } = await start()
  observe(device, '/down?clientid=m1')
  command({ id: '1', name: 'read', timeout_s: 600 })
  device.one()
  world.advance(MAX_TRANSMIT_WAIT_MS)
  const [unreachable] = responses(app) as { error: { code: string } }[]
  assert.equal(unreachable?.error.code, 'offline')
  device.got()
  observe(device, '/down?clientid=m1')
  command({ id: '2', name: 'read' })
  device.reset(device.one().messageId)
  const [refused] = responses(app) as { error: { code: string } }[]
  assert.equal(refused?.error.code, 'refused')
})

test('who observes no commands takes none; who ends has not answered', async () => {
  const { world, app, device, command } = await start()
  device.ask({ code: POST, uri: '/ps/a?clientid=m1', payload: 'x' })
  command({ id: '1', name: 'read' })
  observe(device, '/down?clientid=m1')
  command({ id: '2', name: 'read' })
  take(device)
  world.core.kick('m1')
  command({ id: '3', name: 'read' })
  assert.deepEqual(
    (responses(app) as { id: string; error: { code: string } }[]).map(({ id, error }) => [id, error.code]),
    [
      ['1', 'unsupported'],
      ['2', 'offline'],
      ['3', 'offline'],
    ],
  )
})

test('what is no command is answered without bothering the device', async () => {
  const { app, device, command } = await start()
  observe(device, '/down?clientid=m1')
  command({ name: 'read' })
  assert.deepEqual(device.got(), [])
  assert.equal((responses(app)[0] as { error: { code: string } }).error.code, 'bad-request')
})

test('several commands of one id, and several observers, are told apart', async () => {
  const { app, device, command, answer } = await start({ transmission: { nstart: 4 } })
  observe(device, '/down?clientid=m1')
  observe(device, '/down?clientid=m1', { token: 'o2' })
  command({ id: '1', name: 'first' })
  const both = device.got()
  assert.deepEqual(both.map(({ token }) => token).sort(), ['o2', 'ob'])
  const [one, two] = both as [Got, Got]
  device.reset(one.messageId)
  device.ack(two.messageId)
  assert.deepEqual(responses(app), [], 'one of them has it')
  command({ id: '1', name: 'second' })
  take(device)
  for (const n of [1, 2]) assert.equal(answer({ id: '1', result: n }).code, '2.04')
  assert.deepEqual(
    (responses(app) as { result: number }[]).map(({ result }) => result),
    [1, 2],
  )
})

test('an answer that cannot be read is 4.00 with words, and the command still waits', async () => {
  const { app, device, command, answer } = await start()
  observe(device, '/down?clientid=m1')
  command({ id: '1', name: 'read' })
  take(device)
  for (const wrong of [null, [], {}, { id: '' }, { id: '1', ok: 'yes' }, { id: '1', ok: false, error: { code: 'x' } }]) {
    const refused = answer(wrong)
    assert.equal(refused.code, '4.00')
    assert.ok(refused.text.length > 10, refused.text)
  }
  assert.equal(device.ask({ code: POST, uri: '/up/response?clientid=m1', payload: Uint8Array.of(0xff) }).code, '4.00')
  assert.equal(device.ask({ code: POST, uri: '/up/response?clientid=m1', payload: '{' }).code, '4.00')
  assert.equal(answer({ id: '1' }).code, '2.04')
  assert.equal(responses(app).length, 1)
})

test('an answer that the broker does not take is not acknowledged', async () => {
  const access = {
    authenticate: () => ({ ok: true as const }),
    authorize: (_: unknown, action: string, topic: string) => action !== 'publish' || !topic.endsWith('up/response'),
  }
  const { app, device, command, answer } = await start({}, { access })
  observe(device, '/down?clientid=m1')
  command({ id: '1', name: 'read' })
  take(device)
  assert.equal(answer({ id: '1' }).code, '4.03')
  assert.deepEqual(responses(app), [])
})

test('commands follow the device to a new address', async () => {
  const { gateway, app, device, command } = await start()
  observe(device, '/down?clientid=m1')
  const moved = new Device(gateway)
  moved.ask({ code: POST, uri: '/up/event?clientid=m1', payload: '"here"' })
  command({ id: '1', name: 'read' })
  take(moved)
  assert.equal(moved.ask({ code: POST, uri: '/up/response?clientid=m1', payload: '{"id":"1"}' }).code, '2.04')
  assert.equal(responses(app).length, 1)
})

test('bytes come down as they are', async () => {
  const { app, device } = await start()
  observe(device, '/down/data?clientid=m1')
  app.publish('devices/m1/down/data', Uint8Array.of(1, 2, 3), { qos: 1 })
  assert.deepEqual([...take(device).message.payload], [1, 2, 3])
})

test('without a name, a token or Observe there is nothing to take; Observe 1 ends it', async () => {
  const { app, device, command } = await start()
  assert.match(observe(device, '/down').text, /clientid is required/)
  assert.equal(observe(device, '/down?clientid=m1', { token: '' }).text, 'observe without token')
  assert.match(device.ask({ code: GET, uri: '/down?clientid=m1' }).text, /observe it/)
  observe(device, '/down?clientid=m1')
  assert.equal(observe(device, '/down?clientid=m1', { observe: 1 }).code, '2.05')
  command({ id: '1', name: 'read' })
  assert.equal((responses(app)[0] as { error: { code: string } }).error.code, 'unsupported')
})
