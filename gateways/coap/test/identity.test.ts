/** Identity, not address: who a request speaks for, and where a client is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CON, GET, POST } from '#stacks/coap/codes'
import { World, type WorldOptions } from '#testing'
import coap from '../index.ts'
import { Device, nextJson } from './device.ts'

async function start(config: object = {}, options: WorldOptions = {}) {
  const world = new World(options)
  const gateway = await world.gateway(coap, config)
  return { world, gateway, app: world.app('app'), device: new Device(gateway) }
}

/** Lets in who knows the password `right`, after the test says so. */
function slowAccess() {
  const decisions: (() => void)[] = []
  return {
    decide: async () => {
      for (const decision of decisions.splice(0)) decision()
      await new Promise((resolve) => setImmediate(resolve))
    },
    authenticate: ({ request }: { request: { password?: Uint8Array; protocol: string } }) =>
      new Promise<{ ok: true } | { ok: false; reason: 'bad-credentials' }>((resolve) => {
        const ok = new TextDecoder().decode(request.password) === 'right'
        decisions.push(() => resolve(ok ? { ok } : { ok: false, reason: 'bad-credentials' }))
      }),
  }
}

const passwordAccess = {
  authenticate: ({ request }: { request: { password?: Uint8Array; protocol: string } }) =>
    request.protocol !== 'coap' || new TextDecoder().decode(request.password) === 'right'
      ? { ok: true as const }
      : { ok: false as const, reason: 'bad-credentials' as const },
}

test('one address speaks for several client ids', async () => {
  const { world, device } = await start()
  for (const id of ['d1', 'd2', 'd3']) device.ask({ code: POST, uri: `/ps/a?clientid=${id}`, payload: 'x' })
  for (const id of ['d1', 'd2', 'd3']) assert.equal(world.core.client(id)?.connected, true)
})

test('requests without client id share one assigned client per address', async () => {
  const { world, app, gateway, device } = await start()
  app.subscribe('$SYS/none')
  const before = world.core.size
  device.ask({ code: POST, uri: '/ps/a', payload: 'x' })
  device.ask({ code: POST, uri: '/ps/b', payload: 'x' })
  assert.equal(world.core.size, before + 1)
  new Device(gateway).ask({ code: POST, uri: '/ps/a', payload: 'x' })
  assert.equal(world.core.size, before + 2)
})

test('a client at a new address takes its observations along', async () => {
  const { world, gateway, app, device } = await start()
  device.ask({ code: GET, uri: '/ps/a?c=d1', observe: 0, token: 'ob' })
  const moved = new Device(gateway, '10.9.9.9')
  moved.ask({ code: POST, uri: '/ps/x?c=d1', payload: 'hello from elsewhere' })
  app.publish('a', '1')
  assert.deepEqual(device.got(), [])
  const notification = moved.one()
  assert.deepEqual([notification.text, notification.token], ['1', 'ob'])
  assert.equal(world.core.client('d1')?.connected, true)
  assert.equal(world.counters().get('moved'), 1)
})

test('a notification under way when the client moves is sent again to the new address', async () => {
  const { world, gateway, app, device } = await start()
  device.ask({ code: GET, uri: '/ps/a?c=d1', observe: 0, token: 'ob' })
  app.publish('a', '1', { qos: 1 })
  assert.equal(device.one().type, CON)
  const moved = new Device(gateway, '10.9.9.9')
  moved.send({ code: POST, uri: '/ps/x?c=d1', payload: 'hello' })
  const [again] = moved.got().filter(({ type }) => type === CON)
  assert.equal(again?.text, '1')
  moved.ack(again?.messageId ?? 0)
  assert.equal(world.core.client('d1')?.unacknowledged, 0)
  world.advance(100_000)
  assert.deepEqual(device.got(), [], 'the old address is left in peace')
})

test('notifications follow the address that was used last', async () => {
  const { gateway, app, device } = await start()
  const other = new Device(gateway)
  device.ask({ code: GET, uri: '/ps/a?c=d1', observe: 0, token: 'ob' })
  for (const here of [other, device, other]) {
    here.ask({ code: POST, uri: '/ps/x?c=d1', payload: 'x' })
    app.publish('a', '1')
    assert.equal(here.one().text, '1')
  }
})

test('an observation whose token is taken at the new address ends', async () => {
  const { world, gateway, app, device } = await start()
  const other = new Device(gateway)
  device.ask({ code: GET, uri: '/ps/a?c=d1', observe: 0, token: 'ob' })
  other.ask({ code: GET, uri: '/ps/b?c=d2', observe: 0, token: 'ob' })
  other.ask({ code: POST, uri: '/ps/x?c=d1', payload: 'x' })
  app.publish('a', '1')
  app.publish('b', '2')
  assert.equal(other.one().text, '2')
  assert.equal(world.counters().get('observation-ended-token-in-use'), 1)
})

test('wrong credentials are 4.01, and do not touch the client that has them right', async () => {
  const { world, gateway, app, device } = await start({}, { access: passwordAccess })
  assert.equal(device.ask({ code: GET, uri: '/ps/a?c=d1&u=me&p=right', observe: 0, token: 'ob' }).code, '2.05')
  const stranger = new Device(gateway)
  const refused = stranger.ask({ code: POST, uri: '/ps/a?c=d1&u=me&p=wrong', payload: 'x' })
  assert.equal(refused.code, '4.01')
  assert.match(refused.text, /Login Failed/)
  assert.equal(stranger.ask({ code: POST, uri: '/ps/a?c=d1', payload: 'x' }).code, '4.01')
  assert.equal(device.ask({ code: POST, uri: '/ps/b?c=d1&u=me&p=righ', payload: 'x' }).code, '4.01')
  app.publish('a', 'still here')
  assert.equal(device.one().text, 'still here')
  assert.equal(world.core.client('d1')?.connected, true)
})

test('requests wait while the login is undecided, up to a bound', async () => {
  const access = slowAccess()
  const { app, device } = await start({ limits: { maxPendingRequests: 2 } }, { access })
  app.subscribe('a')
  for (const payload of ['1', '2']) device.send({ code: POST, uri: '/ps/a?c=d1&p=right', payload })
  assert.deepEqual(device.got(), [])
  const overflow = device.ask({ code: POST, uri: '/ps/a?c=d1&p=right', payload: '3' })
  assert.equal(overflow.code, '5.03')
  await access.decide()
  assert.deepEqual(
    device.got().map(({ code }) => code),
    ['2.04', '2.04'],
  )
  assert.deepEqual(
    app.take().map(({ text }) => text),
    ['1', '2'],
  )
})

test('a login that takes long is acknowledged first and answered separately', async () => {
  const access = slowAccess()
  const { world, device } = await start({}, { access })
  const request = device.send({ code: POST, uri: '/ps/a?c=d1&p=right', payload: 'x', messageId: 77, token: 'tk' })
  world.advance(1000)
  const empty = device.one()
  assert.deepEqual([empty.code, empty.messageId], ['0.00', 77])
  device.repeat(request)
  assert.equal(device.one().code, '0.00', 'a repetition gets the acknowledgement again')
  await access.decide()
  const answer = device.one()
  assert.deepEqual([answer.type, answer.code, answer.token], [CON, '2.04', 'tk'])
  assert.notEqual(answer.messageId, 77)
  device.ack(answer.messageId)
  world.advance(100_000)
  assert.deepEqual(device.got(), [])
})

test('a refused login answers everything that waited', async () => {
  const access = slowAccess()
  const { world, device } = await start({}, { access })
  for (const payload of ['1', '2']) device.send({ code: POST, uri: '/ps/a?c=d1&p=wrong', payload })
  await access.decide()
  assert.deepEqual(
    device.got().map(({ code }) => code),
    ['4.01', '4.01'],
  )
  assert.equal(world.core.client('d1'), undefined)
})

test('another protocol that takes the client id over: the observers are told', async () => {
  const { world, device } = await start()
  device.ask({ code: GET, uri: '/ps/a?c=d1', observe: 0, token: 'ob' })
  world.app('d1')
  const last = device.one()
  assert.deepEqual([last.code, last.token, last.observe], ['4.01', 'ob', undefined])
  assert.match(last.text, /taken over/)
  assert.equal(world.faults(), 0)
})

test('a kicked client tells its observers', async () => {
  const { world, device } = await start()
  device.ask({ code: GET, uri: '/ps/a?c=d1', observe: 0, token: 'ob' })
  assert.equal(world.core.kick('d1'), true)
  const last = device.one()
  assert.equal(last.code, '5.03')
  assert.match(last.text, /operator/)
})

test('a client without observations goes offline when idle, and comes back with the next request', async () => {
  const { world, app, device } = await start({ idleTimeout: '1m' })
  app.subscribe('devices/d1/status')
  device.ask({ code: POST, uri: '/ps/a?c=d1', payload: 'x' })
  world.advance(50_000)
  device.ask({ code: POST, uri: '/ps/a?c=d1', payload: 'x' })
  world.advance(50_000)
  assert.deepEqual(
    app.take().map((got) => (got.json() as { online: boolean }).online),
    [true],
  )
  world.advance(11_000)
  assert.deepEqual(
    app.take().map((got) => (got.json() as { reason: string }).reason),
    ['idle'],
  )
  assert.equal(device.ask({ code: POST, uri: '/ps/a?c=d1', payload: 'x' }).code, '2.04')
  assert.equal(nextJson<{ online: boolean }>(app).online, true)
})

test('a silent address is forgotten when no repetition can come any more', async () => {
  const { world, device } = await start({ idleTimeout: '1m' })
  device.ask({ code: POST, uri: '/ps/a?c=d1', payload: 'x' })
  world.advance(240_000)
  assert.equal(device.peer.closed, undefined)
  world.advance(260_000)
  assert.equal(device.peer.closed, 'idle')
})

test('an address has room for so many clients', async () => {
  const { world, gateway, device } = await start({ limits: { maxClientsPerAddress: 2 } })
  for (const id of ['d1', 'd2']) assert.equal(device.ask({ code: POST, uri: `/ps/a?c=${id}`, payload: 'x' }).code, '2.04')
  assert.equal(device.ask({ code: POST, uri: '/ps/a?c=d3', payload: 'x' }).code, '5.03')
  assert.equal(new Device(gateway).ask({ code: POST, uri: '/ps/a?c=d3', payload: 'x' }).code, '2.04')
  assert.equal(device.ask({ code: POST, uri: '/ps/a?c=d3', payload: 'x' }).code, '5.03', 'nor does it come by moving')
  assert.equal(world.counters().get('address-full'), 2)
})
