/** Bodies in bursts of Non-confirmable blocks where the device asks for them: Q-Block1 and Q-Block2, RFC 9177. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GET, NON, PUT } from '#stacks/coap/codes'
import { encodeUint, opaqueOption, Q_BLOCK1, Q_BLOCK2, REQUEST_TAG, SIZE1, uintOption } from '#stacks/coap/options'
import { World } from '#testing'
import coap from '../index.ts'
import { Device, type Got } from './device.ts'
import { StreamDevice } from './stream-device.ts'

const SIZE = 64
const SZX = 2
const TEXT = Array.from({ length: 25 }, (_, i) => `block ${i} `.padEnd(SIZE, '.'))
  .join('')
  .slice(0, -7)
const BLOCKS = Math.ceil(TEXT.length / SIZE)

async function start(blockwise: object = {}) {
  const world = new World()
  const gateway = await world.gateway(coap, { blockwise })
  return { world, gateway, app: world.app('app'), device: new Device(gateway) }
}

function value(number: number, more: boolean): Uint8Array {
  return encodeUint(number * 16 + (more ? 8 : 0) + SZX)
}

/** One block of `TEXT`, on its way up. */
function part(number: number) {
  return {
    type: NON,
    code: PUT,
    uri: '/ps/large?clientid=d1&retain=true',
    token: String.fromCharCode(number),
    payload: TEXT.slice(number * SIZE, (number + 1) * SIZE),
    options: [
      { number: Q_BLOCK1, value: value(number, number + 1 < BLOCKS) },
      uintOption(SIZE1, TEXT.length),
      opaqueOption(REQUEST_TAG, Uint8Array.of(1)),
    ],
  } as const
}

/** Block number and payload of each. */
function blocksOf(answers: readonly Got[]): [number | undefined, string][] {
  return answers.map(({ message, text }) => [(message.options.uint(Q_BLOCK2) ?? 0) >> 4, text])
}

test('a burst in any order, with what is missing asked for, is one message on the broker', async () => {
  const { world, app, device } = await start()
  app.subscribe('large')
  const order = [...Array(BLOCKS).keys()].filter((number) => number !== 3)
  for (const number of [...order.slice(10), ...order.slice(0, 10)]) device.send(part(number))
  const missing = [device.got().at(-1)]
  world.advance(10_000)
  missing.push(device.got().at(-1))
  for (const answer of missing) {
    assert.deepEqual([answer?.code, answer?.format, answer?.message.payload], ['4.08', 272, Uint8Array.of(3)])
  }
  assert.deepEqual(app.take(), [])
  device.send(part(3))
  assert.equal(device.one().code, '2.04')
  assert.deepEqual(
    app.take().map(({ text }) => text),
    [TEXT],
  )
})

test('an answer comes in sets of ten, and what is missing again', async () => {
  const { world, app, device } = await start()
  app.publish('large', TEXT, { retain: true })
  const wanted = { type: NON, code: GET, uri: '/ps/large?clientid=d1', token: 'q' } as const
  const ask = (number: number, more: boolean): void => {
    device.send({ ...wanted, options: [{ number: Q_BLOCK2, value: value(number, more) }] })
  }
  ask(0, true)
  const first = device.got()
  assert.equal(first.length, 10)
  assert.ok(first.every(({ code, token }) => code === '2.05' && token === 'q'))
  ask(10, true)
  const second = device.got()
  ask(7, false)
  const [again] = device.got()
  assert.deepEqual(blocksOf([again as Got]), blocksOf(first).slice(7, 8))
  world.advance(3000)
  const whole = [...first, ...second, ...device.got()]
  assert.equal(
    blocksOf(whole)
      .map(([, text]) => text)
      .join(''),
    TEXT,
  )
})

test('who asks for one block gets that one, and the others when it wants them', async () => {
  const { world, app, device } = await start()
  app.publish('large', TEXT, { retain: true })
  const ask = (number: number, more: boolean): Got[] => {
    const options = [{ number: Q_BLOCK2, value: value(number, more) }]
    device.send({ code: GET, uri: '/ps/large?clientid=d1', token: 'q', options })
    return device.got()
  }
  assert.deepEqual(blocksOf(ask(0, false)), [[0, TEXT.slice(0, SIZE)]])
  world.advance(10_000)
  assert.deepEqual(device.got(), [])
  assert.equal(ask(20, true).length, 5)
})

test('what fits in one block needs no burst, and a refusal either', async () => {
  const { app, device } = await start()
  app.publish('small', 'x', { retain: true })
  const options = [{ number: Q_BLOCK2, value: value(0, true) }]
  const answer = device.ask({ code: GET, uri: '/ps/small?clientid=d1', options })
  assert.deepEqual([answer.code, answer.text, answer.message.options.has(Q_BLOCK2)], ['2.05', 'x', false])
  assert.equal(device.ask({ code: GET, uri: '/ps/none?clientid=d1', options }).code, '4.04')
})

test('over streams, and where it is switched off, it is an option that is not understood', async () => {
  const { world, gateway } = await start()
  const off = await world.gateway(coap, { blockwise: { qBlock: false } }, { name: 'off' })
  const options = [{ number: Q_BLOCK2, value: value(0, true) }]
  assert.equal(new Device(off).ask({ code: GET, uri: '/ps/a', options }).code, '4.02')
  const { options: upload } = part(0)
  assert.equal(new Device(off).ask({ code: PUT, uri: '/ps/a', options: upload }).code, '4.02')
  const stream = new StreamDevice(gateway)
  assert.equal(stream.ask({ code: GET, uri: '/ps/a', options }).code, '4.02')
})
