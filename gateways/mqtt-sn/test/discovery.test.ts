/** ADVERTISE, SEARCHGW, GWINFO (MQTT-SN 1.2, 6.1). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hex, type TestGateway, type TestPeer, unhex } from '#testing'
import { config } from '../config.ts'
import { scene } from './device.ts'

const MINUTE_MS = 60_000

/** What a listener opens for each address that it announces to. */
function group(gateway: TestGateway): TestPeer {
  return gateway.connect({ datagram: true, group: true, address: '225.1.1.1', port: 1883 })
}

const heard = (peer: TestPeer): string[] => peer.take().map(hex)

test('ADVERTISE at the start and every T_ADV, octet for octet', async () => {
  const { world, gateway } = await scene({ gatewayId: 1 })
  const ear = group(gateway)
  world.advance(1)
  assert.deepEqual(heard(ear), ['0500010384'])
  world.advance(15 * MINUTE_MS - 10)
  assert.deepEqual(heard(ear), [])
  world.advance(30 * MINUTE_MS)
  assert.deepEqual(heard(ear), ['0500010384', '0500010384'])
  assert.equal(world.counters().get('advertised'), 3)
})

test('a reload changes the pace and says so at once; 0s is silence', async () => {
  const { world, gateway } = await scene({ advertise: { interval: '0s' } })
  const ear = group(gateway)
  world.advance(60 * MINUTE_MS)
  assert.deepEqual(heard(ear), [])
  const reload = (interval: string): void => {
    const own = config.parse({ advertise: { interval } })
    const { name, limits: session, mountpoint } = gateway.runtime
    const instance = {
      name,
      use: name,
      enabled: true,
      module: undefined,
      fault: undefined,
      mountpoint,
      session,
      listeners: [],
      own,
    }
    assert.equal(gateway.runtime.reload(instance), 'applied')
    world.advance(1)
  }
  reload('60s')
  assert.deepEqual(heard(ear), ['050001003c'])
  reload('60s')
  assert.deepEqual(heard(ear), [], 'the same pace is no news')
  reload('0s')
  world.advance(60 * MINUTE_MS)
  assert.deepEqual(heard(ear), [])
})

test('SEARCHGW through a group is answered to who asked, or to the groups where configured', async () => {
  const asked = unhex('03 01 00')
  const plain = await scene()
  const [ear, sensor] = [group(plain.gateway), plain.device()]
  plain.world.advance(1)
  heard(ear)
  sensor.raw(asked)
  assert.deepEqual([heard(sensor.peer), heard(ear)], [['030201'], []])

  const open = await scene({ advertise: { gwinfo: 'groups', interval: '0s' } })
  const [everybody, lonely] = [group(open.gateway), open.device()]
  lonely.raw(asked)
  assert.deepEqual([heard(lonely.peer), heard(everybody)], [[], ['030201']])
  const node = open.device({ node: Uint8Array.of(7) })
  assert.equal(node.ask({ type: 'searchgw', radius: 2 }, 'gwinfo').gatewayId, 1)
})

test('answers to SEARCHGW are rationed, to groups too', async () => {
  const { world, gateway, device } = await scene({ advertise: { gwinfo: 'groups', interval: '0s' }, maxStrayReplies: 2 })
  const ear = group(gateway)
  for (let i = 0; i < 5; i++) device().send({ type: 'searchgw', radius: 0 })
  assert.equal(heard(ear).length, 2)
  assert.equal(world.counters().get('stray-reply-withheld'), 3)
})

test('without a group there is nobody to tell but who asked', async () => {
  const { device } = await scene({ advertise: { gwinfo: 'groups' } })
  device().ask({ type: 'searchgw', radius: 0 }, 'gwinfo')
})

test('T_ADV fits the 16 bits of the duration', () => {
  assert.equal(config.safeParse({ advertise: { interval: '65535s' } }).success, true)
  assert.equal(config.safeParse({ advertise: { interval: '65536s' } }).success, false)
})

test('version 2.0 makes itself known in its own packets', async () => {
  const { world, gateway, device } = await scene({ version: '2.0', advertise: { gwinfo: 'groups' } })
  const ear = group(gateway)
  world.advance(1)
  assert.deepEqual(heard(ear), ['0516010384'])
  const [sensor, node] = [device(), device()]
  sensor.raw(unhex('02 17'))
  assert.deepEqual([heard(sensor.peer), heard(ear)], [[], ['031801']])
  node.raw(unhex('06 fc 01 07 02 17'))
  assert.deepEqual([heard(node.peer), heard(ear)], [['07fc0107031801'], []])
})
