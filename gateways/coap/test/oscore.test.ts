/** Devices that protect their requests by OSCORE: RFC 8613, with pre-shared contexts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CHANGED, codeText, DELETE, GET, NON, POST, PUT } from '#stacks/coap/codes'
import { BLOCK1, BLOCK2, ECHO, MAX_AGE, NO_RESPONSE, OSCORE, opaqueOption, uintOption } from '#stacks/coap/options'
import { decodeOscoreHeader } from '#stacks/coap/oscore/option'
import { World } from '#testing'
import coap from '../index.ts'
import { Device } from './device.ts'
import { account, type Opened, SecureDevice, SecureHistory } from './secure-device.ts'

const START = { code: POST, uri: '/ps/a', payload: 'x' } as const

function partialIv({ outer }: Opened): number | undefined {
  const { partialIv: bytes } = decodeOscoreHeader(outer.options.opaque(OSCORE) ?? assert.fail('no OSCORE')) ?? assert.fail()
  return bytes === undefined ? undefined : Buffer.from(bytes).readUIntBE(0, bytes.length)
}

test('a protected publish is of the client whose context it is, and nothing of it can be read', async (t) => {
  const { world, gateway } = await new SecureHistory(t).start()
  const app = world.app('app')
  app.subscribe('secret/#')
  const device = new SecureDevice(gateway)
  const bytes = device.send({ code: POST, uri: '/ps/secret/a', payload: 'attack at dawn' })
  const { code, outer, inner } = device.one()
  assert.deepEqual([code, codeText(outer.code), inner !== undefined], ['2.04', codeText(CHANGED), true])
  assert.deepEqual(
    app.take().map(({ topic, text }) => [topic, text]),
    [['secret/a', 'attack at dawn']],
  )
  assert.equal(world.core.client('d1')?.connected, true)
  const sent = Buffer.from(bytes).toString('latin1')
  assert.ok(!sent.includes('attack') && !sent.includes('secret'))
  assert.equal(device.ask({ code: GET, uri: '/ps/secret/b' }).code, '4.04')
})

test('bodies go up and down in protected blocks, and nobody goes on with them without protection', async (t) => {
  const { world, gateway } = await new SecureHistory(t, undefined, { blockwise: { maxBlockSize: 64 } }).start()
  const app = world.app('app')
  app.subscribe('large')
  const device = new SecureDevice(gateway)
  const text = 'abcdefgh'.repeat(20)
  const uri = '/ps/large?retain=true'
  for (const [number, more] of [
    [0, true],
    [1, true],
    [2, false],
  ] as const) {
    const block = uintOption(BLOCK1, number * 16 + (more ? 8 : 0) + 2)
    if (number === 1) {
      assert.equal(device.plain({ code: PUT, uri, payload: 'y'.repeat(64), options: [block] }).code, '4.08')
    }
    const payload = text.slice(number * 64, number * 64 + 64)
    assert.equal(device.ask({ code: PUT, uri, payload, options: [block] }).code, more ? '2.31' : '2.04')
  }
  assert.equal(app.take()[0]?.text, text)
  const down = [0, 1, 2].map((number) =>
    device.ask({ code: GET, uri: '/ps/large', options: [uintOption(BLOCK2, number * 16 + 2)] }),
  )
  assert.equal(down.map((part) => part.text).join(''), text)
})

test('notifications are protected, each with a Partial IV of its own, until the client cancels', async (t) => {
  const { world, gateway } = await new SecureHistory(t).start()
  const app = world.app('app')
  app.publish('news', 'zero', { retain: true })
  const device = new SecureDevice(gateway)
  const seen = [device.ask({ code: GET, uri: '/ps/news', observe: 0, token: 'ob' })]
  for (const [qos, text] of ['one', 'two', 'three'].entries()) {
    app.publish('news', text, { qos: qos as 0 | 1 | 2 })
    seen.push(...device.got())
  }
  assert.deepEqual(
    seen.map(({ code, text, observe, inner }) => [code, text, observe, inner !== undefined]),
    ['zero', 'one', 'two', 'three'].map((text) => ['2.05', text, 0, true]),
  )
  const numbers = seen.map((opened) => partialIv(opened) ?? assert.fail('no Partial IV'))
  assert.deepEqual(
    numbers,
    [...new Set(numbers)].sort((a, b) => a - b),
  )
  assert.equal(device.ask({ code: GET, uri: '/ps/news', observe: 1, token: 'ob' }).code, '2.05')
  app.publish('news', 'nobody wants it')
  assert.deepEqual(device.got(), [])
})

test('who registers again is told by notifications of the new registration', async (t) => {
  const { world, gateway } = await new SecureHistory(t).start()
  const app = world.app('app')
  const device = new SecureDevice(gateway)
  for (const text of ['one', 'two']) {
    assert.equal(device.ask({ code: GET, uri: '/ps/news', observe: 0, token: 'ob' }).code, '2.05')
    app.publish('news', text)
    assert.equal(device.one().text, text)
  }
})

test('over a stream it is the same', async (t) => {
  const { world, gateway } = await new SecureHistory(t).start()
  const app = world.app('app')
  const device = new SecureDevice(gateway, {}, '10.0.0.1', true)
  assert.equal(device.ask({ code: GET, uri: '/ps/news', observe: 0, token: 'ob' }).code, '2.05')
  for (const qos of [0, 1] as const) {
    app.publish('news', `QoS ${qos}`, { qos })
    assert.equal(device.one().text, `QoS ${qos}`)
  }
})

test('the last notification is protected too, and says that it is over', async (t) => {
  const { world, gateway } = await new SecureHistory(t).start()
  const device = new SecureDevice(gateway)
  device.ask({ code: GET, uri: '/ps/news', observe: 0, token: 'ob' })
  world.core.kick('d1')
  const { code, observe, inner } = device.one()
  assert.deepEqual([code, observe, inner !== undefined], ['5.03', undefined, true])
})

test('a client at a new address takes its observations along', async (t) => {
  const { world, gateway } = await new SecureHistory(t).start()
  const app = world.app('app')
  const device = new SecureDevice(gateway)
  device.ask({ code: GET, uri: '/ps/news', observe: 0, token: 'ob' })
  device.moveTo(gateway, '10.9.9.9')
  device.ask(START)
  app.publish('news', 'one', { qos: 1 })
  assert.equal(device.one().text, 'one')
})

test('who has only seen the token does not end a protected observation', async (t) => {
  const { world, gateway } = await new SecureHistory(t).start()
  const app = world.app('app')
  const device = new SecureDevice(gateway)
  device.ask({ code: GET, uri: '/ps/news', observe: 0, token: 'ob' })
  assert.equal(device.plain({ code: GET, uri: '/ps/other', observe: 0, token: 'ob' }).code, '4.00')
  assert.equal(device.plain({ code: GET, uri: '/ps/news', observe: 1, token: 'ob' }).code, '2.05')
  assert.equal(device.plain({ code: GET, uri: '/ps/news?clientid=d1', observe: 1, token: 'ob' }).code, '4.01')
  app.publish('news', 'one')
  assert.equal(device.one().text, 'one')
})

test('errors are told without protection, as section 8.2 says, and counted', async (t) => {
  const { world, gateway } = await new SecureHistory(t).start()
  const device = new SecureDevice(gateway)
  const bytes = device.send(START)
  device.got()
  /** With another message id: no duplicate to the message layer. */
  const replay = (): Opened => {
    const copy = Uint8Array.from(bytes)
    copy[2] = (copy[2] as number) ^ 0x40
    device.peer.send(copy)
    return device.one()
  }
  const told = ({ code, text, outer, inner }: Opened) => [code, text, outer.options.uint(MAX_AGE), inner]
  assert.deepEqual(told(replay()), ['4.01', 'Replay detected', 0, undefined])
  const stranger = new SecureDevice(gateway, { sender: '07' })
  assert.deepEqual(told(stranger.ask(START)), ['4.01', 'Security context not found', 0, undefined])
  const forger = new SecureDevice(gateway, { masterSecret: 'ff'.repeat(16) })
  for (let i = 0; i < 40; i++) forger.context.nextPartialIv()
  assert.deepEqual(told(forger.ask(START)), ['4.00', 'Decryption failed', 0, undefined])
  assert.deepEqual(told(forger.plain({ ...START, options: [opaqueOption(OSCORE, Uint8Array.of(0xe9, 1, 0))] })), [
    '4.02',
    'Failed to decode COSE',
    0,
    undefined,
  ])
  forger.send({ ...START, type: NON })
  assert.deepEqual(forger.got(), [], 'a NON is not answered')
  assert.equal(world.counters().get('oscore-refused'), 5)
  assert.equal(device.ask(START).code, '2.04', 'a forgery uses up no number')
})

test('a client that protects its requests does not speak without, and speaks for itself alone', async (t) => {
  const { world, gateway } = await new SecureHistory(t, [account('d1'), account('d2', { sender: '02' })]).start()
  const stranger = new Device(gateway)
  for (const online of [false, true]) {
    if (online) assert.equal(new SecureDevice(gateway).ask(START).code, '2.04')
    assert.equal(stranger.ask({ ...START, uri: '/ps/a?clientid=d1' }).code, '4.01')
    assert.equal(stranger.ask({ code: POST, uri: '/mqtt/connection?clientid=d1' }).code, '4.01')
    assert.equal(stranger.ask({ ...START, uri: '/ps/a?clientid=other' }).code, '2.04')
  }
  assert.equal(stranger.ask({ code: DELETE, uri: '/mqtt/connection?clientid=d1' }).code, '4.01')
  const second = new SecureDevice(gateway, { sender: '02' })
  const { code, inner } = second.ask({ ...START, uri: '/ps/a?clientid=d1' })
  assert.deepEqual([code, inner !== undefined], ['4.03', true])
  assert.equal(second.ask({ ...START, uri: '/ps/a?clientid=d2' }).code, '2.04')
  assert.equal(world.counters().get('protection-missing'), 5)
  assert.equal(world.counters().get('protection-mismatch'), 1)
})

test('in connection mode the context is proof enough, and a login works too', async (t) => {
  const { gateway } = await new SecureHistory(t, undefined, { connectionRequired: true }).start()
  const device = new SecureDevice(gateway)
  assert.equal(device.ask(START).code, '2.04')
  assert.equal(device.ask({ code: POST, uri: '/mqtt/connection' }).code, '2.01')
  assert.equal(device.ask({ code: PUT, uri: '/mqtt/connection' }).code, '2.04')
  assert.equal(device.ask({ code: DELETE, uri: '/mqtt/connection' }).code, '2.02')
})

test('the broker asks for the credentials of the account, or those that the device names', async (t) => {
  const asked: unknown[] = []
  const authenticate = ({ request }: { request: { protocol: string; username?: string; password?: Uint8Array } }) => {
    if (request.protocol === 'coap') asked.push([request.username, new TextDecoder().decode(request.password)])
    return { ok: true as const }
  }
  const accounts = [{ ...account('d1'), username: 'meter', password: 'right' }]
  const { gateway } = await new SecureHistory(t, accounts).start({ access: { authenticate } })
  const device = new SecureDevice(gateway)
  device.ask(START)
  device.ask(START)
  assert.deepEqual(asked, [['meter', 'right']])
})

test('the ID context tells contexts of the same id apart, and may be left out where it is clear', async (t) => {
  const named = { sender: '05', idContext: '37cbf3210017a2d3' }
  const twins = [account('a', { sender: '06', idContext: '01' }), account('b', { sender: '06', idContext: '02' })]
  const { world, gateway } = await new SecureHistory(t, [account('d5', named), ...twins]).start()
  for (const [ids, id] of [
    [named, 'd5'],
    [{ sender: '06', idContext: '01' }, 'a'],
    [{ sender: '06', idContext: '02' }, 'b'],
  ] as const) {
    assert.equal(new SecureDevice(gateway, ids).ask(START).code, '2.04')
    assert.equal(world.core.client(id)?.connected, true)
  }
  assert.equal(new SecureDevice(gateway, { sender: '06', idContext: '03' }).ask(START).text, 'Security context not found')
})

test('No-Response counts where it is protected, and only there', async (t) => {
  const { gateway } = await new SecureHistory(t).start()
  const device = new SecureDevice(gateway)
  const nothingWanted = uintOption(NO_RESPONSE, 26)
  device.send({ ...START, type: NON }, [nothingWanted])
  assert.equal(device.one().code, '2.04')
  device.send({ ...START, type: NON, options: [nothingWanted] })
  assert.deepEqual(device.got(), [])
})

test('after an orderly restart replays are still seen, and no number is used twice', async (t) => {
  const history = new SecureHistory(t)
  const before = await history.start()
  const device = new SecureDevice(before.gateway)
  const recorded = device.send(START)
  device.got()
  const old = device.ask({ code: GET, uri: '/ps/news', observe: 0, token: 'ob' })
  await history.stop()
  const farewell = device.one()

  const after = await history.start()
  device.moveTo(after.gateway)
  device.peer.send(recorded)
  assert.equal(device.one().text, 'Replay detected')
  const again = device.ask({ code: GET, uri: '/ps/news', observe: 0, token: 'ob' })
  assert.equal(again.code, '2.05')
  assert.deepEqual([partialIv(old), partialIv(farewell), partialIv(again)], [0, 1, 2])
})

test('after a crash a request must prove that it is fresh, and no number is used twice', async (t) => {
  const history = new SecureHistory(t)
  const before = await history.start()
  const device = new SecureDevice(before.gateway)
  const recorded = device.send(START)
  device.got()
  const old = device.ask({ code: GET, uri: '/ps/news', observe: 0, token: 'ob' })

  const after = await history.start()
  const app = after.world.app('app')
  app.subscribe('a')
  device.moveTo(after.gateway)
  device.peer.send(recorded)
  const challenged = device.one()
  const echo = challenged.inner?.options.opaque(ECHO) ?? assert.fail('no Echo')
  assert.deepEqual([challenged.code, app.take().length], ['4.01', 0], 'the replay published nothing')
  assert.equal(device.ask({ ...START, options: [opaqueOption(ECHO, Uint8Array.of(1, 2, 3))] }).code, '4.01')
  assert.equal(device.ask({ ...START, options: [opaqueOption(ECHO, echo)] }).code, '2.04')
  assert.equal(device.ask(START).code, '2.04')
  assert.equal(app.take().length, 2)
  device.moveTo(after.gateway, '10.0.0.2')
  device.peer.send(recorded)
  assert.equal(device.one().text, 'Replay detected')
  assert.ok((partialIv(challenged) ?? 0) >= 1024 && partialIv(old) === 0)
  assert.equal(after.world.counters().get('oscore-challenge'), 2)
})

test('other keys for the same ids begin anew', async (t) => {
  const history = new SecureHistory(t)
  const { gateway } = await history.start()
  new SecureDevice(gateway).ask(START)
  await history.stop()
  const masterSecret = 'ab'.repeat(16)
  const after = await history.start({}, [account('d1', { masterSecret })])
  assert.equal(new SecureDevice(after.gateway, { masterSecret }).ask(START).code, '2.04')
})

test('without a store that outlives the process the gateway does not start', async () => {
  await assert.rejects(new World().gateway(coap, { oscore: [account('d1')] }), /node\.durability/)
})

test('contexts that cannot be are refused with their place', async () => {
  for (const [accounts, path] of [
    [[account('a'), account('b')], 'oscore,1,recipientId'],
    [[account('a', { sender: '01' })], 'oscore,0,recipientId'],
    [[account('a', { sender: '0102030405060708' })], 'oscore,0,recipientId'],
    [[{ ...account('a'), algorithm: 'A128GCM', senderId: '01020304050607' }], 'oscore,0,senderId'],
    [[{ ...account('a'), masterSecret: '0102' }], 'oscore,0,masterSecret'],
    [[{ ...account('a'), masterSalt: 'xy' }], 'oscore,0,masterSalt'],
  ] as const) {
    const { issues } = await coap.config['~standard'].validate({ oscore: accounts })
    assert.deepEqual(
      issues?.map((issue) => issue.path?.join(',')),
      [path],
    )
  }
})
