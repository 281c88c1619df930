/** Rewriting and automatic subscriptions, for the clients of every gateway. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Message } from '../../../src/sdk.ts'
import { type TestPeer, text, World, type WorldOptions } from '../../../src/testing.ts'
import { echoGateway } from './echo-gateway.ts'

const say = (peer: TestPeer, words: string): string[] => {
  peer.send(new TextEncoder().encode(words))
  return peer.take().map(text)
}

const automatic = (topic: string, more: object = {}) => ({
  topic,
  qos: 1 as const,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0 as const,
  ...more,
})

async function open(options: WorldOptions, mountpoint = '') {
  const world = new World(options)
  const gateway = await world.gateway(echoGateway(), {}, { mountpoint })
  return { world, gateway }
}

test('topics are rewritten after the mountpoint, for publish, subscribe and unsubscribe alike', async () => {
  const rewrite = [{ action: 'all', source: 'site/old/#', pattern: '^site/old/(.*)$', target: 'new/${clientid}/$1' }] as const
  const { world, gateway } = await open({ broker: { rewrite: [...rewrite] } }, 'site/')
  const app = world.app('app')
  app.subscribe('#')
  const peer = gateway.connect()
  say(peer, 'id d')
  say(peer, 'pub old/x')
  say(peer, 'pub $delayed/1/old/y')
  world.advance(1000)
  assert.deepEqual(
    app
      .take()
      .map(({ topic }) => topic)
      .filter((topic) => !topic.startsWith('devices/')),
    ['new/d/x', 'new/d/y'],
  )
  say(peer, 'sub old/down')
  assert.deepEqual(
    world.core
      .client('d')
      ?.allSubscriptions()
      .map(({ filter }) => filter),
    ['new/d/down'],
  )
  app.publish('new/d/down', 'x')
  assert.deepEqual(peer.take().map(text), ['got new/d/down'])
  say(peer, 'unsub old/down')
  assert.equal(world.core.client('d')?.subscriptionCount, 0)
})

test('a will goes below the mountpoint and is rewritten', async () => {
  const rewrite = [{ action: 'publish' as const, source: 'm/old', pattern: '^m/old$', target: 'm/new' }]
  const { world, gateway } = await open({ broker: { rewrite } }, 'm/')
  const app = world.app('app')
  app.subscribe('m/#')
  const peer = gateway.connect()
  say(peer, 'willed old')
  peer.hangUp()
  assert.deepEqual(
    app.take().map(({ topic }) => topic),
    ['m/new'],
  )
})

test('a client is subscribed when it connects, with its own name in the topic, and gets what is retained', async () => {
  const { world, gateway } = await open({ broker: { autoSubscribe: [automatic('cmd/${clientid}'), automatic('all')] } }, 'm/')
  world.core.publish(new Message('m/cmd/a%2Fb', new Uint8Array(1), 0, true))
  const peer = gateway.connect()
  assert.deepEqual(say(peer, 'id a/b'), ['welcome a/b', 'got cmd/a%2Fb'])
  world.app('app').publish('m/all', 'x')
  assert.deepEqual(peer.take().map(text), ['got all'])
  assert.deepEqual(
    world.core
      .client('a/b')
      ?.allSubscriptions()
      .map(({ filter, qos }) => [filter, qos]),
    [
      ['m/cmd/a%2Fb', 1],
      ['m/all', 1],
    ],
  )
})

test('only the gateways that are named, and only what the client may subscribe to', async () => {
  const access = {
    authenticate: () => ({ ok: true }) as const,
    authorize: (_subject: object, _action: string, topic: string) => topic !== 'secret',
  }
  const autoSubscribe = [
    automatic('secret'),
    automatic('mine', { gateways: ['echo'] }),
    automatic('theirs', { gateways: ['other'] }),
  ]
  const { world, gateway } = await open({ access, broker: { autoSubscribe } })
  say(gateway.connect(), 'id d')
  assert.deepEqual(
    world.core
      .client('d')
      ?.allSubscriptions()
      .map(({ filter }) => filter),
    ['mine'],
  )
  assert.equal(world.counters().get('auto-subscribe-refused'), 1)
})

test('a resumed session is not subscribed twice, nor sent again what is retained', async () => {
  const { world, gateway } = await open({ broker: { autoSubscribe: [automatic('t')] } })
  world.app('app').publish('t', 'x', { retain: true })
  const first = gateway.connect()
  assert.deepEqual(say(first, 'stay d'), ['welcome d', 'got t'])
  first.hangUp()
  const second = gateway.connect()
  assert.deepEqual(say(second, 'stay d'), ['welcome d'])
  assert.equal(world.core.client('d')?.subscriptionCount, 1)
})
