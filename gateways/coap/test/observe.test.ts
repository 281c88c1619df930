/** Observing topics: RFC 7641 on `/ps`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ACK, CON, GET, NON, POST } from '#stacks/coap/codes'
import { ETAG, opaqueOption } from '#stacks/coap/options'
import { World, type WorldOptions } from '#testing'
import coap from '../index.ts'
import { type Ask, Device, type Got, newer, observe } from './device.ts'

const RETRANSMISSIONS_OVER_MS = 93_000 // RFC 7252 4.8.2 MAX_TRANSMIT_WAIT

async function start(config: object = {}, options: WorldOptions = {}) {
  const world = new World(options)
  const gateway = await world.gateway(coap, config)
  return { world, gateway, app: world.app('app'), device: new Device(gateway) }
}

test('QoS 0 comes as NON, with the token, a growing sequence and the format', async () => {
  const { app, device } = await start()
  const registered = observe(device, '/ps/a?c=d1')
  assert.deepEqual([registered.type, registered.code, registered.text], [ACK, '2.05', ''])
  assert.notEqual(registered.observe, undefined)
  app.publish('a', '1', { properties: { contentType: 'application/json' } })
  app.publish('a', '2')
  const [one, two] = device.got() as [Got, Got]
  assert.deepEqual([one.type, one.code, one.token, one.text, one.format], [NON, '2.05', 'ob', '1', 50])
  assert.ok(newer(one, registered) && newer(two, one))
  assert.notEqual(one.messageId, two.messageId)
})

test('QoS 1 comes as CON and is acknowledged to the broker only when the device has acknowledged', async () => {
  const { world, app, device } = await start()
  observe(device, '/ps/a?c=d1')
  app.publish('a', '1', { qos: 1 })
  const notification = device.one()
  assert.deepEqual([notification.type, notification.text], [CON, '1'])
  const client = world.core.client('d1')
  assert.equal(client?.unacknowledged, 1)
  device.ack(notification.messageId)
  assert.equal(client?.unacknowledged, 0)
})

test('a CON notification is repeated until acknowledged, byte for byte', async () => {
  const { world, app, device } = await start()
  observe(device, '/ps/a')
  app.publish('a', '1', { qos: 1 })
  const [first] = device.peer.take()
  world.advance(3000)
  assert.deepEqual(device.peer.take(), [first])
  world.advance(6000)
  assert.deepEqual(device.peer.take(), [first])
  device.ack(((first?.[2] ?? 0) << 8) | (first?.[3] ?? 0))
  world.advance(100_000)
  assert.deepEqual(device.peer.take(), [])
})

test('one notification is outstanding at a time; the others follow in order', async () => {
  const { app, device } = await start()
  const registered = observe(device, '/ps/a')
  for (const [text, qos] of [
    ['1', 1],
    ['2', 0],
    ['3', 1],
  ] as const)
    app.publish('a', text, { qos })
  const first = device.one()
  assert.equal(first.text, '1')
  device.ack(first.messageId)
  const [second, third] = device.got() as [Got, Got]
  assert.deepEqual([second.type, second.text, third.type, third.text], [NON, '2', CON, '3'])
  assert.ok(newer(first, registered) && newer(second, first) && newer(third, second))
})

test('notifyType decides over QoS', async () => {
  const types = async (notifyType: string) => {
    const { app, device } = await start({ notifyType })
    observe(device, '/ps/a')
    return [0, 1].map((qos) => {
      app.publish('a', 'x', { qos: qos as 0 | 1 })
      const got = device.one()
      if (got.type === CON) device.ack(got.messageId)
      return got.type
    })
  }
  assert.deepEqual(await types('qos'), [NON, CON])
  assert.deepEqual(await types('con'), [CON, CON])
  assert.deepEqual(await types('non'), [NON, NON])
})

test('the subscription QoS is the request type, the query or the configuration', async () => {
  const type = async (config: object, ask: Partial<Parameters<Device['ask']>[0]>, uri = '/ps/a') => {
    const { app, device } = await start(config)
    observe(device, uri, ask)
    app.publish('a', 'x', { qos: 2 })
    return device.one().type
  }
  assert.equal(await type({}, {}), CON)
  assert.equal(await type({}, { type: NON }), NON)
  assert.equal(await type({}, { type: NON }, '/ps/a?qos=2'), CON)
  assert.equal(await type({ subscribeQos: 'qos0' }, {}), NON)
})

test('the retained value comes in the answer and not a second time', async () => {
  const { app, device } = await start()
  app.publish('a', 'now', { retain: true, qos: 1, properties: { utf8: true } })
  const registered = observe(device, '/ps/a')
  assert.deepEqual([registered.code, registered.text, registered.format], ['2.05', 'now', 0])
  assert.deepEqual(device.got(), [])
  app.publish('a', 'later', { retain: true })
  assert.equal(device.one().text, 'later')
})

test('a registration that names the value it has gets 2.03 with Observe', async () => {
  const { app, device } = await start()
  app.publish('a', 'now', { retain: true })
  const etag = device.ask({ code: GET, uri: '/ps/a' }).message.options.opaque(ETAG) ?? assert.fail('no ETag')
  const registered = observe(device, '/ps/a', { options: [opaqueOption(ETAG, etag)] })
  assert.equal(registered.code, '2.03')
  assert.notEqual(registered.observe, undefined)
})

test('an observed filter gets the retained values, and each notification names its topic', async () => {
  const { app, device } = await start()
  app.publish('s/1/t', 'r1', { retain: true })
  app.publish('s/2/t', 'r2', { retain: true })
  device.send({ code: GET, uri: '/ps/s/+/t', observe: 0, token: 'ob' })
  const [registered, ...retained] = device.got()
  assert.deepEqual([registered?.code, registered?.text, registered?.location], ['2.05', '', ''])
  assert.deepEqual(retained.map(({ location, text }) => [location, text]).sort(), [
    ['ps/s/1/t', 'r1'],
    ['ps/s/2/t', 'r2'],
  ])
  app.publish('s/3/t', 'x')
  assert.equal(device.one().location, 'ps/s/3/t')
})

test('rh and nl are honoured', async () => {
  const { app, device } = await start()
  app.publish('a', 'now', { retain: true })
  assert.equal(observe(device, '/ps/a?c=d1&rh=2&nl=1').text, '')
  assert.equal(observe(device, '/ps/+?c=d1&rh=2&nl=1', { token: 'o2' }).code, '2.05')
  assert.deepEqual(device.got(), [])
  assert.equal(device.ask({ code: POST, uri: '/ps/a?c=d1', payload: 'own' }).code, '2.04', 'the answer alone comes back')
  app.publish('a', 'of another')
  assert.equal(device.got().length, 2)
})

test('several observations of one client, also overlapping, each get their notification', async () => {
  const { world, app, device } = await start()
  observe(device, '/ps/a/b?c=d1', { token: 't1' })
  observe(device, '/ps/a/+?c=d1', { token: 't2' })
  observe(device, '/ps/a/b?c=d1', { token: 't3' })
  app.publish('a/b', 'x')
  assert.deepEqual(
    device
      .got()
      .map(({ token }) => token)
      .sort(),
    ['t1', 't2', 't3'],
  )
  device.ask({ code: GET, uri: '/ps/a/b?c=d1', observe: 1, token: 't1' })
  app.publish('a/b', 'y')
  assert.deepEqual(
    device
      .got()
      .map(({ token }) => token)
      .sort(),
    ['t2', 't3'],
  )
  assert.equal(world.core.client('d1')?.subscriptionCount, 2)
})

test('a delivery for several observations is acknowledged when all of them have it', async () => {
  const { world, app, device } = await start({ transmission: { nstart: 4 } })
  observe(device, '/ps/a?c=d1', { token: 't1' })
  observe(device, '/ps/a?c=d1', { token: 't2' })
  app.publish('a', 'x', { qos: 1 })
  const [one, two] = device.got() as [Got, Got]
  device.ack(one.messageId)
  assert.equal(world.core.client('d1')?.unacknowledged, 1)
  device.ack(two.messageId)
  assert.equal(world.core.client('d1')?.unacknowledged, 0)
})

test('retained messages that a second registration asks for go to that one only', async () => {
  const { app, device } = await start()
  app.publish('a/1', 'r', { retain: true })
  device.send({ code: GET, uri: '/ps/a/+?c=d1', observe: 0, token: 't1' })
  assert.equal(device.got().length, 2)
  device.send({ code: GET, uri: '/ps/a/+?c=d1', observe: 0, token: 't2' })
  assert.deepEqual(
    device.got().map(({ token, text }) => [token, text]),
    [
      ['t2', ''],
      ['t2', 'r'],
    ],
  )
})

test('at the limit the answer is 5.03, or the value without Observe', async () => {
  const { app, device } = await start({ limits: { maxObservations: 1 } })
  observe(device, '/ps/a?c=d1')
  const refused = observe(device, '/ps/b?c=d1', { token: 't2' })
  assert.equal(refused.code, '5.03')
  assert.match(refused.text, /too many observations/)
  app.publish('b', 'v', { retain: true })
  const plain = observe(device, '/ps/b?c=d1', { token: 't2' })
  assert.deepEqual([plain.code, plain.text, plain.observe], ['2.05', 'v', undefined])
})

test('an observation needs a token, a topic and the right', async () => {
  const access = {
    authenticate: () => ({ ok: true as const }),
    authorize: (_: unknown, __: string, topic: string) => topic !== 'secret',
  }
  const { device } = await start({}, { access })
  const tokenless = observe(device, '/ps/a', { token: '' })
  assert.deepEqual([tokenless.code, tokenless.text], ['4.00', 'observe without token'])
  assert.equal(observe(device, '/ps/a%23').code, '4.00')
  const denied = observe(device, '/ps/secret')
  assert.deepEqual([denied.code, denied.observe], ['4.03', undefined])
  assert.match(denied.text, /not authorized/)
})

test('an Observe value that does not exist is ignored', async () => {
  const { app, device } = await start()
  app.publish('a', 'v', { retain: true })
  const answer = observe(device, '/ps/a', { observe: 7 })
  assert.deepEqual([answer.code, answer.text, answer.observe], ['2.05', 'v', undefined])
})

test('shared subscriptions spread the messages', async () => {
  const { gateway, app, device } = await start()
  const other = new Device(gateway)
  observe(device, '/ps/$share/g/a?c=d1')
  observe(other, '/ps/$share/g/a?c=d2')
  for (let i = 0; i < 10; i++) app.publish('a', String(i))
  const [mine, theirs] = [device.got().length, other.got().length]
  assert.equal(mine + theirs, 10)
  assert.ok(mine > 0 && theirs > 0)
})

test('more than the window waits at the broker, and nothing is lost', async () => {
  const { app, device } = await start({ limits: { window: 4 } })
  observe(device, '/ps/a?c=d1')
  for (let i = 0; i < 50; i++) app.publish('a', String(i), { qos: 1 })
  const texts: string[] = []
  for (let i = 0; i < 50; i++) {
    const got = device.one()
    texts.push(got.text)
    device.ack(got.messageId)
  }
  assert.deepEqual(
    texts,
    Array.from({ length: 50 }, (_, i) => String(i)),
  )
})

test('an acknowledgement that carries a code counts all the same', async () => {
  const { world, app, device } = await start()
  observe(device, '/ps/a?c=d1')
  app.publish('a', 'x', { qos: 1 })
  const { messageId } = device.one()
  device.peer.send(Uint8Array.of(0x60, 0x44, messageId >> 8, messageId)) // ACK 2.04
  assert.equal(world.core.client('d1')?.unacknowledged, 0)
  world.advance(RETRANSMISSIONS_OVER_MS)
  assert.deepEqual(device.got(), [])
})

test('an address that was quiet for long is as it was: notifications go on, and are rejected', async () => {
  const { world, app, device } = await start()
  const registered = observe(device, '/ps/a?c=d1', { type: NON })
  app.publish('a', '1')
  const before = device.one()
  world.advance(3_000_000)
  app.publish('a', '2')
  const after = device.one()
  assert.deepEqual([after.text, after.token, newer(after, before), newer(before, registered)], ['2', 'ob', true, true])
  world.advance(150_000)
  device.reset(after.messageId)
  assert.equal(world.counters().get('observation-ended-reset'), 1)
})

test('an address that rests forgets neither its message ids nor what repetitions get, while they may come', async () => {
  const { world, gateway, app, device } = await start()
  observe(device, '/ps/a?c=d1')
  const publish: Ask = { code: POST, uri: '/ps/b?c=d1', payload: 'x' }
  app.subscribe('b')
  const bytes = device.send(publish)
  const [answer] = device.peer.take()
  app.publish('a', '1', { qos: 1 })
  const before = device.one()
  device.ack(before.messageId)
  assert.equal(app.take().length, 1)
  for (const waitMs of [10_000, 230_000]) {
    world.advance(waitMs)
    assert.equal(gateway.runtime.hosts.size, 1)
    device.repeat(bytes)
    assert.deepEqual(device.peer.take(), [answer])
  }
  assert.equal(app.take().length, 0)
  world.advance(6000)
  app.publish('a', '2', { qos: 1 })
  const after = device.one()
  assert.deepEqual([after.text, after.messageId], ['2', (before.messageId + 1) & 0xffff])
  device.ack(after.messageId)
  world.advance(250_000)
  device.repeat(bytes)
  assert.deepEqual([device.one().code, app.take().length], ['2.04', 1], 'no repetition can be so late')
  assert.equal(world.faults(), 0)
})

test('an address rests only when nothing is under way', async () => {
  const { world, app, device } = await start()
  observe(device, '/ps/a?c=d1')
  app.publish('a', '1', { qos: 1 })
  const sent = device.one()
  world.advance(100_000)
  assert.ok(device.got().every(({ messageId, text }) => messageId === sent.messageId && text === '1'))
  assert.equal(world.counters().get('observation-ended-timeout'), 1)
})

test('a client of a resting address moves, is kicked and is told so as any other', async () => {
  const { world, gateway, app, device } = await start()
  observe(device, '/ps/a?c=d1')
  world.advance(300_000)
  const elsewhere = new Device(gateway, '10.0.0.2')
  elsewhere.ask({ code: POST, uri: '/ps/b?c=d1', payload: 'x' })
  app.publish('a', '1')
  assert.deepEqual([elsewhere.one().text, device.got()], ['1', []])
  world.advance(300_000)
  world.core.kick('d1')
  assert.equal(elsewhere.one().code, '5.03')
  assert.equal(world.faults(), 0)
})

test('who comes back soon is waited for longer the next time', async () => {
  const { world, gateway, device } = await start()
  /** The client stands for the wire. */
  const rests = () => [...gateway.runtime.hosts].map(({ clientId }) => clientId === 'd1')
  observe(device, '/ps/a?c=d1')
  assert.deepEqual(rests(), [false])
  world.advance(1001)
  assert.deepEqual(rests(), [true])
  device.ask({ code: POST, uri: '/ps/b?c=d1', payload: 'x' })
  world.advance(4900)
  assert.deepEqual(rests(), [false])
  world.advance(200)
  assert.deepEqual(rests(), [true])
})
