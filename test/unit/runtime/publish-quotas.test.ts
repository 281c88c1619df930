/** Publish quotas: streams wait, who cannot wait is refused, and a session keeps what it owes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PublishQuota, PublishQuotas } from '../../../src/runtime/publish-quotas.ts'
import { type TestPeer, text, World } from '../../../src/testing.ts'
import { echoGateway } from './echo-gateway.ts'

const say = (peer: TestPeer, words: string): string[] => {
  peer.send(new TextEncoder().encode(words))
  return peer.take().map(text)
}

const rates = { maxPublishRate: 0, maxPublishBurst: 0, maxPublishByteRate: 0, maxPublishByteBurst: 0 }

async function open(session: Partial<typeof rates>) {
  const world = new World()
  return { world, gateway: await world.gateway(echoGateway(), {}, { session }) }
}

test('a stream above its rate is paused until it has paid, and loses nothing', async () => {
  const { world, gateway } = await open({ maxPublishRate: 10, maxPublishBurst: 2 })
  const peer = gateway.connect()
  say(peer, 'id d')
  for (const paused of [false, false, true, true]) {
    assert.deepEqual(say(peer, 'pub t'), ['no-subscribers'])
    assert.equal(peer.wire.paused, paused)
  }
  world.advance(199)
  assert.equal(peer.wire.paused, true)
  world.advance(1)
  assert.equal(peer.wire.paused, false)
  assert.equal(world.counters().get('throttled'), 1)
})

test('a datagram device above its rate is refused until time has passed', async () => {
  const { world, gateway } = await open({ maxPublishRate: 2 })
  const peer = gateway.connect({ datagram: true })
  say(peer, 'id d')
  const outcomes = [1, 2, 3].map(() => say(peer, 'pub t')[0])
  assert.deepEqual(outcomes, ['no-subscribers', 'no-subscribers', 'quota'])
  assert.equal(world.counters().get('quota-refused'), 1)
  world.advance(500)
  assert.deepEqual([say(peer, 'pub t'), say(peer, 'pub t')], [['no-subscribers'], ['quota']])
})

test('one of several clients on a stream is refused, and the others go on', async () => {
  const { gateway } = await open({ maxPublishRate: 1 })
  const peer = gateway.connect()
  say(peer, 'id root')
  say(peer, 'branch leaf')
  const outcomes = [say(peer, 'leaf pub t'), say(peer, 'leaf pub t')]
  assert.deepEqual(outcomes, [['no-subscribers'], ['quota']])
  assert.equal(peer.wire.paused, false)
  assert.deepEqual(say(peer, 'pub t'), ['no-subscribers'])
})

test('a session keeps what it owes when it connects again, another client owes nothing', async () => {
  const { gateway } = await open({ maxPublishRate: 1 })
  const first = gateway.connect({ datagram: true })
  say(first, 'stay d')
  say(first, 'pub t')
  first.hangUp()
  const second = gateway.connect({ datagram: true })
  say(second, 'stay d')
  assert.deepEqual(say(second, 'pub t'), ['quota'])
  const other = gateway.connect({ datagram: true })
  say(other, 'id e')
  assert.deepEqual(say(other, 'pub t'), ['no-subscribers'])
})

test('bytes are limited as well, and a message larger than the burst still passes once', () => {
  const quota = new PublishQuota({ ...rates, maxPublishByteRate: 1000, maxPublishByteBurst: 100 }, 0)
  assert.equal(quota.take(600, 0), true)
  assert.equal(quota.take(1, 499), false)
  assert.equal(quota.take(1, 500), true)
  const stream = new PublishQuota({ ...rates, maxPublishByteRate: 1000 }, 0)
  assert.deepEqual([stream.spend(1, 1000, 0), stream.spend(1, 500, 0), stream.spend(0, 0, 250)], [0, 500, 250])
})

test('without limits there is nothing to keep', () => {
  assert.equal(PublishQuotas.of(rates), undefined)
})
