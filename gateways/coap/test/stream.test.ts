/** CoAP over TCP and WebSocket: RFC 8323. The same resources, without the message layer of datagrams. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GET, POST, PUT } from '#stacks/coap/codes'
import { BLOCK1, BLOCK2, SIZE1, uintOption } from '#stacks/coap/options'
import { ABORT, CSM, RELEASE } from '#stacks/coap/signalling'
import { World } from '#testing'
import coap from '../index.ts'
import { block2Of, Device } from './device.ts'
import { StreamDevice } from './stream-device.ts'

const BERT_SZX = 7 // RFC 8323 6

for (const delimited of [false, true]) {
  const over = delimited ? 'WebSocket' : 'TCP'
  const start = async (config: object = {}, maxMessageBytes?: number) => {
    const world = new World()
    const gateway = await world.gateway(coap, config)
    const device = new StreamDevice(gateway, delimited, maxMessageBytes)
    return { world, gateway, app: world.app('app'), device }
  }

  test(`${over}: the gateway's CSM comes first`, async () => {
    const { device } = await start()
    assert.deepEqual(device.got(), [])
    assert.deepEqual(
      device.signals.map(({ code }) => code),
      [CSM],
    )
  })

  test(`${over}: publish, read and log in`, async () => {
    const { app, device } = await start()
    app.subscribe('a', { qos: 1 })
    assert.equal(device.ask({ code: PUT, uri: '/ps/a?c=d1&retain=true', payload: 'x' }).code, '2.04')
    assert.deepEqual(
      app.take().map(({ text, qos }) => [text, qos]),
      [['x', 1]],
    )
    const read = device.ask({ code: GET, uri: '/ps/a?c=d1' })
    assert.deepEqual([read.code, read.text], ['2.05', 'x'])
    const { code, text: token } = device.ask({ code: POST, uri: '/mqtt/connection?c=d2' })
    assert.equal(code, '2.01')
    assert.equal(device.ask({ code: POST, uri: `/ps/a?c=d2&t=${token}`, payload: 'y' }).code, '2.04')
    assert.equal(device.ask({ code: POST, uri: '/ps/a?c=d2&t=0', payload: 'y' }).code, '4.01')
  })

  test(`${over}: notifications come in order and need no acknowledgement, until Observe 1`, async () => {
    const { world, app, device } = await start()
    const registered = device.ask({ code: GET, uri: '/ps/a?c=d1', observe: 0, token: 'ob' })
    assert.deepEqual([registered.code, registered.observe !== undefined], ['2.05', true])
    for (let i = 0; i < 100; i++) app.publish('a', String(i), { qos: (i % 3) as 0 | 1 | 2 })
    const got = device.got()
    assert.deepEqual(
      got.map(({ text, token }) => [Number(text), token]),
      Array.from({ length: 100 }, (_, i) => [i, 'ob']),
    )
    assert.equal(world.core.client('d1')?.unacknowledged, 0)
    assert.equal(device.ask({ code: GET, uri: '/ps/a?c=d1', observe: 1, token: 'ob' }).code, '2.05')
    app.publish('a', 'x')
    assert.deepEqual(device.got(), [])
  })

  test(`${over}: a body in one message, as large as we said`, async () => {
    const { app, device } = await start({ limits: { maxMessageSize: '16KiB' } })
    app.subscribe('a', { qos: 1 })
    const payload = 'abcdefghij'.repeat(1600)
    assert.equal(device.ask({ code: POST, uri: '/ps/a?c=d1&retain=true', payload }).code, '2.04')
    assert.equal(app.take()[0]?.text, payload)
    const read = device.ask({ code: GET, uri: '/ps/a?c=d1' })
    assert.deepEqual([read.text, block2Of(read)], [payload, undefined])
  })

  test(`${over}: a body in BERT blocks up and down`, async () => {
    const { app, device } = await start({}, 10_000)
    app.subscribe('a', { qos: 1 })
    const payload = new Uint8Array(100 * 1024).map((_, i) => i * 31)
    const step = 8 * 1024
    for (let at = 0; at < payload.length; at += step) {
      const more = at + step < payload.length
      const options = [uintOption(BLOCK1, ((at / 1024) << 4) | (more ? 8 : 0) | BERT_SZX), uintOption(SIZE1, payload.length)]
      const part = device.ask({ code: PUT, uri: '/ps/a?c=d1&retain=true', payload: payload.subarray(at, at + step), options })
      assert.equal(part.code, more ? '2.31' : '2.04')
      assert.equal((part.message.options.uint(BLOCK1) ?? 0) & 7, BERT_SZX)
    }
    assert.deepEqual(Uint8Array.from(app.take()[0]?.message.payload ?? []), payload)
    const parts: Uint8Array[] = []
    for (let number = 0, more = true; more; ) {
      const options = number === 0 ? [] : [uintOption(BLOCK2, (number << 4) | BERT_SZX)]
      const part = device.ask({ code: GET, uri: '/ps/a?c=d1', options })
      const block = part.message.options.uint(BLOCK2) ?? assert.fail('no Block2')
      assert.deepEqual([part.code, block & 7, block >> 4], ['2.05', BERT_SZX, number])
      parts.push(part.message.payload)
      more = (block & 8) !== 0
      number += part.message.payload.length / 1024
    }
    assert.deepEqual(Uint8Array.from(Buffer.concat(parts)), payload)
    assert.equal(parts[0]?.length, 9 * 1024, 'as many blocks as fit')
  })

  test(`${over}: a BERT block that is no multiple of 1024 is 4.00`, async () => {
    const { device } = await start()
    const options = [uintOption(BLOCK1, 8 | BERT_SZX)]
    assert.equal(device.ask({ code: PUT, uri: '/ps/a', payload: new Uint8Array(1500), options }).code, '4.00')
  })

  test(`${over}: a large notification comes as its first part`, async () => {
    const { app, device } = await start({}, 4096)
    device.ask({ code: GET, uri: '/ps/a?c=d1', observe: 0, token: 'ob' })
    app.publish('a', new Uint8Array(8000).fill(65), { qos: 1 })
    const first = device.one()
    assert.deepEqual([first.message.payload.length, first.token], [3072, 'ob'])
    const next = device.ask({ code: GET, uri: '/ps/a?c=d1', options: [uintOption(BLOCK2, (3 << 4) | BERT_SZX)] })
    assert.equal(next.message.payload.length, 3072)
    const last = device.ask({ code: GET, uri: '/ps/a?c=d1', options: [uintOption(BLOCK2, (6 << 4) | BERT_SZX)] })
    assert.equal(last.message.payload.length, 8000 - 6144)
  })

  test(`${over}: the end of the connection is the end of its clients`, async () => {
    const { app, device } = await start()
    app.subscribe('devices/d1/status')
    device.ask({ code: GET, uri: '/ps/a?c=d1', observe: 0, token: 'ob' })
    app.take()
    device.peer.hangUp()
    assert.deepEqual(
      app.take().map((got) => (got.json() as { reason?: string }).reason),
      ['connection-lost'],
    )
  })

  test(`${over}: a client that comes back by another connection, or by UDP, keeps its observations`, async () => {
    const { gateway, app, device } = await start()
    device.ask({ code: GET, uri: '/ps/a?c=d1', observe: 0, token: 'ob' })
    const again = new StreamDevice(gateway, delimited)
    again.ask({ code: POST, uri: '/ps/x?c=d1', payload: 'x' })
    device.peer.hangUp()
    app.publish('a', '1', { qos: 1 })
    assert.equal(again.one().text, '1')
    const datagrams = new Device(gateway)
    datagrams.ask({ code: POST, uri: '/ps/x?c=d1', payload: 'x' })
    app.publish('a', '2', { qos: 1 })
    assert.equal(datagrams.one().text, '2')
  })

  test(`${over}: an orderly end says so: Release`, async () => {
    const { gateway, device } = await start()
    device.ask({ code: GET, uri: '/ps/a?c=d1', observe: 0, token: 'ob' })
    await gateway.close()
    assert.deepEqual(
      device.got().map(({ code }) => code),
      ['5.03'],
    )
    assert.equal(device.signals.at(-1)?.code, RELEASE)
  })

  test(`${over}: what is no message ends the connection with Abort, counted`, async () => {
    const { world, device } = await start()
    device.peer.send(Uint8Array.of(0x0f, 1))
    assert.deepEqual(device.got(), [])
    assert.equal(device.signals.at(-1)?.code, ABORT)
    assert.equal(device.peer.closed, 'protocol-error')
    assert.equal(
      [...world.malformed().values()].reduce((sum, count) => sum + count, 0),
      1,
    )
  })

  test(`${over}: 4.02 for a critical option that is not understood, and the connection goes on`, async () => {
    const { device } = await start()
    assert.equal(device.ask({ code: GET, uri: '/ps/a', options: [uintOption(65_001, 1)] }).code, '4.02')
    assert.equal(device.ask({ code: GET, uri: '/ps/a' }).code, '4.04')
  })
}

test('a connection that nobody speaks on is closed', async () => {
  const world = new World()
  const device = new StreamDevice(await world.gateway(coap))
  world.advance(600_000)
  assert.equal(device.peer.closed, 'idle')
})
