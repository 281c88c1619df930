/** Sessions: windows, queues, hold, redelivery, takeover, expiry, wills, presence. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client } from '../../../src/broker/client.ts'
import type { Delivery } from '../../../src/sdk.ts'
import { Message } from '../../../src/sdk.ts'
import { AppClient, appPort } from '../../../src/testing/app-client.ts'
import { World } from '../../../src/testing.ts'

const texts = (received: readonly { text: string }[]): string[] => received.map(({ text }) => text)

test('the window limits unacknowledged deliveries; the rest waits in order', () => {
  const world = new World()
  const app = world.app('app', { autoAck: false, receiveMaximum: 2 })
  app.subscribe('t', { qos: 1 })
  const publisher = world.app('publisher')
  for (let i = 0; i < 5; i++) publisher.publish('t', String(i), { qos: 1 })
  const first = app.take()
  assert.deepEqual(texts(first), ['0', '1'])
  assert.ok(app.ack(first[1]?.delivery.id ?? 0))
  assert.deepEqual(texts(app.take()), ['2'])
  assert.ok(app.ack(first[0]?.delivery.id ?? 0))
  assert.equal(app.ack(first[0]?.delivery.id ?? 0), false)
  assert.deepEqual(texts(app.take()), ['3'])
})

test('QoS 0 overtakes nothing that waits', () => {
  const world = new World()
  const app = world.app('app', { autoAck: false, receiveMaximum: 1 })
  app.subscribe('t', { qos: 1 })
  const publisher = world.app('publisher')
  publisher.publish('t', 'a', { qos: 1 })
  publisher.publish('t', 'b', { qos: 1 })
  publisher.publish('t', 'c', { qos: 0 })
  const [a] = app.take()
  app.ack(a?.delivery.id ?? 0)
  assert.deepEqual(texts(app.take()), ['b', 'c'])
})

for (const [dropPolicy, kept] of [
  ['drop-oldest', ['a', 'd', 'e']],
  ['drop-newest', ['a', 'b', 'c']],
] as const) {
  test(`a full queue drops by policy ${dropPolicy}, counted and named`, () => {
    const world = new World()
    const app = world.app('app', { autoAck: false, receiveMaximum: 1, limits: { maxQueued: 2, dropPolicy } })
    app.subscribe('t', { qos: 1 })
    const publisher = world.app('publisher')
    for (const payload of ['a', 'b', 'c', 'd', 'e']) publisher.publish('t', payload, { qos: 1 })
    const got: string[] = []
    for (let received = app.take(); received.length > 0; received = app.take()) {
      for (const { text, delivery } of received) {
        got.push(text)
        app.ack(delivery.id)
      }
    }
    assert.deepEqual(got, kept)
    assert.equal(world.core.stats.dropped['queue-full'], 2)
    assert.deepEqual(
      world.dropped.map(({ reason, client }) => [reason, client]),
      [
        ['queue-full', 'app'],
        ['queue-full', 'app'],
      ],
    )
    assert.equal(world.core.stats.queuedBytes, 0)
  })
}

test('the queue is bounded in bytes, and in total over all clients', () => {
  const world = new World({ limits: { maxQueuedBytes: 10_000 } })
  const big = 'x'.repeat(900)
  const apps = ['a', 'b', 'c'].map((id) => world.app(id, { autoAck: false, receiveMaximum: 1, limits: { maxQueuedBytes: 5000 } }))
  for (const app of apps) app.subscribe('t', { qos: 1 })
  const publisher = world.app('publisher')
  for (let i = 0; i < 50; i++) publisher.publish('t', big, { qos: 1 })
  for (const app of apps) assert.ok((app.client.queue?.bytes ?? 0) <= 5000)
  assert.ok(world.core.stats.queuedBytes <= 10_000)
  assert.ok(world.core.stats.dropped['queue-full'] > 0)
})

test('a busy receiver is held; others are not; release goes on in order', () => {
  const world = new World()
  const slow = world.app('slow')
  const other = world.app('other')
  slow.subscribe('t')
  other.subscribe('t')
  slow.ready = false
  const publisher = world.app('publisher')
  for (let i = 0; i < 4; i++) publisher.publish('t', String(i))
  assert.equal(slow.take().length, 0)
  assert.deepEqual(texts(other.take()), ['0', '1', '2', '3'])
  slow.ready = true
  world.core.release(slow.client, 1)
  assert.deepEqual(texts(slow.take()), ['0'])
  world.core.release(slow.client)
  assert.deepEqual(texts(slow.take()), ['1', '2', '3'])
})

test('hold and release(n): a sleeping device takes what it asks for', () => {
  const world = new World()
  const device = world.app('device')
  device.subscribe('t', { qos: 1 })
  world.core.hold(device.client)
  const publisher = world.app('publisher')
  for (let i = 0; i < 3; i++) publisher.publish('t', String(i), { qos: 1 })
  assert.equal(device.take().length, 0)
  world.core.release(device.client, 2)
  assert.deepEqual(texts(device.take()), ['0', '1'])
  world.core.release(device.client)
  assert.deepEqual(texts(device.take()), ['2'])
})

function resumable(world: World, options: { autoAck?: boolean; expiryMs?: number; cleanStart?: boolean } = {}): AppClient {
  return new AppClient(
    world.core,
    'device',
    { autoAck: false, expiryMs: 60_000, cleanStart: false, ...options },
    appPort(world.core),
  )
}

test('a resumed session redelivers in order with dup, then what was queued; a released one repeats its release', () => {
  const world = new World()
  const device = resumable(world)
  device.subscribe('t', { qos: 2 })
  const publisher = world.app('publisher')
  for (const payload of ['one', 'two', 'three']) publisher.publish('t', payload, { qos: 2 })
  const [one, two] = device.take()
  assert.ok(world.core.received(device.client, two?.delivery.id ?? 0))
  device.disconnect()
  publisher.publish('t', 'four', { qos: 1 })
  publisher.publish('t', 'lost at QoS 0', { qos: 0 })
  const again = resumable(world)
  assert.equal(again.sessionPresent, true)
  const seen = again
    .take()
    .map(({ text, delivery }) => ({ text, id: delivery.id, dup: delivery.dup, released: delivery.released }))
  assert.deepEqual(
    seen.map(({ text }) => text),
    ['one', 'two', 'three', 'four'],
  )
  assert.equal(seen[0]?.id, one?.delivery.id)
  assert.deepEqual(
    seen.map(({ dup }) => dup),
    [true, true, true, false],
  )
  assert.deepEqual(
    seen.map(({ released }) => released),
    [false, true, false, false],
  )
})

test('a resumed session gets nothing before its connect is answered, its own status neither', () => {
  const world = new World()
  const port = appPort(world.core)
  const first = new AppClient(world.core, 'app', { cleanStart: false, expiryMs: 1000 }, port)
  first.subscribe('devices/+/status')
  first.disconnect()
  const got: string[] = []
  const request = { clientId: 'app', protocol: 'app', cleanStart: false, expiryMs: 1000, keepAliveMs: 0 }
  const ref = { accept: (delivery: Delivery) => got.push(delivery.message.topic) > 0 }
  const { client, outcome } = world.core.attach(port, ref, request)
  assert.deepEqual([outcome.ok && outcome.sessionPresent, got], [true, []])
  world.core.resume(client as Client)
  assert.deepEqual(got, ['devices/app/status'])
  world.core.publish(new Message('devices/other/status', new Uint8Array(0)))
  assert.equal(got.length, 2)
})

test('a session expires after its time, with its subscriptions', () => {
  const world = new World()
  resumable(world, { expiryMs: 5000 }).subscribe('t', { qos: 1 })
  world.core.kick('nobody')
  const device = world.core.client('device') as Client
  world.core.detach(device, 'connection-lost', false)
  world.advance(4999)
  assert.equal(world.core.subscriptionCount, 1)
  world.advance(1)
  assert.equal(world.core.client('device'), undefined)
  assert.equal(world.core.subscriptionCount, 0)
  assert.equal(world.core.stats.expiredSessions, 1)
})

test('reconnecting often leaves no trail of deadlines: the session ends when the last connection says', () => {
  const world = new World()
  for (let i = 0; i < 100; i++) {
    const device = resumable(world, { expiryMs: 10_000 })
    world.advance(1000)
    device.disconnect()
  }
  world.advance(9999)
  assert.notEqual(world.core.client('device'), undefined)
  world.advance(1)
  assert.equal(world.core.client('device'), undefined)
})

test('message expiry: what waited too long is dropped and counted', () => {
  const world = new World()
  const app = world.app('app', { autoAck: false, receiveMaximum: 1 })
  app.subscribe('t', { qos: 1 })
  const publisher = world.app('publisher')
  publisher.publish('t', 'a', { qos: 1 })
  publisher.publish('t', 'short', { qos: 1, expiresAt: world.now() + 1000 })
  publisher.publish('t', 'long', { qos: 1, expiresAt: world.now() + 5000 })
  world.advance(2000)
  const [a] = app.take()
  app.ack(a?.delivery.id ?? 0)
  assert.deepEqual(texts(app.take()), ['long'])
  assert.equal(world.core.stats.dropped.expired, 1)
})

test('takeover: the old connection learns why; state stays with the same gateway only', () => {
  const world = new World()
  const first = resumable(world)
  first.subscribe('t', { qos: 1 })
  const second = resumable(world)
  assert.equal(first.evicted, 'taken-over')
  assert.equal(second.sessionPresent, true)
  assert.equal(world.core.stats.takeovers, 1)
  const elsewhere = { ...appPort(world.core), gateway: 'another' }
  const third = new AppClient(world.core, 'device', { cleanStart: false, expiryMs: 60_000 }, elsewhere)
  assert.equal(second.evicted, 'taken-over')
  assert.equal(third.sessionPresent, false)
  assert.equal(world.core.subscriptionCount, 0)
  assert.equal(world.core.size, 1)
})

function withWill(world: World, delayMs: number, expiryMs: number): Client {
  const request = { clientId: 'w', protocol: 'app', cleanStart: false, expiryMs, keepAliveMs: 0 }
  const will = { message: new Message('will', new TextEncoder().encode('gone'), 1), delayMs }
  const { client } = world.core.attach(appPort(world.core), {}, { ...request, will })
  assert.ok(client)
  return client
}

test('wills: at once, delayed, suppressed by a return or a goodbye, and when the session ends first', () => {
  const world = new World()
  const app = world.app('app')
  app.subscribe('will')
  world.core.detach(withWill(world, 0, 60_000), 'connection-lost', true)
  assert.equal(app.take().length, 1)
  world.core.detach(withWill(world, 0, 60_000), 'disconnected', false)
  world.advance(100_000)
  assert.equal(app.take().length, 0)
  world.core.detach(withWill(world, 5000, 60_000), 'connection-lost', true)
  world.advance(4999)
  assert.equal(app.take().length, 0)
  world.advance(1)
  assert.equal(app.take().length, 1)
  world.core.detach(withWill(world, 5000, 60_000), 'connection-lost', true)
  world.advance(1000)
  withWill(world, 5000, 60_000)
  world.advance(10_000)
  assert.equal(app.take().length, 0)
  const shortLived = world.core.client('w') as Client
  world.core.detach(shortLived, 'connection-lost', true, 2000)
  world.advance(1999)
  assert.equal(app.take().length, 0)
  world.advance(1)
  assert.equal(app.take().length, 1)
})

test('presence: live changes, and computed for late subscribers', () => {
  const world = new World()
  const app = world.app('app')
  app.subscribe('devices/+/status')
  assert.deepEqual(
    app.take().map(({ topic, retain }) => [topic, retain]),
    [['devices/app/status', true]],
  )
  const device = resumable(world)
  const [online] = app.take()
  assert.equal(online?.topic, 'devices/device/status')
  assert.equal(online?.retain, false)
  assert.deepEqual(online?.json(), {
    online: true,
    device: 'device',
    protocol: 'app',
    gateway: 'app',
    peer: 'test',
    since: world.now(),
  })
  world.advance(10)
  device.disconnect()
  assert.deepEqual(app.take()[0]?.json(), {
    online: false,
    device: 'device',
    protocol: 'app',
    gateway: 'app',
    since: world.now(),
    reason: 'disconnected',
  })
  const late = world.app('late/and#odd')
  late.subscribe('devices/device/status', { qos: 1 })
  const [offline] = late.take()
  assert.equal(offline?.retain, true)
  assert.match(offline?.text ?? '', /"online":false/)
  late.subscribe('devices/+/status')
  assert.ok(texts(late.take()).some((status) => status.includes('"device":"late/and#odd"')))
  assert.equal(app.take()[0]?.topic, 'devices/late%2Fand%23odd/status')
})

test('live-only deliveries are not kept for an absent client', () => {
  const world = new World()
  const device = resumable(world)
  device.subscribe('devices/device/down/command', { qos: 1, liveOnly: true })
  const app = world.app('app')
  app.subscribe('devices/device/up/response')
  const command = (id: string): string => JSON.stringify({ id, name: 'reboot' })
  app.publish('devices/device/down/command', command('1'), { qos: 1 })
  assert.equal(device.take().length, 1)
  device.disconnect()
  assert.deepEqual(
    app
      .take()
      .map((received) => received.json() as { id: string; error: { code: string } })
      .map(({ id, error }) => [id, error.code]),
    [['1', 'offline']],
  )
  app.publish('devices/device/down/command', command('2'), { qos: 1 })
  assert.deepEqual(
    app
      .take()
      .map((received) => received.json() as { id: string; error: { code: string } })
      .map(({ id, error }) => [id, error.code]),
    [['2', 'offline']],
  )
  assert.equal(resumable(world).take().length, 0)
})

test('a receiver that acknowledges inside the delivery gets a long queue without recursion', () => {
  const world = new World()
  const got: Delivery[] = []
  const port = {
    ...appPort(world.core, { maxQueued: 50_000, maxQueuedBytes: 1e8 }),
    deliver: (client: Client, delivery: Delivery) => {
      got.push(delivery)
      world.core.ack(client, delivery.id)
      return true
    },
  }
  const { client } = world.core.attach(
    port,
    {},
    { clientId: 'd', protocol: 'app', cleanStart: true, expiryMs: 0, keepAliveMs: 0, receiveMaximum: 1 },
  )
  assert.ok(client)
  world.core.subscribe(client, 't', { qos: 1 })
  world.core.hold(client)
  const publisher = world.app('publisher')
  for (let i = 0; i < 20_000; i++) publisher.publish('t', '', { qos: 1 })
  world.core.release(client)
  assert.equal(got.length, 20_000)
})

test('a command to an absent device is answered even when others listen to its topics', () => {
  const world = new World()
  const app = world.app('app')
  const archive = world.app('archive')
  archive.subscribe('devices/#', { qos: 1 })
  app.subscribe('devices/+/up/response')
  app.publish('devices/gone/down/command', JSON.stringify({ id: '1', name: 'reboot' }), { qos: 1 })
  assert.equal(app.take().length, 1)
  const device = resumable(world)
  device.subscribe('devices/device/down/command', { qos: 1 })
  app.publish('devices/device/down/command', JSON.stringify({ id: '2', name: 'reboot' }), { qos: 1 })
  assert.equal(device.take().length, 1)
  assert.equal(app.take().length, 0)
})
