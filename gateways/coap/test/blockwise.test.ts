/** Block-wise transfer, RFC 7959, through the gateway. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Block, blockOption } from '#stacks/coap/block'
import { CON, DELETE, GET, NON, POST, PUT } from '#stacks/coap/codes'
import { BLOCK1, BLOCK2, CONTENT_FORMAT, ETAG, SIZE1, SIZE2, uintOption } from '#stacks/coap/options'
import { World } from '#testing'
import coap from '../index.ts'
import { block2Of, Device, type Got } from './device.ts'

async function start(config: object = {}) {
  const world = new World()
  const gateway = await world.gateway(coap, config)
  return { world, gateway, app: world.app('app'), device: new Device(gateway) }
}

function text(length: number): string {
  return Array.from({ length }, (_, i) => String.fromCharCode(97 + (i % 26))).join('')
}

function upload(
  device: Device,
  block: Block,
  payload: string,
  uri = '/ps/a?c=d1',
  more: Partial<Parameters<Device['ask']>[0]> = {},
): Got {
  return device.ask({ code: PUT, uri, payload, ...more, options: [blockOption(BLOCK1, block), ...(more.options ?? [])] })
}

function block1Of(got: Got): number | undefined {
  return got.message.options.uint(BLOCK1)
}

test('a body in blocks becomes one message', async () => {
  const { app, device } = await start()
  app.subscribe('a')
  const body = text(300)
  const first = upload(device, { number: 0, more: true, szx: 3 }, body.slice(0, 128))
  assert.deepEqual([first.code, block1Of(first)], ['2.31', 0x0b])
  const second = upload(device, { number: 1, more: true, szx: 3 }, body.slice(128, 256))
  assert.deepEqual([second.code, block1Of(second)], ['2.31', 0x1b])
  assert.equal(app.take().length, 0)
  const last = upload(device, { number: 2, more: false, szx: 3 }, body.slice(256))
  assert.deepEqual([last.code, block1Of(last)], ['2.04', 0x23])
  assert.deepEqual(
    app.take().map((got) => got.text),
    [body],
  )
})

test('a missing block, or one out of order, is 4.08', async () => {
  const { device } = await start()
  assert.equal(upload(device, { number: 1, more: true, szx: 0 }, text(16)).code, '4.08')
  upload(device, { number: 0, more: true, szx: 0 }, text(16))
  assert.equal(upload(device, { number: 2, more: true, szx: 0 }, text(16)).code, '4.08')
  assert.equal(upload(device, { number: 1, more: true, szx: 0 }, text(16)).code, '4.08', 'the upload is over')
})

test('a format that changes within the body is 4.08', async () => {
  const { device } = await start()
  upload(device, { number: 0, more: true, szx: 0 }, text(16), undefined, { options: [uintOption(CONTENT_FORMAT, 0)] })
  const answer = upload(device, { number: 1, more: false, szx: 0 }, text(16), undefined, {
    options: [uintOption(CONTENT_FORMAT, 50)],
  })
  assert.equal(answer.code, '4.08')
})

test('a body that is too large is 4.13 with the limit, announced or not', async () => {
  const { device } = await start({ blockwise: { maxBodySize: '64B' } })
  const announced = upload(device, { number: 0, more: true, szx: 0 }, text(16), undefined, { options: [uintOption(SIZE1, 65)] })
  assert.deepEqual([announced.code, announced.message.options.uint(SIZE1)], ['4.13', 64])
  for (let i = 0; i < 4; i++) assert.equal(upload(device, { number: i, more: true, szx: 0 }, text(16)).code, '2.31')
  assert.equal(upload(device, { number: 4, more: false, szx: 0 }, text(16)).code, '4.13')
})

test('a block of the wrong length, or of the reserved size, is 4.00', async () => {
  const { device } = await start()
  assert.equal(upload(device, { number: 0, more: true, szx: 0 }, text(15)).code, '4.00')
  assert.equal(upload(device, { number: 0, more: false, szx: 0 }, text(17)).code, '4.00')
  assert.equal(device.ask({ code: PUT, uri: '/ps/a', payload: 'x', options: [uintOption(BLOCK1, 0x0f)] }).code, '4.00')
  assert.equal(device.ask({ code: GET, uri: '/ps/a', options: [uintOption(BLOCK2, 7)] }).code, '4.00')
})

test('smaller blocks than the peer’s are asked for, and understood', async () => {
  const { app, device } = await start({ blockwise: { maxBlockSize: 16 } })
  app.subscribe('a')
  const body = text(40)
  const first = upload(device, { number: 0, more: true, szx: 1 }, body.slice(0, 32))
  assert.deepEqual([first.code, block1Of(first)], ['2.31', 0x08])
  assert.equal(upload(device, { number: 2, more: false, szx: 0 }, body.slice(32)).code, '2.04')
  assert.equal(app.take()[0]?.text, body)
})

test('uploads of one address are bounded, and the oldest gives way', async () => {
  const { device } = await start({ blockwise: { maxTransfers: 2 } })
  const block: Block = { number: 0, more: true, szx: 0 }
  for (const topic of ['a', 'b', 'c']) assert.equal(upload(device, block, text(16), `/ps/${topic}`).code, '2.31')
  assert.equal(upload(device, { number: 1, more: false, szx: 0 }, 'x', '/ps/a').code, '4.08')
  assert.equal(upload(device, { number: 1, more: false, szx: 0 }, 'x', '/ps/c').code, '2.04')
})

test('the memory of all uploads is bounded: 5.03', async () => {
  const { gateway } = await start({ blockwise: { maxMemory: '32B' } })
  const block: Block = { number: 0, more: true, szx: 0 }
  const [one, two, three] = [new Device(gateway), new Device(gateway), new Device(gateway)] as [Device, Device, Device]
  assert.equal(upload(one, block, text(16)).code, '2.31')
  assert.equal(upload(two, block, text(16), '/ps/a?c=d2').code, '2.31')
  assert.equal(upload(three, block, text(16), '/ps/a?c=d3').code, '5.03')
  assert.equal(upload(one, { number: 1, more: false, szx: 0 }, '').code, '2.04')
  assert.equal(upload(three, block, text(16), '/ps/a?c=d3').code, '2.31')
})

test('an unfinished upload is forgotten in time, and counted', async () => {
  const { world, device } = await start()
  upload(device, { number: 0, more: true, szx: 0 }, text(16))
  world.advance(248_000)
  assert.equal(world.counters().get('block-transfer-expired'), 1)
  assert.equal(upload(device, { number: 1, more: false, szx: 0 }, 'x').code, '4.08')
})

test('a repeated block is answered from memory', async () => {
  const { device } = await start()
  upload(device, { number: 0, more: true, szx: 0 }, text(16))
  const options = [blockOption(BLOCK1, { number: 1, more: true, szx: 0 })]
  const second = device.send({ code: PUT, uri: '/ps/a?c=d1', payload: text(16), options })
  const [answer] = device.peer.take()
  device.repeat(second)
  assert.deepEqual(device.peer.take(), [answer])
  assert.equal(upload(device, { number: 2, more: false, szx: 0 }, 'x').code, '2.04')
})

test('a large value is read in blocks of one representation', async () => {
  const { app, device } = await start()
  const body = text(2500)
  app.publish('big', body, { retain: true })
  const first = device.ask({ code: GET, uri: '/ps/big' })
  assert.deepEqual(
    [first.code, block2Of(first), first.message.options.uint(SIZE2)],
    ['2.05', { number: 0, more: true, size: 1024 }, 2500],
  )
  app.publish('big', 'changed meanwhile', { retain: true })
  let whole = first.text
  for (const number of [1, 2]) {
    const next = device.ask({ code: GET, uri: '/ps/big', options: [blockOption(BLOCK2, { number, more: false, szx: 6 })] })
    assert.deepEqual(block2Of(next), { number, more: number < 2, size: 1024 })
    assert.deepEqual(next.message.options.opaque(ETAG), first.message.options.opaque(ETAG))
    whole += next.text
  }
  assert.equal(whole, body)
})

test('the client chooses smaller blocks, early or late', async () => {
  const { app, device } = await start()
  app.publish('big', text(100), { retain: true })
  const early = device.ask({ code: GET, uri: '/ps/big', options: [blockOption(BLOCK2, { number: 0, more: false, szx: 1 })] })
  assert.deepEqual([early.text, block2Of(early)], [text(32), { number: 0, more: true, size: 32 }])
  const late = device.ask({ code: GET, uri: '/ps/big', options: [blockOption(BLOCK2, { number: 2, more: false, szx: 0 })] })
  assert.deepEqual([late.text, block2Of(late)], [text(100).slice(32, 48), { number: 2, more: true, size: 16 }])
  const beyond = device.ask({ code: GET, uri: '/ps/big', options: [blockOption(BLOCK2, { number: 99, more: false, szx: 0 })] })
  assert.equal(beyond.code, '4.00')
})

test('a block of a value that was not begun is cut from the present one', async () => {
  const { app, device } = await start()
  app.publish('big', text(100), { retain: true })
  const block = device.ask({ code: GET, uri: '/ps/big', options: [blockOption(BLOCK2, { number: 1, more: false, szx: 1 })] })
  assert.deepEqual([block.code, block.text], ['2.05', text(100).slice(32, 64)])
})

test('a large notification is its first block; the next waits until the rest was fetched', async () => {
  const { app, device } = await start()
  device.ask({ code: GET, uri: '/ps/big?c=d1', observe: 0, token: 'ob' })
  const body = text(1500)
  app.publish('big', body, { qos: 1 })
  app.publish('big', 'small', { qos: 1 })
  const notification = device.one()
  assert.deepEqual([notification.type, block2Of(notification)], [CON, { number: 0, more: true, size: 1024 }])
  assert.notEqual(notification.observe, undefined)
  device.ack(notification.messageId)
  assert.deepEqual(device.got(), [])
  device.send({ code: GET, uri: '/ps/big?c=d1', token: 'b1', options: [blockOption(BLOCK2, { number: 1, more: false, szx: 6 })] })
  const answers = device.got()
  const rest = answers.find(({ token }) => token === 'b1') as Got
  const next = answers.find(({ token }) => token === 'ob') as Got
  assert.deepEqual([notification.text + rest.text, rest.observe], [body, undefined])
  assert.equal(next.text, 'small')
})

test('an observer that never fetches the rest is not waited for', async () => {
  const { world, app, device } = await start()
  device.ask({ code: GET, uri: '/ps/big', observe: 0, token: 'ob', type: NON })
  app.publish('big', text(1500))
  app.publish('big', 'small')
  assert.equal(device.got().length, 1)
  world.advance(10_000)
  assert.equal(device.one().text, 'small')
})

test('a large retained value comes in blocks with the registration too', async () => {
  const { app, device } = await start()
  app.publish('big', text(1500), { retain: true })
  const registered = device.ask({ code: GET, uri: '/ps/big', observe: 0, token: 'ob' })
  assert.deepEqual(block2Of(registered), { number: 0, more: true, size: 1024 })
  assert.notEqual(registered.observe, undefined)
  const rest = device.ask({ code: GET, uri: '/ps/big', options: [blockOption(BLOCK2, { number: 1, more: false, szx: 6 })] })
  assert.deepEqual([registered.text + rest.text, rest.observe], [text(1500), undefined])
})

test('a POST in one block with Block1 is answered with Block1', async () => {
  const { device } = await start()
  const answer = device.ask({
    code: POST,
    uri: '/ps/a',
    payload: 'x',
    options: [blockOption(BLOCK1, { number: 0, more: false, szx: 6 })],
  })
  assert.deepEqual([answer.code, block1Of(answer)], ['2.04', 6])
})

test('a refusal is a refusal, whatever block was asked for', async () => {
  const { device } = await start()
  const answer = device.ask({ code: GET, uri: '/ps/none', options: [blockOption(BLOCK2, { number: 3, more: false, szx: 0 })] })
  assert.deepEqual([answer.code, block2Of(answer)], ['4.04', undefined])
})

test('a later block of an answer that is not kept is 4.08 where asking anew would do it again', async () => {
  const { world, app, device } = await start()
  app.subscribe('a')
  const later = blockOption(BLOCK2, { number: 1, more: false, szx: 0 })
  for (const code of [POST, PUT, DELETE]) {
    const answer = device.ask({ code, uri: '/ps/a?c=d1', options: [later] })
    assert.equal(answer.code, '4.08', String(code))
    assert.ok(answer.text.length > 0)
  }
  assert.deepEqual(app.take(), [], 'nothing is published')
  assert.equal(world.counters().get('block-out-of-order'), 3)
  app.publish('a', text(20), { retain: true })
  assert.equal(device.ask({ code: GET, uri: '/ps/a?c=d1', options: [later] }).text, text(20).slice(16), 'a GET asks anew')
})
