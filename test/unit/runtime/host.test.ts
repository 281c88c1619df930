/** The session host: fault isolation, timers, parking, rebinding, branches, mountpoints, rates. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayRuntime } from '../../../src/runtime/gateway-runtime.ts'
import { type TestPeer, text, World } from '../../../src/testing.ts'
import { echoGateway } from './echo-gateway.ts'

const say = (peer: TestPeer, words: string): string[] => {
  peer.send(new TextEncoder().encode(words))
  return heard(peer)
}
const heard = (peer: TestPeer): string[] => peer.take().map(text)
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a throw in a session closes that session, is counted and logged; the others live', async () => {
  const world = new World()
  const gateway = await world.gateway(echoGateway())
  const [a, b] = [gateway.connect(), gateway.connect()]
  say(a, 'id a')
  say(b, 'id b')
  say(b, 'sub #')
  assert.deepEqual(say(a, 'throw'), ['closing session-fault'])
  assert.equal(a.closed, 'session-fault')
  assert.equal(world.faults(), 1)
  assert.match(JSON.stringify(world.errors), /a bug in this session/)
  assert.equal(b.closed, undefined)
  heard(b)
  assert.deepEqual(say(b, 'pub t'), ['got t', 'delivered'])
})

test('a throw in a delivery does not reach the publisher or the other subscribers', async () => {
  const world = new World()
  const gateway = await world.gateway(echoGateway())
  const [a, b, c] = [gateway.connect(), gateway.connect(), gateway.connect()]
  for (const [peer, id] of [
    [a, 'a'],
    [b, 'b'],
  ] as const) {
    say(peer, `id ${id}`)
    say(peer, 'sub +')
  }
  const app = world.app('app')
  app.subscribe('poison')
  say(c, 'id c')
  assert.deepEqual(say(c, 'pub poison'), ['delivered'])
  assert.deepEqual([a.closed, b.closed], ['session-fault', 'session-fault'])
  assert.equal(app.take().length, 1)
  assert.equal(world.faults(), 2)
})

test('timers fire once, can be moved, and die with the session', async () => {
  const world = new World()
  const gateway = await world.gateway(echoGateway())
  const peer = gateway.connect()
  say(peer, 'arm 100')
  world.advance(99)
  say(peer, 'arm 100')
  world.advance(99)
  assert.deepEqual(heard(peer), [])
  world.advance(1)
  assert.deepEqual(heard(peer), ['timer 7'])
  say(peer, 'arm 100')
  say(peer, 'bye')
  heard(peer)
  world.advance(1000)
  assert.deepEqual(heard(peer), [])
  assert.equal(world.wheel.size, 0)
})

test('hostile input is counted by reason', async () => {
  const world = new World()
  const gateway = await world.gateway(echoGateway())
  const peer = gateway.connect()
  say(peer, 'bad')
  say(peer, 'bad')
  assert.deepEqual([...world.malformed()], [['bad-word', 2]])
})

test('a takeover by another gateway closes the old session with its reason, and its last words go out', async () => {
  const world = new World()
  const one = await world.gateway(echoGateway(), {}, { name: 'one' })
  const two = await world.gateway(echoGateway(), {}, { name: 'two' })
  const app = world.app('app')
  app.subscribe('devices/same/status', { qos: 1 })
  const [old, fresh] = [one.connect(), two.connect()]
  say(old, 'id same')
  say(fresh, 'id same')
  assert.deepEqual(heard(old), ['closing taken-over'])
  assert.equal(old.closed, 'taken-over')
  const statuses = app.take().map((received) => received.json() as { online: boolean; gateway: string; reason?: string })
  assert.deepEqual(
    statuses.map(({ online, gateway, reason }) => [online, gateway, reason]),
    [
      [true, 'one', undefined],
      [false, 'one', 'taken-over'],
      [true, 'two', undefined],
    ],
  )
})

test('datagrams that arrive while a connect is pending are parked, a bounded number of them', async () => {
  let admit: (verdict: { ok: true }) => void = () => {}
  const access = {
    authenticate: () =>
      new Promise<{ ok: true }>((resolve) => {
        admit = resolve
      }),
  }
  const world = new World({ access })
  const gateway = await world.gateway(echoGateway())
  const peer = gateway.connect({ datagram: true })
  say(peer, 'id d')
  for (let i = 0; i < 20; i++) say(peer, `pub t/${i}`)
  assert.deepEqual(heard(peer), [])
  admit({ ok: true })
  await turn()
  assert.deepEqual(heard(peer), ['welcome d', ...new Array(16).fill('no-subscribers')])
  assert.equal(world.counters().get('parked-overflow'), 4)
})

test('an authentication that fails to answer refuses', async () => {
  const world = new World({ access: { authenticate: () => Promise.reject(new Error('database gone')) } })
  const gateway = await world.gateway(echoGateway())
  const peer = gateway.connect()
  say(peer, 'id d')
  await turn()
  assert.deepEqual(heard(peer), ['refused unavailable'])
  assert.equal(world.core.size, 0)
})

test('a session that closed while it was being authenticated stays closed', async () => {
  let admit: (verdict: { ok: true }) => void = () => {}
  const access = {
    authenticate: () =>
      new Promise<{ ok: true }>((resolve) => {
        admit = resolve
      }),
  }
  const world = new World({ access })
  const gateway = await world.gateway(echoGateway())
  const peer = gateway.connect()
  say(peer, 'id d')
  peer.hangUp()
  admit({ ok: true })
  await turn()
  assert.equal(world.core.size, 0)
})

test('yieldTo: an identity from a new address takes its old session along, with the datagram at hand', async () => {
  const world = new World()
  const gateway = await world.gateway(echoGateway())
  const app = world.app('app')
  const before = gateway.connect({ datagram: true, port: 1000 })
  say(before, 'id d')
  say(before, 'sub cmd')
  const after = gateway.connect({ datagram: true, port: 2000 })
  assert.deepEqual(say(after, 'rebind d'), ['owned by d'])
  app.publish('cmd', 'x')
  assert.deepEqual(heard(after), ['got cmd'])
  assert.deepEqual(heard(before), [])
  assert.equal(gateway.runtime.hosts.size, 1)
  assert.equal(world.core.client('d')?.connected, true)
  assert.equal(gateway.runtime.peer(world.core.client('d') as never), '10.0.0.1:2000')
  assert.equal(before.wire.ended, 'local')
})

test('branch and moveTo: many clients on one address, each of which can move alone', async () => {
  const world = new World()
  const gateway = await world.gateway(echoGateway())
  const first = gateway.connect({ datagram: true, port: 1000 })
  say(first, 'branch a')
  say(first, 'branch b')
  const app = world.app('app')
  const second = gateway.connect({ datagram: true, port: 2000 })
  say(second, 'move a')
  for (const id of ['a', 'b']) {
    const client = world.core.client(id)
    assert.ok(client)
    world.core.subscribe(client, 'cmd', { qos: 0 })
  }
  app.publish('cmd', 'x')
  assert.deepEqual([heard(first), heard(second)], [['got cmd'], ['got cmd']])
  first.hangUp()
  assert.equal(world.core.client('b'), undefined)
  assert.equal(world.core.client('a')?.connected, true)
  second.hangUp()
  assert.equal(world.core.client('a'), undefined)
})

test('rest: a session with one branch is forgotten, and opened anew by bytes or by the branch', async () => {
  const world = new World()
  const gateway = await world.gateway(echoGateway())
  const device = gateway.connect({ datagram: true, port: 1000 })
  assert.deepEqual(say(device, 'rest'), ['rests false'])
  say(device, 'branch a')
  say(device, 'arm 100')
  assert.deepEqual(say(device, 'rest'), [])
  const counted = gateway.runtime.counters.sessions
  world.advance(1000)
  assert.deepEqual(heard(device), [], 'its timers are gone')
  assert.equal(gateway.runtime.hosts.size, 1)
  assert.equal(world.core.client('a')?.connected, true)
  assert.deepEqual(say(device, 'leaf sub cmd'), ['woken'])
  assert.equal(gateway.runtime.hosts.size, 1)
  assert.deepEqual(say(device, 'rest'), [])
  const app = world.app('app')
  app.publish('cmd', 'x')
  assert.deepEqual(heard(device), ['got cmd'], 'what the branch alone can do wakes nobody')
  assert.deepEqual(say(device, 'leaf wake'), ['woken'])
  assert.equal(gateway.runtime.counters.sessions, counted)
  assert.equal(gateway.runtime.counters.closed.size, 0)
})

test('rest: not with several branches, not on a stream, and not with a client of its own', async () => {
  const world = new World()
  const gateway = await world.gateway(echoGateway())
  const [several, stream, own] = [gateway.connect({ datagram: true }), gateway.connect(), gateway.connect({ datagram: true })]
  for (const id of ['a', 'b']) say(several, `branch ${id}`)
  say(stream, 'branch c')
  say(own, 'id d')
  say(own, 'branch e')
  for (const peer of [several, stream, own]) assert.deepEqual(say(peer, 'rest'), ['rests false'])
})

test('rest: a branch on a wire that ends, is closed, or shuts down, ends with the wire', async () => {
  const world = new World()
  const gateway = await world.gateway(echoGateway())
  const [ends, closes, stays] = [1000, 2000, 3000].map((port) => gateway.connect({ datagram: true, port })) as TestPeer[]
  for (const [peer, id] of [
    [ends, 'a'],
    [closes, 'b'],
    [stays, 'c'],
  ] as const) {
    say(peer as TestPeer, `branch ${id}`)
    say(peer as TestPeer, 'rest')
  }
  ends?.hangUp()
  world.core.kick('b')
  assert.deepEqual([world.core.client('a'), world.core.client('b')], [undefined, undefined])
  assert.deepEqual([closes?.wire.ended, stays?.wire.ended], ['local', undefined])
  assert.equal(gateway.runtime.hosts.size, 1)
  await gateway.close()
  assert.equal(gateway.runtime.hosts.size, 0)
  assert.equal(stays?.wire.ended, 'local')
})

test('a mountpoint moves the topic that a delayed message is for', async () => {
  const world = new World()
  const gateway = await world.gateway(echoGateway(), {}, { mountpoint: 'site/' })
  const app = world.app('app')
  app.subscribe('#')
  const peer = gateway.connect()
  say(peer, 'id d')
  assert.deepEqual(say(peer, 'pub $delayed/1/t'), ['delivered'])
  assert.deepEqual(say(peer, 'pub $delayed/soon/t'), ['invalid-topic'])
  app.take()
  world.advance(1000)
  assert.deepEqual(
    app.take().map(({ topic }) => topic),
    ['site/t'],
  )
})

test('a mountpoint moves what devices name, not their own devices/ topics nor $ topics', async () => {
  const world = new World()
  const gateway = await world.gateway(echoGateway(), {}, { mountpoint: 'site/${clientid}/' })
  const app = world.app('app')
  app.subscribe('#', { retainHandling: 2 })
  const peer = gateway.connect()
  say(peer, 'id d/1')
  app.take()
  say(peer, 'pub t')
  say(peer, 'pub devices/d%2F1/up/data')
  say(peer, 'pub devices/other/up/data')
  assert.deepEqual(
    app.take().map(({ topic }) => topic),
    ['site/d%2F1/t', 'devices/d%2F1/up/data', 'site/d%2F1/devices/other/up/data'],
  )
  say(peer, 'sub down')
  app.publish('site/d%2F1/down', 'x')
  app.publish('down', 'x')
  assert.deepEqual(heard(peer), ['got down'])
})

test('a will is set and taken away after the connect, under the mountpoint; a disconnect names its reason', async () => {
  const world = new World()
  const gateway = await world.gateway(echoGateway(), {}, { mountpoint: 'plant/' })
  const app = world.app('app')
  app.subscribe('#')
  const lost = ['first', 'second', ''].map((topic, i) => {
    const peer = gateway.connect()
    say(peer, `id d${i}`)
    say(peer, 'will early')
    say(peer, `will ${topic}`)
    return peer
  })
  app.take()
  for (const peer of lost) say(peer, 'lose')
  const seen = app.take().map(({ topic, text: payload }) => `${topic} ${/"reason":"[a-z]+"/.exec(payload)?.[0] ?? payload}`)
  const status = (id: string): string => `devices/${id}/status "reason":"unreachable"`
  assert.deepEqual(seen, ['plant/first gone', status('d0'), 'plant/second gone', status('d1'), status('d2')])
})

test('message rate: a stream is paused and loses nothing, a datagram peer loses the excess, counted', async () => {
  const world = new World()
  const gateway = await world.gateway(echoGateway())
  const limited = (datagram: boolean): TestPeer => {
    const accept = gateway.runtime.accept.bind(gateway.runtime)
    gateway.runtime.accept = (wire) => accept(wire, 10)
    const peer = gateway.connect({ datagram })
    gateway.runtime.accept = GatewayRuntime.prototype.accept
    return peer
  }
  const stream = limited(false)
  say(stream, 'id s')
  for (let i = 0; i < 30; i++) say(stream, 'pub t')
  assert.equal(stream.wire.paused, true)
  world.advance(1900)
  assert.equal(stream.wire.paused, true)
  world.advance(200)
  assert.equal(stream.wire.paused, false)
  const datagrams = limited(true)
  say(datagrams, 'id d')
  let published = 0
  for (let i = 0; i < 30; i++) published += say(datagrams, 'pub t').length
  assert.equal(published, 9)
  assert.equal(world.counters().get('rate-limited'), 21)
})

test('a silent datagram peer is kept while it stands for a client', async () => {
  const world = new World()
  const gateway = await world.gateway(echoGateway())
  const [nobody, client, proxy] = [1, 2, 3].map((port) => gateway.connect({ datagram: true, port }))
  assert.ok(nobody && client && proxy)
  say(client, 'id d')
  say(proxy, 'branch b')
  assert.deepEqual(
    [nobody, client, proxy].map((peer) => peer.wire.handler.onIdle?.()),
    [false, true, true],
  )
})
