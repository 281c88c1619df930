/** Publishes in a row: each is delivered and acknowledged, at any pacing, and what is remembered stays bounded. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NON, POST } from '#stacks/coap/codes'
import { World } from '#testing'
import coap from '../index.ts'
import { Device } from './device.ts'

const PUBLISHES = 4000

async function start() {
  const world = new World()
  const gateway = await world.gateway(coap, { connectionRequired: true })
  const app = world.app('app')
  app.subscribe('log', { qos: 2 })
  const device = new Device(gateway)
  const { text: token } = device.ask({ code: POST, uri: '/mqtt/connection?clientid=d1' })
  return { world, app, device, uri: `/ps/log?clientid=d1&token=${token}` }
}

for (const pauseMs of [0, 1, 40, 1000, 40_000]) {
  test(`${PUBLISHES} publishes of one logged-in client, one every ${pauseMs} ms`, async () => {
    const { world, app, device, uri } = await start()
    for (let i = 0; i < PUBLISHES; i++) {
      assert.equal(device.ask({ code: POST, uri, payload: String(i) }).code, '2.04', `publish ${i}`)
      assert.deepEqual(
        app.take().map(({ text, qos }) => [text, qos]),
        [[String(i), 1]],
      )
      world.advance(pauseMs)
    }
    assert.equal(world.counters().get('duplicate'), undefined)
    assert.equal(world.faults(), 0)
  })
}

test('a burst without a pause for the answers is answered one by one', async () => {
  const { app, device, uri } = await start()
  for (let i = 0; i < PUBLISHES; i++) device.send({ code: POST, uri, payload: String(i) })
  assert.deepEqual(new Set(device.got().map(({ code }) => code)), new Set(['2.04']))
  assert.deepEqual(
    app.take().map(({ text }) => Number(text)),
    Array.from({ length: PUBLISHES }, (_, i) => i),
  )
})

test('message ids that come around within EXCHANGE_LIFETIME are new requests when their token is new', async () => {
  const { world, app, device, uri } = await start()
  for (let i = 0; i < PUBLISHES; i++) {
    const answer = device.ask({ code: POST, uri, payload: String(i), messageId: i % 50, token: `${i}` })
    assert.deepEqual([answer.code, answer.messageId], ['2.04', i % 50])
    world.advance(10)
  }
  assert.equal(app.take().length, PUBLISHES)
})

test('NON publishes in a row are delivered too', async () => {
  const { app, device, uri } = await start()
  for (let i = 0; i < PUBLISHES; i++) assert.equal(device.ask({ type: NON, code: POST, uri, payload: 'x' }).code, '2.04')
  assert.equal(app.take().length, PUBLISHES)
})
