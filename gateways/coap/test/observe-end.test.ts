/** How observations end, and what keeps them: RFC 7641 3.6, 4.2, 4.5. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CON, GET, NON } from '#stacks/coap/codes'
import { ACCEPT, uintOption } from '#stacks/coap/options'
import { type TestGateway, World, type WorldOptions } from '#testing'
import coap from '../index.ts'
import { Device, newer, observe } from './device.ts'

const RETRANSMISSIONS_OVER_MS = 93_000 // RFC 7252 4.8.2 MAX_TRANSMIT_WAIT

async function start(config: object = {}, options: WorldOptions = {}) {
  const world = new World(options)
  const gateway = await world.gateway(coap, config)
  return { world, gateway, app: world.app('app'), device: new Device(gateway) }
}

test('Observe 1 ends the observation and returns the value', async () => {
  const { world, app, device } = await start()
  observe(device, '/ps/a?c=d1')
  const ended = device.ask({ code: GET, uri: '/ps/a?c=d1', observe: 1, token: 'ob' })
  assert.deepEqual([ended.code, ended.observe], ['2.05', undefined])
  app.publish('a', 'x')
  assert.deepEqual(device.got(), [])
  assert.equal(world.core.client('d1')?.subscriptionCount, 0)
})

test('Observe 1 with a new token ends what its client observes there', async () => {
  const { app, device } = await start()
  observe(device, '/ps/a?c=d1')
  device.ask({ code: GET, uri: '/ps/a?c=d1', observe: 1, token: 'zz' })
  app.publish('a', 'x')
  assert.deepEqual(device.got(), [])
})

test('a plain GET does not end an observation', async () => {
  const { app, device } = await start()
  observe(device, '/ps/a')
  device.ask({ code: GET, uri: '/ps/a' })
  app.publish('a', 'x')
  assert.equal(device.one().text, 'x')
})

test('a reset of a CON notification ends the observation', async () => {
  const { world, app, device } = await start()
  observe(device, '/ps/a?c=d1')
  app.publish('a', 'x', { qos: 1 })
  device.reset(device.one().messageId)
  app.publish('a', 'y', { qos: 1 })
  assert.deepEqual(device.got(), [])
  assert.equal(world.core.client('d1')?.subscriptionCount, 0)
  assert.equal(world.counters().get('observation-ended-reset'), 1)
  assert.equal(world.counters().get('nack-notification-reset'), 1)
})

test('a reset of a NON notification ends the observation', async () => {
  const { app, device } = await start()
  observe(device, '/ps/a')
  app.publish('a', 'x')
  device.reset(device.one().messageId)
  app.publish('a', 'y')
  assert.deepEqual(device.got(), [])
})

test('a device that never acknowledges loses the observation, and the failure is counted', async () => {
  const { world, app, device } = await start()
  observe(device, '/ps/a?c=d1')
  app.publish('a', 'x', { qos: 1 })
  app.publish('a', 'y', { qos: 1 })
  world.advance(RETRANSMISSIONS_OVER_MS)
  assert.equal(device.got().length, 5, 'sent once and repeated four times')
  app.publish('a', 'z', { qos: 1 })
  assert.deepEqual(device.got(), [])
  assert.equal(world.core.client('d1')?.subscriptionCount, 0)
  assert.equal(world.counters().get('observation-ended-timeout'), 1)
  assert.equal(world.counters().get('nack-unreachable'), 2)
})

test('registering again with the same token refreshes; with another target it replaces', async () => {
  const { world, app, device } = await start()
  const first = observe(device, '/ps/a?c=d1')
  world.advance(10)
  const again = observe(device, '/ps/a?c=d1')
  assert.ok(newer(again, first))
  app.publish('a', '1')
  assert.equal(device.one().text, '1')
  observe(device, '/ps/b?c=d1')
  app.publish('a', '2')
  app.publish('b', '3')
  assert.equal(device.one().text, '3')
  assert.equal(world.core.client('d1')?.subscriptionCount, 1)
})

test('what the observer cannot accept ends the observation with 4.06', async () => {
  const { app, device } = await start()
  observe(device, '/ps/a', { options: [uintOption(ACCEPT, 50)] })
  app.publish('a', '{}', { properties: { contentType: 'application/json' } })
  assert.deepEqual([device.one().format], [50])
  app.publish('a', 'x', { properties: { contentType: 'text/plain' } })
  const last = device.one()
  assert.deepEqual([last.code, last.observe], ['4.06', undefined])
  app.publish('a', '{}', { properties: { contentType: 'application/json' } })
  if (last.type === CON) device.ack(last.messageId)
  assert.deepEqual(device.got(), [])
})

test('after a long silence a QoS 0 notification asks whether the observer is still there', async () => {
  const { world, app, device } = await start({ confirmAfter: '1h' })
  observe(device, '/ps/a')
  app.publish('a', '1')
  assert.equal(device.one().type, NON)
  world.advance(3_600_000)
  app.publish('a', '2')
  const check = device.one()
  assert.equal(check.type, CON)
  device.ack(check.messageId)
  app.publish('a', '3')
  assert.equal(device.one().type, NON)
})

test('a client with observations outlives the idle timeout, but not the observer timeout', async () => {
  const { world, device } = await start({ idleTimeout: '1m', maxIdle: '10m' })
  observe(device, '/ps/a?c=d1')
  world.advance(599_000)
  assert.equal(world.core.client('d1')?.connected, true)
  world.advance(2000)
  assert.equal(world.core.client('d1')?.connected ?? false, false)
  const last = device.got()[0]
  assert.deepEqual([last?.code, last?.observe], ['5.03', undefined])
  assert.match(last?.text ?? '', /idle/)
})

test('an acknowledged notification is a sign of life', async () => {
  const { world, app, device } = await start({ idleTimeout: '1m', maxIdle: '10m' })
  observe(device, '/ps/a?c=d1')
  for (let i = 0; i < 4; i++) {
    world.advance(500_000)
    app.publish('a', 'x', { qos: 1 })
    device.ack(device.one().messageId)
  }
  assert.equal(world.core.client('d1')?.connected, true)
})

test('a shutdown tells the observers', async () => {
  const { gateway, device }: { gateway: TestGateway; device: Device } = await start()
  observe(device, '/ps/a')
  await gateway.close()
  const last = device.one()
  assert.equal(last.code, '5.03')
  assert.match(last.text, /shutting down/)
})

test('after so many QoS 0 notifications in a row one asks, and holds up the others until it is answered', async () => {
  const { world, app, device } = await start({ confirmEvery: 3 })
  observe(device, '/ps/a?c=d1')
  for (let i = 1; i <= 6; i++) app.publish('a', String(i))
  const got = device.got()
  assert.deepEqual(
    got.map(({ type, text }) => [type, text]),
    [
      [NON, '1'],
      [NON, '2'],
      [NON, '3'],
      [CON, '4'],
    ],
  )
  device.ack(got[3]?.messageId ?? 0)
  assert.deepEqual(
    device.got().map(({ type, text }) => [type, text]),
    [
      [NON, '5'],
      [NON, '6'],
    ],
  )
  assert.equal(world.core.client('d1')?.unacknowledged, 0)
})

test('observations are counted, and shown with what went out', async () => {
  const { world, gateway, app, device } = await start()
  observe(device, '/ps/a?c=d1')
  observe(device, '/ps/b/+?c=d1&qos=0', { token: 'o2' })
  app.publish('a', '1', { qos: 1 })
  app.publish('a', '2', { qos: 1 })
  device.ack(device.one().messageId)
  const [host] = gateway.runtime.hosts
  assert.deepEqual(host?.describe(), { clients: 1, observations: 2, transfers: 0 })
  const shown = (world.core.client('d1')?.ref as typeof host)?.describe()
  assert.deepEqual(shown, {
    mode: 'connectionless',
    observations: [
      { filter: 'a', qos: 1, token: '6f62', notified: 1, unsettled: 1 },
      { filter: 'b/+', qos: 0, token: '6f32', notified: 0, unsettled: 0 },
    ],
    commands: 0,
  })
  device.ack(device.one().messageId)
  observe(device, '/ps/a?c=d1', { observe: 1 })
  world.core.kick('d1')
  const counters = world.counters()
  assert.equal(counters.get('observation-added'), 2)
  assert.equal(counters.get('observation-ended-cancelled'), 1)
  assert.equal(counters.get('observation-ended-closed'), 1)
})
