/** Connection mode: `/mqtt/connection`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DELETE, GET, POST, PUT } from '#stacks/coap/codes'
import { type TestGateway, World, type WorldOptions } from '#testing'
import coap from '../index.ts'
import { Device } from './device.ts'

async function start(config: object = {}, options: WorldOptions = {}) {
  const world = new World(options)
  const gateway = await world.gateway(coap, { connectionRequired: true, ...config })
  return { world, gateway, app: world.app('app'), device: new Device(gateway) }
}

function logIn(device: Device, id = 'd1'): string {
  const created = device.ask({ code: POST, uri: `/mqtt/connection?clientid=${id}&username=u&password=p` })
  assert.equal(created.code, '2.01')
  assert.match(created.text, /^\d+$/)
  return created.text
}

test('log in, publish with the token, log out', async () => {
  const { world, app, device } = await start()
  app.subscribe('a')
  const token = logIn(device)
  assert.equal(device.ask({ code: POST, uri: `/ps/a?clientid=d1&token=${token}`, payload: 'x' }).code, '2.04')
  assert.equal(app.take().length, 1)
  assert.equal(device.ask({ code: DELETE, uri: `/mqtt/connection?clientid=d1&token=${token}` }).code, '2.02')
  assert.equal(world.core.client('d1'), undefined)
  assert.equal(device.ask({ code: POST, uri: `/ps/a?clientid=d1&token=${token}`, payload: 'x' }).code, '4.01')
})

test('without token or client id nothing is served', async () => {
  const { device } = await start()
  const token = logIn(device)
  for (const query of ['', '?clientid=d1', `?token=${token}`]) {
    const answer = device.ask({ code: POST, uri: `/ps/a${query}`, payload: 'x' })
    assert.deepEqual([answer.code, answer.text], ['4.00', 'Missing token or clientid in connection mode'])
  }
})

test('a wrong token is 4.01, from any address, and the client stays', async () => {
  const { world, gateway, device } = await start()
  const token = logIn(device)
  for (const from of [device, new Device(gateway)]) {
    const answer = from.ask({ code: POST, uri: '/ps/a?clientid=d1&token=1', payload: 'x' })
    assert.deepEqual([answer.code, answer.text], ['4.01', 'Invalid token or clientid in connection mode'])
  }
  assert.equal(device.ask({ code: POST, uri: `/ps/a?clientid=d1&token=${token}`, payload: 'x' }).code, '2.04')
  assert.equal(world.counters().get('token-refused'), 2)
})

test('the right token from a new address moves the client and its observations', async () => {
  const { gateway, app, device } = await start()
  const token = logIn(device)
  device.ask({ code: GET, uri: `/ps/a?clientid=d1&token=${token}`, observe: 0, token: 'ob' })
  const moved = new Device(gateway)
  assert.equal(moved.ask({ code: PUT, uri: `/mqtt/connection?clientid=d1&token=${token}` }).code, '2.04')
  app.publish('a', '1')
  assert.equal(moved.one().text, '1')
  assert.deepEqual(device.got(), [])
})

test('a failed login is 4.01 and says why', async () => {
  const access = { authenticate: () => ({ ok: false as const, reason: 'bad-credentials' as const }) }
  const world = new World({ access })
  const device = new Device(await world.gateway(coap, { connectionRequired: true }))
  const answer = device.ask({ code: POST, uri: '/mqtt/connection?clientid=d1&username=u&password=p' })
  assert.equal(answer.code, '4.01')
  assert.match(answer.text, /^Login Failed: /)
})

test('a login needs a client id', async () => {
  const { device } = await start()
  const answer = device.ask({ code: POST, uri: '/mqtt/connection' })
  assert.deepEqual([answer.code, answer.text], ['4.00', 'Login Failed: clientid is required'])
})

test('a second login from the same address is refused, from another it takes over', async () => {
  const { gateway, device } = await start()
  const token = logIn(device)
  const again = device.ask({ code: POST, uri: '/mqtt/connection?clientid=d1' })
  assert.deepEqual([again.code, again.text], ['4.00', 'Bad Request: client has connected'])
  device.ask({ code: GET, uri: `/ps/a?clientid=d1&token=${token}`, observe: 0, token: 'ob' })
  const elsewhere = new Device(gateway)
  const newToken = logIn(elsewhere)
  assert.notEqual(newToken, token)
  assert.match(device.one().text, /taken over/)
  assert.equal(device.ask({ code: POST, uri: `/ps/a?clientid=d1&token=${token}`, payload: 'x' }).code, '4.01')
  assert.equal(elsewhere.ask({ code: POST, uri: `/ps/a?clientid=d1&token=${newToken}`, payload: 'x' }).code, '2.04')
})

test('one address may log in several clients', async () => {
  const { device } = await start()
  const tokens = ['d1', 'd2'].map((id) => logIn(device, id))
  for (const [i, id] of ['d1', 'd2'].entries()) {
    assert.equal(device.ask({ code: POST, uri: `/ps/a?clientid=${id}&token=${tokens[i]}`, payload: 'x' }).code, '2.04')
    assert.equal(device.ask({ code: POST, uri: `/ps/a?clientid=${id}&token=${tokens[1 - i]}`, payload: 'x' }).code, '4.01')
  }
})

test('heartbeats keep the client; after one and a half without any traffic it is gone', async () => {
  const { world, app, device } = await start({ heartbeat: '30s' })
  app.subscribe('devices/d1/status')
  const token = logIn(device)
  const reasons = () => app.take().map((got) => (got.json() as { reason?: string }).reason)
  assert.deepEqual(reasons(), [undefined])
  for (let i = 0; i < 5; i++) {
    world.advance(40_000)
    assert.equal(device.ask({ code: PUT, uri: `/mqtt/connection?clientid=d1&token=${token}` }).code, '2.04')
  }
  world.advance(44_000)
  assert.deepEqual(reasons(), [])
  world.advance(2000)
  assert.deepEqual(reasons(), ['keepalive-timeout'])
})

test('any request counts as a sign of life', async () => {
  const { world, device } = await start({ heartbeat: '30s' })
  const token = logIn(device)
  for (let i = 0; i < 5; i++) {
    world.advance(40_000)
    assert.equal(device.ask({ code: POST, uri: `/ps/a?clientid=d1&token=${token}`, payload: 'x' }).code, '2.04')
  }
})

test('the configured heartbeat is what the registry shows', async () => {
  const { world, device } = await start({ heartbeat: '50s' })
  logIn(device)
  assert.equal(world.core.client('d1')?.keepAliveMs, 50_000)
})

test('logging out twice, or without ever having logged in, is success', async () => {
  const { device } = await start()
  assert.equal(device.ask({ code: DELETE, uri: '/mqtt/connection' }).code, '2.02')
  assert.equal(device.ask({ code: DELETE, uri: '/mqtt/connection?clientid=d1&token=9' }).code, '2.02')
  logIn(device)
  assert.equal(device.ask({ code: DELETE, uri: '/mqtt/connection?clientid=d1&token=9' }).code, '4.01')
})

test('logging out ends the observations without a word', async () => {
  const { app, device } = await start()
  const token = logIn(device)
  device.ask({ code: GET, uri: `/ps/a?clientid=d1&token=${token}`, observe: 0, token: 'ob' })
  assert.equal(device.ask({ code: DELETE, uri: `/mqtt/connection?clientid=d1&token=${token}` }).code, '2.02')
  app.publish('a', '1')
  assert.deepEqual(device.got(), [])
})

test('a repeated login request gets the same token', async () => {
  const { device }: { device: Device; gateway: TestGateway } = await start()
  const request = device.send({ code: POST, uri: '/mqtt/connection?clientid=d1' })
  const [first] = device.peer.take()
  device.repeat(request)
  assert.deepEqual(device.peer.take(), [first])
})

test('where it is not required, a login still protects its client id', async () => {
  const { gateway, device } = await start({ connectionRequired: false })
  const token = logIn(device)
  assert.equal(new Device(gateway).ask({ code: POST, uri: '/ps/a?clientid=d1', payload: 'x' }).code, '4.00')
  assert.equal(device.ask({ code: POST, uri: `/ps/a?clientid=d1&token=${token}`, payload: 'x' }).code, '2.04')
  assert.equal(device.ask({ code: POST, uri: '/ps/a?clientid=d2', payload: 'x' }).code, '2.04')
  assert.equal(device.ask({ code: POST, uri: '/ps/a?clientid=d2&token=1', payload: 'x' }).code, '4.01')
})
