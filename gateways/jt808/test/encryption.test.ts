/** RSA: keys exchanged, bodies read and written encrypted. The terminal's half is node:crypto. */
import assert from 'node:assert/strict'
import { constants, createPublicKey, generateKeyPairSync, privateDecrypt, publicEncrypt } from 'node:crypto'
import { test } from 'node:test'
import { type Message, type Of, readMessage, writeBody } from '../codec/index.ts'
import { scene, seen } from './scene.ts'
import { HERE, Terminal } from './terminal.ts'

const RSA = { rsa: { enabled: true, reply: true } }
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
const modulus = (key: typeof publicKey) => Buffer.from(key.export({ format: 'jwk' }).n ?? '', 'base64url')
const PADDING = constants.RSA_PKCS1_PADDING
const KEY = { e: 65_537, n: Uint8Array.from(modulus(publicKey)) }

/** The platform's public key, by 0x8A00. */
function exchange(terminal: Terminal): typeof publicKey {
  terminal.send(terminal.frame({ type: 'terminal-key', body: KEY }))
  const { e, n } = terminal.one('platform-key').body
  const jwk = {
    kty: 'RSA',
    e: Buffer.from([e >>> 16, e >>> 8, e]).toString('base64url'),
    n: Buffer.from(n).toString('base64url'),
  }
  return createPublicKey({ key: jwk, format: 'jwk' })
}

function encrypt(key: typeof publicKey, plain: Uint8Array): Buffer {
  const blocks: Buffer[] = []
  for (let at = 0; at < plain.length; at += 117)
    blocks.push(publicEncrypt({ key, padding: PADDING }, plain.subarray(at, at + 117)))
  return Buffer.concat(blocks)
}

/** What the platform sent, read with the terminal's key. */
function read(terminal: Terminal): Message[] {
  return terminal.read().map((message) => {
    if (message.type !== 'opaque' || message.why !== 'encrypted') return message
    const blocks: Buffer[] = []
    for (let at = 0; at < message.body.length; at += 128) {
      const block = privateDecrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, message.body.subarray(at, at + 128))
      assert.deepEqual([...block.subarray(0, 2)], [0, 2])
      blocks.push(block.subarray(block.indexOf(0, 2) + 1))
    }
    const plain = Buffer.concat(blocks)
    return readMessage({ ...message.header, encryption: 0 }, plain, 0, plain.length)
  })
}

const LOCATION = writeBody({ type: 'location', body: HERE }, '2013')

test('an encrypted report is read, published as if it were not, and answered encrypted', async () => {
  const { gateway, app } = await scene(RSA)
  const terminal = Terminal.online(gateway)
  const key = exchange(terminal)
  app.take()
  terminal.send(terminal.raw(0x0200, encrypt(key, LOCATION), { encryption: 1 }))
  const [location] = app.take().map((received) => received.json() as { data: { speed_kmh: number }; native: { header: object } })
  assert.equal(location?.data.speed_kmh, 61.4)
  assert.deepEqual(location?.native.header, { msg_id: 0x0200, encrypt: 1, len: 128, phone: '013812345678', msg_sn: 2 })
  const [answer] = read(terminal)
  assert.equal(answer?.type, 'platform-response')
  assert.deepEqual((answer as Of<'platform-response'>).body.id, 0x0200)
})

test('a terminal may authenticate encrypted, with a key that it knows from before', async () => {
  const { gateway } = await scene(RSA)
  const key = exchange(Terminal.online(gateway))
  const terminal = new Terminal(gateway.connect(), '013900000000')
  terminal.send(terminal.raw(0x0102, encrypt(key, Buffer.from('code')), { encryption: 1 }))
  assert.deepEqual(terminal.results(), [[0x0102, 0]])
})

test('parts are encrypted one by one, up and down', async () => {
  const { gateway, app } = await scene(RSA)
  const terminal = Terminal.online(gateway)
  const key = exchange(terminal)
  app.take()
  const waybill = writeBody({ type: 'waybill', body: { data: Uint8Array.from({ length: 300 }, (_, i) => i) } }, '2013')
  for (const sn of [2, 1]) {
    const part = encrypt(key, waybill.subarray((sn - 1) * 200, sn * 200))
    terminal.send(terminal.raw(0x0701, part, { encryption: 1, sn: 10 + sn, part: { total: 2, sn } }))
  }
  assert.deepEqual(seen(app), ['waybill'])
  read(terminal)
  const data = Buffer.alloc(2000, 7)
  const args = { type: 0x41, data: data.toString('base64') }
  app.publish('devices/013812345678/down/command', JSON.stringify({ id: '1', name: 'jt808.8900', args }), { qos: 1 })
  const parts = read(terminal) as Of<'opaque'>[]
  assert.deepEqual(
    parts.map(({ header }) => header.part),
    [
      { total: 3, sn: 1 },
      { total: 3, sn: 2 },
      { total: 3, sn: 3 },
    ],
  )
  assert.deepEqual(Buffer.concat(parts.map(({ body }) => body)).subarray(1), data)
})

test('a message that was encrypted before it was cut is read as well, whatever the order of its parts', async () => {
  const { world, gateway, app } = await scene(RSA)
  const terminal = Terminal.online(gateway)
  const key = exchange(terminal)
  const data = Uint8Array.from({ length: 300 }, (_, i) => i)
  const whole = encrypt(key, writeBody({ type: 'waybill', body: { data } }, '2013'))
  assert.equal(whole.length, 384)
  for (const [octets, order] of [
    [100, [2, 4, 1, 3]],
    [128, [3, 1, 2]],
    [383, [2, 1]],
  ] as const) {
    app.take()
    const part = (sn: number) => whole.subarray((sn - 1) * octets, sn * octets)
    const frames = order.map((sn) =>
      terminal.raw(0x0701, part(sn), { encryption: 1, sn: 10 * octets + sn, part: { total: order.length, sn } }),
    )
    terminal.send(...frames, frames[0] as Uint8Array)
    const [event, ...more] = app
      .take()
      .map((received) => received.json() as { data: { data: string }; native: { header: object } })
    assert.deepEqual([event?.data.data, more], [Buffer.from(data).toString('base64'), []])
    assert.deepEqual(event?.native.header, {
      msg_id: 0x0701,
      encrypt: 1,
      len: 384,
      phone: '013812345678',
      msg_sn: 10 * octets + (order.at(-1) as number),
    })
  }
  assert.equal(world.counters().get('duplicate'), 3)
})

test('parts that make no message together are a bad message, and parts with and without encryption do not mix', async () => {
  const { world, gateway } = await scene(RSA)
  const terminal = Terminal.online(gateway)
  const key = exchange(terminal)
  const part = (sn: number, body: Uint8Array, encryption: number) =>
    terminal.raw(0x0701, body, { encryption, sn: 10 + sn, part: { total: 2, sn } })
  terminal.send(part(1, encrypt(key, new Uint8Array(4)), 1), part(2, new Uint8Array(100), 1))
  assert.deepEqual(
    read(terminal).map((message) => (message as Of<'platform-response'>).body.result),
    [0, 2],
  )
  assert.equal(world.malformed().get('bad-body'), 1)
  terminal.send(part(1, encrypt(key, new Uint8Array(4)), 1), part(2, new Uint8Array(100), 0))
  world.advance(60_000)
  assert.equal(world.counters().get('assembly-given-up'), 2)
})

test('missing parts of encrypted media are asked for with 0x8003: the number of the media cannot be read yet', async () => {
  const { world, gateway } = await scene(RSA)
  const terminal = Terminal.online(gateway)
  const key = exchange(terminal)
  terminal.send(terminal.raw(0x0801, encrypt(key, new Uint8Array(100)), { encryption: 1, sn: 11, part: { total: 2, sn: 1 } }))
  read(terminal)
  world.advance(5_000)
  const [ask] = read(terminal)
  assert.equal(ask?.type, 'platform-resend')
  assert.deepEqual((ask as Of<'platform-resend'>).body.ids, [2])
})

test('what is not for the platform’s key is a bad message', async () => {
  const { world, gateway, app } = await scene(RSA)
  const terminal = Terminal.online(gateway)
  exchange(terminal)
  app.take()
  for (const body of [encrypt(publicKey, LOCATION), new Uint8Array(128), new Uint8Array(100)]) {
    terminal.send(terminal.raw(0x0200, body, { encryption: 1 }))
    const [answer] = read(terminal)
    assert.equal((answer as Of<'platform-response'>).body.result, 2)
  }
  assert.equal(world.malformed().get('bad-body'), 3)
  terminal.send(terminal.raw(0x0200, new Uint8Array(128), { encryption: 2 }))
  assert.equal((read(terminal)[0] as Of<'platform-response'>).body.result, 3, 'another kind of encryption')
  assert.deepEqual(seen(app), ['unknown'])
})

test('a key that is none, and terminals that shall not be answered encrypted, are answered in the clear', async () => {
  const { world, gateway } = await scene(RSA)
  const terminal = Terminal.online(gateway)
  terminal.send(terminal.frame({ type: 'terminal-key', body: { e: 0, n: new Uint8Array(128) } }))
  terminal.one('platform-key')
  terminal.send(terminal.heartbeat())
  assert.deepEqual(terminal.results(), [[0x0002, 0]])
  assert.equal(world.counters().get('unusable-key'), 1)

  const silent = await scene({ rsa: { enabled: true } })
  const other = Terminal.online(silent.gateway)
  exchange(other)
  other.send(other.heartbeat())
  assert.deepEqual(other.results(), [[0x0002, 0]])
})
