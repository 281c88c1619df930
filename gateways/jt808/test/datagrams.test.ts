/** Terminals over UDP: one frame a datagram, an address that may change. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scene, seen } from './scene.ts'
import { Terminal } from './terminal.ts'

const UDP = { datagram: true, address: '10.0.0.7', port: 5000 }

test('the same session over datagrams, one frame each', async () => {
  const { gateway, app } = await scene()
  const terminal = new Terminal(gateway.connect(UDP))
  terminal.send(terminal.register(), terminal.authenticate('any'), terminal.location())
  assert.equal(terminal.read().length, 3)
  assert.deepEqual(seen(app), ['online', 'registered', 'authenticated', 'location'])
})

test('a new address carries the session on', async () => {
  const { world, gateway, app } = await scene()
  const terminal = Terminal.online(gateway, undefined, UDP)
  app.take()
  const old = terminal.peer
  terminal.peer = gateway.connect({ ...UDP, port: 5001 })
  terminal.send(terminal.location())
  assert.deepEqual(terminal.results(), [[0x0200, 0]])
  assert.deepEqual(old.take(), [])
  assert.equal(world.counters().get('rebound'), 1)
  assert.deepEqual(seen(app), ['location'], 'the terminal never went offline')
})

test('without rebinding a new address must authenticate', async () => {
  const { world, gateway } = await scene({ udpRebind: false })
  const terminal = Terminal.online(gateway, undefined, UDP)
  terminal.peer = gateway.connect({ ...UDP, port: 5001 })
  terminal.send(terminal.location())
  assert.deepEqual(terminal.read(), [])
  assert.equal(world.counters().get('unauthenticated'), 1)
  terminal.send(terminal.authenticate('any'), terminal.location())
  assert.deepEqual(terminal.results(), [
    [0x0102, 0],
    [0x0200, 0],
  ])
})

test('an authentication from a new address takes the session over', async () => {
  const { gateway } = await scene()
  const first = Terminal.online(gateway, undefined, UDP)
  const second = Terminal.online(gateway, undefined, { ...UDP, port: 5001 })
  assert.equal(first.peer.closed, 'taken-over')
  const third = new Terminal(gateway.connect({ ...UDP, port: 5002 }))
  third.send(third.location())
  assert.deepEqual(third.results(), [[0x0200, 0]], 'the newest session is the one that moves')
  assert.deepEqual(second.peer.take(), [])
})

test('broken datagrams are counted and end nothing', async () => {
  const { world, gateway } = await scene({ frame: { maxFaults: 1 } })
  const terminal = Terminal.online(gateway, undefined, UDP)
  terminal.send(Uint8Array.of(1, 2, 3), terminal.heartbeat().subarray(1), terminal.heartbeat())
  assert.deepEqual(terminal.results(), [[0x0002, 0]])
  assert.equal(world.malformed().get('no-frame'), 2)
})
