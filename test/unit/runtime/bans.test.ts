/** Bans, and clients that flap. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BanSubject, Bans } from '../../../src/runtime/bans.ts'
import { ClientObservers } from '../../../src/runtime/client-observers.ts'
import { Flapping } from '../../../src/runtime/flapping.ts'
import { type TestPeer, text, World } from '../../../src/testing.ts'
import { echoGateway } from './echo-gateway.ts'

const ban = (as: BanSubject, who: string, since = 0, until = Number.POSITIVE_INFINITY) => ({
  as,
  who,
  reason: 'test',
  by: 'operator',
  since,
  until,
})
const anyone = { clientId: 'c', username: undefined, address: '10.0.0.1' }

const say = (peer: TestPeer, words: string): string[] => {
  peer.send(new TextEncoder().encode(words))
  return peer.take().map(text)
}

test('a ban holds by client id, user name and address until it ends or is lifted', () => {
  const bans = new Bans(10)
  assert.equal(bans.refuse(anyone, 0), undefined)
  for (const [as, who] of [
    ['clientid', 'c'],
    ['address', '10.0.0.1'],
  ] as const) {
    bans.add(ban(as, who, 0, 100))
    assert.equal(bans.refuse(anyone, 99)?.as, as)
    assert.equal(bans.refuse(anyone, 100), undefined)
  }
  bans.add(ban('username', 'u'))
  assert.equal(bans.refuse({ ...anyone, username: 'u' }, 1e15)?.who, 'u')
  assert.deepEqual(
    [...bans.list(1e15)].map(({ who }) => who),
    ['u'],
  )
  assert.deepEqual([bans.remove('username', 'u'), bans.remove('username', 'u')], [true, false])
  assert.equal(bans.refuse({ ...anyone, username: 'u' }, 0), undefined)
  assert.equal(bans.refused, 3)
})

test('the table is bounded: what is over makes room, else a new ban is refused and counted', () => {
  const bans = new Bans(2)
  assert.ok(bans.add(ban('clientid', 'a', 0, 100)) && bans.add(ban('address', 'b')))
  assert.equal(bans.add(ban('clientid', 'c', 50)), false)
  assert.ok(bans.add(ban('clientid', 'a', 50, 200)))
  assert.ok(bans.add(ban('clientid', 'c', 200)))
  assert.deepEqual([bans.size, bans.overflowed], [2, 1])
  assert.deepEqual(
    [...bans.list(200)].map(({ who }) => who),
    ['c', 'b'],
  )
})

async function open(by: ('clientid' | 'address')[], maxDisconnects = 3) {
  const warnings: object[] = []
  const log = { debug() {}, info() {}, error() {}, warn: (fields: object) => void warnings.push(fields) }
  const bans = new Bans(100)
  const flapping = new Flapping({ enabled: true, maxDisconnects, window: 60_000, banTime: 300_000, by }, bans, log)
  const world: World = new World({ bans, observer: (self) => new ClientObservers(undefined, flapping, () => self.now()) })
  const gateway = await world.gateway(echoGateway())
  const visit = (id: string, address = '10.0.0.1'): string => {
    const peer = gateway.connect({ address })
    const [answer = ''] = say(peer, `id ${id}`)
    peer.hangUp()
    return answer
  }
  return { world, flapping, bans, visit, warnings, gateway }
}

test('a client that comes and goes too often is banned for a while, and the log says so', async () => {
  const { world, flapping, visit, warnings } = await open(['clientid'])
  assert.deepEqual(
    [1, 2, 3].map(() => visit('d')),
    ['welcome d', 'welcome d', 'welcome d'],
  )
  assert.equal(visit('d'), 'refused banned')
  assert.equal(visit('other'), 'welcome other')
  assert.equal(world.counters().get('connect-refused-banned'), 1)
  assert.deepEqual(warnings, [{ clientid: 'd', banned_s: 300 }])
  assert.equal(flapping.detected, 1)
  world.advance(299_999)
  assert.equal(visit('d'), 'refused banned')
  world.advance(1)
  assert.equal(visit('d'), 'welcome d')
})

test('who comes and goes slowly is left alone', async () => {
  const { world, visit } = await open(['clientid'])
  for (let i = 0; i < 20; i++) {
    assert.equal(visit('d'), 'welcome d')
    world.advance(30_001)
  }
})

test('by address, many client ids of one place count together', async () => {
  const { visit } = await open(['address'])
  for (const id of ['a', 'b', 'c']) assert.equal(visit(id), `welcome ${id}`)
  assert.equal(visit('d'), 'refused banned')
  assert.equal(visit('d', '10.0.0.2'), 'welcome d')
})

test('two that take each other over flap; what the operator does is no flapping', async () => {
  const { world, gateway, bans } = await open(['clientid'])
  for (let i = 0; i < 3; i++) {
    say(gateway.connect(), 'id kicked')
    world.core.kick('kicked')
  }
  assert.equal(bans.size, 0)
  const answers = [1, 2, 3, 4, 5].map(() => say(gateway.connect(), 'id twin')[0])
  assert.deepEqual(answers, ['welcome twin', 'welcome twin', 'welcome twin', 'welcome twin', 'refused banned'])
})
