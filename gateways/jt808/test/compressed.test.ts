/** Compressed messages, 0x0901: inflated within bounds, shown as the message that they are, counted when they are none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { explain, type Message } from '../codec/index.ts'
import { scene } from './scene.ts'
import { HERE, Terminal } from './terminal.ts'

const frameOf = (terminal: Terminal): Uint8Array => terminal.frame({ type: 'location', body: HERE }, { sn: 500 })

/** The data of the event that a compressed message became, and what the terminal was answered. */
async function sent(data: Uint8Array, config: object = {}) {
  const { world, gateway, app } = await scene(config)
  const terminal = Terminal.online(gateway)
  app.take()
  terminal.send(terminal.frame({ type: 'compressed', body: { data } }))
  assert.deepEqual(terminal.results(), [[0x0901, 0]])
  const [event, ...more] = app.take().map((received) => received.json() as { type: string; data: Record<string, unknown> })
  assert.deepEqual([event?.type, more], ['compressed', []])
  assert.equal(event?.data['data'], Buffer.from(data).toString('base64'))
  return { data: event?.data ?? {}, world }
}

test('gzip and zlib are inflated; a message inside is shown, with flags or bare, with a check code or without', async () => {
  const { gateway } = await scene()
  const whole = frameOf(new Terminal(gateway.connect()))
  assert.equal(whole.includes(0x7d), false)
  for (const inside of [whole, whole.subarray(1, -1), whole.subarray(1, -2)]) {
    for (const compress of [gzipSync, deflateSync]) {
      const { data } = await sent(compress(inside))
      assert.equal(data['inflated'], Buffer.from(inside).toString('base64'))
      const { header, body } = data['message'] as { header: object; body: Record<string, unknown> }
      assert.deepEqual(header, { msg_id: 0x0200, encrypt: 0, len: 28, phone: '013812345678', msg_sn: 500 })
      assert.equal(body['latitude'], 31_230_416)
    }
  }
})

test('what is no message is shown as octets', async () => {
  const { data } = await sent(gzipSync('hello'))
  assert.deepEqual([data['inflated'], data['message']], ['aGVsbG8=', undefined])
})

test('what is not compressed, or stands for too much, is published as it came and counted', async () => {
  const broken = await sent(Uint8Array.of(1, 2, 3))
  assert.equal(broken.data['inflate_error'], 'malformed')
  assert.equal(broken.world.malformed().get('bad-compression'), 1)
  const bomb = await sent(gzipSync(Buffer.alloc(4097)), { maxInflatedBytes: '4KiB' })
  assert.equal(bomb.data['inflate_error'], 'too-long')
  assert.equal(bomb.world.counters().get('inflated-too-long'), 1)
  const fits = await sent(gzipSync(Buffer.alloc(4096)), { maxInflatedBytes: '4KiB' })
  assert.equal(Buffer.from(fits.data['inflated'] as string, 'base64').length, 4096)
})

test('the parser alone inflates up to a bound of its own', () => {
  const compressed = (octets: number) =>
    explain({ type: 'compressed', body: { data: gzipSync(Buffer.alloc(octets)) } } as unknown as Message)
  assert.equal(compressed(262_145)['inflate_error'], 'too-long')
  assert.equal(compressed(262_144)['inflate_error'], undefined)
})
