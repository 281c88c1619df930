/** How a session ends, and what broken input does to it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FLAG } from '../codec/framer.ts'
import { join, scene, seen } from './scene.ts'
import { Terminal } from './terminal.ts'

test('silence ends the session, and any frame of the terminal puts that off', async () => {
  const { world, gateway, app } = await scene({ idleTimeout: '300s' })
  const terminal = Terminal.online(gateway)
  app.take()
  world.advance(299_000)
  terminal.send(terminal.heartbeat())
  world.advance(299_000)
  assert.equal(terminal.peer.closed, undefined)
  world.advance(1_000)
  assert.equal(terminal.peer.closed, 'keepalive-timeout')
  assert.deepEqual(seen(app), ['offline: keepalive-timeout'])
})

test('a deregistration is announced, acknowledged and ends the session', async () => {
  const { gateway, app } = await scene({ auth: { mode: 'issued' } })
  const terminal = new Terminal(gateway.connect())
  terminal.send(terminal.register())
  const { auth_code } = terminal.one('register-response').body
  terminal.send(terminal.authenticate(auth_code))
  terminal.read()
  app.take()
  terminal.send(terminal.deregister())
  assert.deepEqual(terminal.results(), [[0x0003, 0]])
  assert.equal(terminal.peer.closed, 'disconnected')
  assert.deepEqual(seen(app), ['deregistered', 'offline: disconnected'])

  const again = new Terminal(gateway.connect())
  again.send(again.authenticate(auth_code))
  assert.deepEqual(again.results(), [[0x0102, 1]], 'the code is forgotten')
})

test('the same phone on a new connection takes the session over', async () => {
  const { gateway, app } = await scene()
  const first = Terminal.online(gateway)
  app.take()
  const second = Terminal.online(gateway)
  assert.equal(first.peer.closed, 'taken-over')
  assert.equal(second.peer.closed, undefined)
  second.send(second.location())
  assert.deepEqual(second.results(), [[0x0200, 0]])
  assert.equal(seen(app).at(-1), 'location')
})

test('another phone on an authenticated connection is ignored, or closes it', async () => {
  for (const [foreignPhone, closed] of [
    ['ignore', undefined],
    ['close', 'protocol-error'],
  ] as const) {
    const { world, gateway, app } = await scene({ foreignPhone })
    const terminal = Terminal.online(gateway)
    app.take()
    const other = new Terminal(terminal.peer, '013900000000')
    other.send(other.location())
    assert.deepEqual(other.read(), [])
    assert.equal(world.counters().get('foreign-phone'), 1)
    assert.equal(terminal.peer.closed, closed)
    assert.equal(seen(app).includes('location'), false)
  }
})

test('a broken frame is dropped and counted; the next good one is served', async () => {
  const { world, gateway } = await scene()
  const terminal = Terminal.online(gateway)
  const broken = terminal.heartbeat()
  broken[broken.length - 2] = (broken[broken.length - 2] as number) ^ 1
  terminal.send(broken, Uint8Array.of(FLAG, 0x7d), Uint8Array.of(0x05, FLAG), terminal.heartbeat())
  assert.deepEqual(terminal.results(), [[0x0002, 0]])
  assert.equal(world.malformed().get('bad-check-code'), 1)
  assert.equal(world.malformed().get('bad-escape'), 1)
  assert.equal(terminal.peer.closed, undefined)
})

test('a length that is not the real one: dropped and counted, or read where that is wanted', async () => {
  const at = async (length: string) => {
    const { world, gateway, app } = await scene({ frame: { length } })
    const terminal = Terminal.online(gateway)
    app.take()
    const frame = terminal.location()
    // Low octets of the attributes, and the check code, which changes by as much.
    frame[4] = (frame[4] as number) ^ 0x03
    frame[frame.length - 2] = (frame[frame.length - 2] as number) ^ 0x03
    terminal.send(frame)
    return { results: terminal.results(), seen: seen(app), malformed: world.malformed().get('bad-length') }
  }
  assert.deepEqual(await at('strict'), { results: [], seen: [], malformed: 1 })
  assert.deepEqual(await at('lenient'), { results: [[0x0200, 0]], seen: ['location'], malformed: undefined })
})

test('garbage before the first flag is dropped and counted', async () => {
  const { world, gateway } = await scene()
  const terminal = new Terminal(gateway.connect())
  terminal.send(join(Uint8Array.of(1, 2, 3), terminal.authenticate('any')))
  assert.deepEqual(terminal.results(), [[0x0102, 0]])
  assert.equal(world.malformed().get('garbage'), 1)
})

test('too many broken frames in a row close a connection', async () => {
  const { gateway } = await scene({ frame: { maxFaults: 3 } })
  const terminal = Terminal.online(gateway)
  const broken = Uint8Array.of(FLAG, 1, 2, 3, FLAG)
  terminal.send(broken, broken, terminal.heartbeat(), broken, broken)
  assert.equal(terminal.peer.closed, undefined, 'a good frame starts again')
  terminal.send(broken)
  assert.equal(terminal.peer.closed, 'protocol-error')
})

test('a frame that never ends closes the connection', async () => {
  const { world, gateway } = await scene()
  const terminal = Terminal.online(gateway)
  terminal.send(Uint8Array.of(FLAG))
  for (let i = 0; i < 30 && terminal.peer.closed === undefined; i++) terminal.send(new Uint8Array(100).fill(0x55))
  assert.equal(terminal.peer.closed, 'protocol-error')
  assert.equal(world.malformed().get('frame-too-long'), 1)
})

test('leading zeros stripped: one client id in both forms of the header, and the phone as it was on the wire', async () => {
  const { gateway, app } = await scene({ leadingZeros: 'strip' })
  const old = Terminal.online(gateway, '013812345678')
  app.take()
  const terminal = Terminal.online(gateway, '00000000013812345678')
  assert.deepEqual(seen(app), ['offline: taken-over', 'online', 'authenticated'])
  assert.equal(old.peer.closed, 'taken-over')
  terminal.send(terminal.location())
  assert.deepEqual(terminal.results(), [[0x0200, 0]])
  const [location] = app.take()
  assert.equal(location?.topic, 'devices/13812345678/up/telemetry')
  const { device, native } = (location ?? assert.fail()).json() as { device: string; native: { header: { phone: string } } }
  assert.deepEqual([device, native.header.phone], ['13812345678', '00000000013812345678'])
  app.publish('devices/13812345678/down/command', JSON.stringify({ id: '1', name: 'locate' }), { qos: 1 })
  assert.equal(terminal.one('location-query').header.phone, '00000000013812345678')
  terminal.send(terminal.answer({ type: 'location-query', body: {}, header: terminal.header(0x8201, { sn: 2 }) }, 1))
  app.take()
  app.publish('jt808/13812345678/13812345678/dn', JSON.stringify({ header: { msg_id: 0x8201 }, body: {} }), { qos: 1 })
  terminal.one('location-query')
  const zeros = Terminal.online(gateway, '000000000000')
  zeros.send(zeros.location())
  assert.ok(app.take().some(({ topic }) => topic === 'devices/0/up/telemetry'))
})
