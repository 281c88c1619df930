/** What travels beside the payload: media types, lifetimes, and the properties of MQTT 5. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GET, POST, PUT } from '#stacks/coap/codes'
import { CONTENT_FORMAT, LOCATION_QUERY, MAX_AGE, uintOption } from '#stacks/coap/options'
import { World } from '#testing'
import coap from '../index.ts'
import { Device, observe } from './device.ts'

async function start() {
  const world = new World()
  const gateway = await world.gateway(coap)
  const app = world.app('app')
  app.subscribe('a', { qos: 1 })
  return { world, app, device: new Device(gateway) }
}

test('response topic, correlation and user properties come from the query', async () => {
  const { app, device } = await start()
  const uri = '/ps/a?responsetopic=answers/1&correlation=0aFF&user.colour=red&user.colour=blue&user.a%20b=%26'
  assert.equal(device.ask({ code: POST, uri, payload: 'x', options: [uintOption(CONTENT_FORMAT, 0)] }).code, '2.04')
  assert.deepEqual(app.take()[0]?.message.properties, {
    contentType: 'text/plain;charset=utf-8',
    utf8: true,
    responseTopic: 'answers/1',
    correlationData: Uint8Array.of(0x0a, 0xff),
    userProperties: [
      ['colour', 'red'],
      ['colour', 'blue'],
      ['a b', '&'],
    ],
  })
})

test('properties that cannot be are refused with words', async () => {
  const { app, device } = await start()
  for (const query of ['responsetopic=a/%23', 'responsetopic=', 'correlation=xyz', 'correlation=123']) {
    const refused = device.ask({ code: POST, uri: `/ps/a?${query}`, payload: 'x' })
    assert.equal(refused.code, '4.00', query)
    assert.match(refused.text, /^(responsetopic|correlation) is/)
  }
  assert.deepEqual(app.take(), [])
})

test('a notification says where its sender wants the answer, in words that a publish can repeat', async () => {
  const { app, device } = await start()
  observe(device, '/ps/question')
  app.publish('question', '?', { properties: { responseTopic: 'a', correlationData: Uint8Array.of(1, 254) } })
  const queries = device.one().message.options.texts(LOCATION_QUERY)
  assert.deepEqual(queries, ['responsetopic=a', 'correlation=01fe'])
  const [, correlation] = queries
  assert.equal(device.ask({ code: POST, uri: `/ps/a?${correlation}`, payload: '!' }).code, '2.04')
  assert.deepEqual(app.take()[0]?.message.properties?.correlationData, Uint8Array.of(1, 254))
  app.publish('question', '?', { properties: { responseTopic: 'x'.repeat(300) } })
  assert.deepEqual(device.one().message.options.texts(LOCATION_QUERY), [], 'what no option can hold is left out')
})

test('a Content-Format that nobody knows keeps its number', async () => {
  const { app, device } = await start()
  const options = [uintOption(CONTENT_FORMAT, 4711)]
  device.ask({ code: PUT, uri: '/ps/a?retain=true', payload: 'x', options })
  assert.equal(app.take()[0]?.message.properties?.contentType, 'application/coap-payload;cf=4711')
  assert.equal(device.ask({ code: GET, uri: '/ps/a' }).format, 4711)
  for (const contentType of ['application/coap-payload;cf=65536', 'application/coap-payload;cf=x', 'image/x-unknown']) {
    app.publish('a', 'x', { retain: true, properties: { contentType } })
    assert.equal(device.ask({ code: GET, uri: '/ps/a' }).format, undefined, contentType)
  }
})

test('Max-Age of a publish is its expiry; the query wins; a reader sees what is left', async () => {
  const { world, app, device } = await start()
  const options = [uintOption(MAX_AGE, 90)]
  device.ask({ code: PUT, uri: '/ps/a?retain=true', payload: 'x', options })
  assert.equal(app.take()[0]?.message.expiresAt, world.now() + 90_000)
  world.advance(30_000)
  assert.equal(device.ask({ code: GET, uri: '/ps/a' }).message.options.uint(MAX_AGE), 60)
  device.ask({ code: PUT, uri: '/ps/a?expiry=5', payload: 'x', options })
  assert.equal(app.take()[0]?.message.expiresAt, world.now() + 5000)
  observe(device, '/ps/a')
  app.publish('a', 'y', { expiresAt: world.now() + 12_500 })
  assert.equal(device.one().message.options.uint(MAX_AGE), 12)
})
