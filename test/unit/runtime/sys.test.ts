/** `$SYS`: both trees, events of clients, averages; nothing when nobody listens. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SlowSubscribers } from '../../../src/broker/slow-subscribers.ts'
import { LoadAverages } from '../../../src/runtime/load-averages.ts'
import { EmqxTree } from '../../../src/runtime/sys-emqx.ts'
import { ClientEvents } from '../../../src/runtime/sys-events.ts'
import { MosquittoTree } from '../../../src/runtime/sys-mosquitto.ts'
import { type SysSource, SysTopics, type SysTree } from '../../../src/runtime/sys-topics.ts'
import { World } from '../../../src/testing.ts'
import { echoGateway } from './echo-gateway.ts'

async function open() {
  const slow = new SlowSubscribers({ thresholdMs: 10, top: 3, expiryMs: 1000 })
  const world: World = new World({
    slow,
    observer: (self) =>
      new ClientEvents(
        () => self.core,
        'edge',
        () => self.now(),
      ),
  })
  const gateway = await world.gateway(echoGateway())
  const source: SysSource = {
    core: world.core,
    version: '1.2.3',
    node: 'edge',
    now: () => world.now(),
    uptimeMs: () => 61_500,
    heapBytes: () => 1000,
    store: () => ({ bytes: 10, segments: 1, commits: 2, failures: 0, checkpoints: 0, ready: true }),
    bans: { size: 1, refused: 2, overflowed: 0 },
    flapping: { detected: 1 },
    slow,
    gateways: () => [gateway.runtime],
  }
  const sys = new SysTopics(world.core, [new MosquittoTree(source), new EmqxTree(source)])
  world.core.provide(sys)
  return { world, gateway, sys }
}

const values = (received: readonly { topic: string; text: string }[]) => new Map(received.map(({ topic, text }) => [topic, text]))

test("mosquitto's names, as retained messages for a newcomer", async () => {
  const { world, gateway } = await open()
  const app = world.app('app')
  app.subscribe('$share/g/a')
  const peer = gateway.connect()
  for (const words of ['id d', 'sub t']) peer.send(new TextEncoder().encode(words))
  app.publish('t', 'four')
  app.subscribe('$SYS/broker/#')
  const received = app.take()
  assert.ok(received.every(({ retain }) => retain))
  const sys = values(received)
  const expected: Readonly<Record<string, string>> = {
    version: 'omnigate version 1.2.3',
    uptime: '61 seconds',
    'clients/active': '2',
    'clients/inactive': '0',
    'clients/total': '2',
    'messages/received': '1',
    'messages/sent': '1',
    'publish/bytes/sent': '4',
    'publish/bytes/received': '0',
    'subscriptions/count': '3',
    'shared_subscriptions/count': '1',
    'heap/current': '1000',
    'heap/maximum': '1000',
    'bans/count': '1',
    'bans/refused': '2',
    'bans/flapping': '1',
    'load/messages/received/1min': '0.00',
    'load/publish/dropped/15min': '0.00',
    'load/sockets/5min': '0.00',
    'load/connections/1min': '0.00',
    'load/bytes/sent/5min': '0.00',
    'gateways/echo/sessions/opened': '1',
  }
  for (const [name, value] of Object.entries(expected)) assert.equal(sys.get(`$SYS/broker/${name}`), value, name)
})

test("EMQX's names, for a newcomer and at the interval", async () => {
  const { world, sys } = await open()
  const app = world.app('app')
  app.subscribe('$SYS/brokers')
  assert.deepEqual(
    app.take().map(({ topic, text, retain }) => [topic, text, retain]),
    [['$SYS/brokers', 'edge', true]],
  )
  app.publish('nobody', 'x')
  app.subscribe('$SYS/brokers/+/+', { retainHandling: 2 })
  app.subscribe('$SYS/brokers/edge/stats/#', { retainHandling: 2 })
  app.subscribe('$SYS/brokers/edge/metrics/messages/dropped/no_subscribers', { retainHandling: 2 })
  sys.publish()
  const received = app.take()
  assert.ok(received.every(({ retain }) => !retain))
  const seen = values(received)
  const root = '$SYS/brokers/edge'
  assert.equal(seen.get(`${root}/version`), '1.2.3')
  assert.equal(seen.get(`${root}/uptime`), '61500')
  assert.equal(seen.get(`${root}/datetime`), new Date(world.now()).toISOString())
  assert.equal(seen.get(`${root}/sysdescr`), 'Omnigate')
  assert.equal(seen.get(`${root}/stats/connections/count`), '1')
  assert.equal(seen.get(`${root}/stats/live_connections/max`), '1')
  assert.equal(seen.get(`${root}/stats/subscriptions/shared/count`), '0')
  assert.equal(seen.get(`${root}/metrics/messages/dropped/no_subscribers`), '1')
})

test('the slowest subscribers, as JSON', async () => {
  const { world, sys } = await open()
  const app = world.app('app', { autoAck: false })
  app.subscribe('t', { qos: 1 })
  app.publish('t', 'x', { qos: 1 })
  world.advance(10)
  app.ack(app.take()[0]?.delivery.id ?? 0)
  app.subscribe('$SYS/brokers/edge/slow_subs', { retainHandling: 2 })
  sys.publish()
  assert.deepEqual(app.take()[0]?.json(), [
    { clientid: 'app', node: 'edge', topic: 't', timespan: 10, last_update_time: world.now() },
  ])
})

test('maxima remember what the samples saw', async () => {
  const { world, sys } = await open()
  const app = world.app('app')
  world.app('other').disconnect()
  const two = world.app('two')
  sys.publish()
  two.disconnect()
  app.subscribe('$SYS/brokers/edge/stats/sessions/+')
  assert.deepEqual(Object.fromEntries(app.take().map(({ topic, text }) => [topic.split('/').at(-1), text])), {
    count: '1',
    max: '2',
  })
})

test('nothing is computed at the interval while nobody subscribes below $', async () => {
  const world = new World()
  let computed = 0
  const tree: SysTree = {
    root: '$SYS/x',
    values: () => {
      computed++
      return new Map([['$SYS/x', 1]])
    },
  }
  const sys = new SysTopics(world.core, [tree])
  const app = world.app('app')
  app.subscribe('#')
  app.take()
  sys.publish()
  assert.equal(computed, 0)
  for (const filter of ['$SYS/#', '$SYS/x', '$share/g/$SYS/+']) {
    app.subscribe(filter)
    sys.publish()
    assert.deepEqual(
      app.take().map(({ topic }) => topic),
      ['$SYS/x'],
      filter,
    )
    app.unsubscribe(filter)
    computed = 0
    sys.publish()
    assert.equal(computed, 0, filter)
  }
})

test('clients that come, subscribe and go are announced with the keys of EMQX', async () => {
  const { world, gateway } = await open()
  const app = world.app('app')
  app.subscribe('$SYS/brokers/+/clients/#')
  app.take()
  const peer = gateway.connect({ address: '10.1.2.3' })
  for (const words of ['stay d/1', 'sub t', 'unsub t']) peer.send(new TextEncoder().encode(words))
  peer.hangUp()
  const [connected, subscribed, unsubscribed, disconnected] = app.take()
  const ts = world.now()
  const who = { clientid: 'd/1', protocol: 'echo' }
  const whole = { ...who, ipaddress: '10.1.2.3', proto_name: 'ECHO', gateway: 'echo' }
  assert.equal(connected?.topic, '$SYS/brokers/edge/clients/d%2F1/connected')
  assert.deepEqual(connected.json(), {
    ...whole,
    keepalive: 0,
    clean_start: false,
    expiry_interval: 60,
    connected_at: ts,
    connack: 0,
    ts,
  })
  assert.equal(subscribed?.topic, '$SYS/brokers/edge/clients/d%2F1/subscribed')
  assert.deepEqual(subscribed.json(), { ...who, topic: 't', subopts: { qos: 0, nl: 0, rap: 0, rh: 0, sub_props: {} }, ts })
  assert.equal(unsubscribed?.topic, '$SYS/brokers/edge/clients/d%2F1/unsubscribed')
  assert.equal(disconnected?.topic, '$SYS/brokers/edge/clients/d%2F1/disconnected')
  assert.deepEqual(disconnected.json(), { ...whole, reason: 'tcp_closed', connected_at: ts, disconnected_at: ts, ts })
})

test('load averages approach the rate, the short ones first, and forget it', () => {
  const load = new LoadAverages({ n: 0 }, 0)
  const read = () => [...load.entries()].map(([, , rate]) => rate) as [number, number, number]
  for (let i = 1; i <= 6; i++) load.sample({ n: i * 100 }, i * 10_000)
  const [one, five, fifteen] = read()
  assert.ok(Math.abs(one - 600 * (1 - Math.exp(-1))) < 1e-9)
  assert.ok(one > five && five > fifteen && fifteen > 0)
  load.sample({ n: 0 }, 70_000)
  assert.ok(read()[0] < one)
  for (let i = 0; i < 60; i++) load.sample({ n: 0 }, 80_000 + i * 60_000)
  assert.ok(read().every((rate) => rate >= 0) && read()[0] < 1e-9)
})
