/** Who is admitted, and with which code. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { World } from '#testing'
import { join, scene, seen } from './scene.ts'
import { Terminal } from './terminal.ts'

test('before authentication everything else is ignored and counted', async () => {
  const { world, gateway, app } = await scene()
  const terminal = new Terminal(gateway.connect())
  terminal.send(terminal.location(), terminal.heartbeat(), terminal.raw(0x0900), terminal.deregister())
  assert.deepEqual(terminal.read(), [])
  assert.deepEqual(seen(app), [])
  assert.equal(world.counters().get('unauthenticated'), 4)
})

test('a registration that is too short is answered as a bad message', async () => {
  const { gateway } = await scene()
  const terminal = new Terminal(gateway.connect())
  terminal.send(terminal.raw(0x0100, new Uint8Array(20)))
  assert.deepEqual(terminal.results(), [[0x0100, 2]])
})

test('a connection that does not authenticate is closed', async () => {
  const { world, gateway } = await scene({ auth: { timeout: '30s' } })
  const terminal = new Terminal(gateway.connect())
  terminal.send(terminal.register())
  world.advance(29_999)
  assert.equal(terminal.peer.closed, undefined)
  world.advance(1)
  assert.equal(terminal.peer.closed, 'connect-timeout')
})

test('with issued codes only the code of the registration is accepted', async () => {
  const { gateway, world } = await scene({ auth: { mode: 'issued' } })
  const terminal = new Terminal(gateway.connect())
  terminal.send(terminal.register())
  const { auth_code } = terminal.one('register-response').body
  assert.match(auth_code, /^[0-9a-f]{16}$/)
  terminal.send(terminal.register())
  assert.equal(terminal.one('register-response').body.auth_code, auth_code, 'a repeated registration gets the same code')
  terminal.send(terminal.authenticate('guess'))
  assert.deepEqual(terminal.results(), [[0x0102, 1]])
  assert.equal(world.counters().get('auth-refused'), 1)
  terminal.send(terminal.authenticate(auth_code))
  assert.deepEqual(terminal.results(), [[0x0102, 0]])

  const again = new Terminal(gateway.connect())
  again.send(again.authenticate(auth_code))
  assert.deepEqual(again.results(), [[0x0102, 0]], 'a reconnect needs no registration')

  const other = new Terminal(gateway.connect(), '013900000000')
  other.send(other.authenticate(auth_code))
  assert.deepEqual(other.results(), [[0x0102, 1]], 'the code belongs to one phone')
})

test('issued codes are derived from the secret: the same after a restart, others with another secret', async () => {
  const code = async (secret?: string) => {
    const { gateway } = await scene({ auth: { mode: 'issued', secret } })
    const terminal = new Terminal(gateway.connect())
    terminal.send(terminal.register())
    return terminal.one('register-response').body.auth_code
  }
  const first = await code('a secret of the fleet')
  assert.equal(await code('a secret of the fleet'), first)
  assert.notEqual(await code('another secret of it'), first)
  const { gateway } = await scene({ auth: { mode: 'issued', secret: 'a secret of the fleet' } })
  const terminal = new Terminal(gateway.connect())
  terminal.send(terminal.authenticate(first))
  assert.deepEqual(terminal.results(), [[0x0102, 0]], 'no registration is needed after the restart')
})

test('a terminal that deregistered must register again; the oldest of too many is forgotten', async () => {
  const { world, gateway } = await scene({ auth: { mode: 'issued', maxDeregistered: 1 } })
  const result = (phone: string, code: string) => {
    const terminal = new Terminal(gateway.connect(), phone)
    terminal.send(terminal.authenticate(code))
    return terminal.results()[0]?.[1]
  }
  const codes = ['013800000001', '013800000002'].map((phone) => {
    const terminal = new Terminal(gateway.connect(), phone)
    terminal.send(terminal.register())
    const { auth_code } = terminal.one('register-response').body
    terminal.send(terminal.authenticate(auth_code), terminal.deregister())
    assert.equal(result(phone, auth_code), 1)
    return auth_code
  })
  assert.equal(result('013800000001', codes[0] as string), 0, 'it made room for the second')
  assert.equal(result('013800000002', codes[1] as string), 1)
  assert.equal(world.counters().get('deregistration-forgotten'), 1)
  const again = new Terminal(gateway.connect(), '013800000002')
  again.send(again.register())
  again.read()
  again.send(again.authenticate(codes[1] as string))
  assert.deepEqual(again.results(), [[0x0102, 0]])
})

test('a flood of registrations on one connection ends it', async () => {
  const { world, gateway } = await scene({ auth: { maxAttempts: 3 } })
  const terminal = new Terminal(gateway.connect())
  for (let i = 0; i < 5; i++) terminal.send(terminal.register())
  assert.equal(terminal.read().length, 3)
  assert.equal(terminal.peer.closed, 'not-authorized')
  assert.equal(world.counters().get('too-many-attempts'), 1)
})

test('codes that are tried one after the other end the connection', async () => {
  const { world, gateway } = await scene({ auth: { mode: 'issued', maxAttempts: 3 } })
  const terminal = new Terminal(gateway.connect())
  for (let i = 0; i < 5; i++) terminal.send(terminal.authenticate(`guess ${i}`))
  assert.deepEqual(terminal.results(), Array(4).fill([0x0102, 1]))
  assert.equal(terminal.peer.closed, 'not-authorized')
  assert.equal(world.counters().get('auth-refused'), 4)
})

test('a static code is given to everyone and demanded of everyone', async () => {
  const { gateway } = await scene({ auth: { mode: 'static', code: 'AUTH01' } })
  const terminal = new Terminal(gateway.connect())
  terminal.send(terminal.register())
  assert.equal(terminal.one('register-response').body.auth_code, 'AUTH01')
  terminal.send(terminal.authenticate('AUTH02'), terminal.authenticate('AUTH01'))
  assert.deepEqual(terminal.results(), [
    [0x0102, 1],
    [0x0102, 0],
  ])
})

test('the broker may refuse the terminal, and admit it later', async () => {
  let ok = false
  const access = { authenticate: () => (ok ? ({ ok: true } as const) : ({ ok: false, reason: 'bad-credentials' } as const)) }
  const { gateway } = await scene({}, new World({ access }))
  const terminal = new Terminal(gateway.connect())
  terminal.send(terminal.authenticate('any'))
  assert.deepEqual(terminal.results(), [[0x0102, 1]])
  ok = true
  terminal.send(terminal.authenticate('any'))
  assert.deepEqual(terminal.results(), [[0x0102, 0]])
})

test('frames behind an authentication that takes its time wait for it', async () => {
  let admit: (verdict: { ok: true }) => void = () => {}
  const verdict = new Promise<{ ok: true }>((resolve) => {
    admit = resolve
  })
  const { world, gateway, app } = await scene({}, new World({ access: { authenticate: () => verdict } }))
  const terminal = new Terminal(gateway.connect())
  terminal.send(join(terminal.register(), terminal.authenticate('any'), terminal.location()))
  terminal.send(terminal.heartbeat())
  assert.equal(terminal.one('register-response').type, 'register-response')
  admit({ ok: true })
  await verdict
  world.settle()
  assert.deepEqual(terminal.results(), [
    [0x0102, 0],
    [0x0200, 0],
    [0x0002, 0],
  ])
  assert.deepEqual(seen(app), ['online', 'registered', 'authenticated', 'location'])
})

test('a terminal that authenticates twice stays connected', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  terminal.send(terminal.authenticate('any'))
  assert.deepEqual(terminal.results(), [[0x0102, 0]])
  assert.deepEqual(seen(app), [])
})

test('a phone with letters is served under them, and counted', async () => {
  const { world, gateway, app } = await scene()
  const terminal = new Terminal(gateway.connect(), '0138123456af')
  terminal.send(terminal.authenticate('any'), terminal.location())
  assert.deepEqual(terminal.results(), [
    [0x0102, 0],
    [0x0200, 0],
  ])
  assert.equal(app.take().at(-1)?.topic, 'devices/0138123456af/up/telemetry')
  assert.equal(world.counters().get('odd-phone'), 1)
})

test('a registration under another phone does not admit this one', async () => {
  const { world, gateway } = await scene()
  const terminal = new Terminal(gateway.connect())
  terminal.send(terminal.register())
  terminal.read()
  const other = new Terminal(terminal.peer, '013900000000')
  other.send(other.authenticate('any'))
  assert.deepEqual(other.results(), [[0x0102, 1]])
  assert.equal(world.counters().get('foreign-phone'), 1)
})
