/** Reading the last value: GET on `/ps` without Observe. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GET, NON } from '#stacks/coap/codes'
import { ACCEPT, ETAG, MAX_AGE, opaqueOption, uintOption } from '#stacks/coap/options'
import { World, type WorldOptions } from '#testing'
import coap from '../index.ts'
import { Device } from './device.ts'

async function start(options: WorldOptions = {}) {
  const world = new World(options)
  const gateway = await world.gateway(coap)
  return { world, app: world.app('app'), device: new Device(gateway) }
}

test('GET returns the retained value with its format and lifetime', async () => {
  const { world, app, device } = await start()
  app.publish('a/b', '{"t":1}', {
    retain: true,
    properties: { contentType: 'application/json' },
    expiresAt: world.now() + 90_500,
  })
  const answer = device.ask({ code: GET, uri: '/ps/a/b' })
  assert.deepEqual([answer.code, answer.text, answer.format, answer.observe], ['2.05', '{"t":1}', 50, undefined])
  assert.equal(answer.message.options.uint(MAX_AGE), 90)
})

test('a value without expiry has no Max-Age, and one without media type no Content-Format', async () => {
  const { app, device } = await start()
  app.publish('a', 'x', { retain: true })
  const answer = device.ask({ type: NON, code: GET, uri: '/ps/a' })
  assert.deepEqual(
    [answer.type, answer.code, answer.format, answer.message.options.uint(MAX_AGE)],
    [NON, '2.05', undefined, undefined],
  )
})

test('a client that names the entity-tag it has gets 2.03 until the value changes', async () => {
  const { app, device } = await start()
  app.publish('a', 'one', { retain: true })
  const etag = device.ask({ code: GET, uri: '/ps/a' }).message.options.opaque(ETAG) ?? assert.fail('no ETag')
  const options = [opaqueOption(ETAG, Uint8Array.of(9)), opaqueOption(ETAG, etag)]
  const valid = device.ask({ code: GET, uri: '/ps/a', options })
  assert.deepEqual([valid.code, valid.text, valid.message.options.opaque(ETAG)], ['2.03', '', etag])
  app.publish('a', 'two', { retain: true })
  const changed = device.ask({ code: GET, uri: '/ps/a', options })
  assert.deepEqual([changed.code, changed.text], ['2.05', 'two'])
  assert.notDeepEqual(changed.message.options.opaque(ETAG), etag)
})

test('a topic without value is 4.04, a filter 4.00, both in words', async () => {
  const { device } = await start()
  const none = device.ask({ code: GET, uri: '/ps/nothing/here' })
  assert.equal(none.code, '4.04')
  assert.match(none.text, /nothing\/here/)
  const filter = device.ask({ code: GET, uri: '/ps/a/+' })
  assert.equal(filter.code, '4.00')
  assert.match(filter.text, /observe/)
})

test('a topic that may not be read is 4.03', async () => {
  const access = {
    authenticate: () => ({ ok: true as const }),
    authorize: (subject: { protocol: string }) => subject.protocol !== 'coap',
  }
  const { app, device } = await start({ access })
  app.publish('a', 'x', { retain: true })
  assert.equal(device.ask({ code: GET, uri: '/ps/a' }).code, '4.03')
})

test('Accept is served or refused with 4.06', async () => {
  const { app, device } = await start()
  const get = (topic: string, accept: number) => {
    const { code, format } = device.ask({ code: GET, uri: `/ps/${topic}`, options: [uintOption(ACCEPT, accept)] })
    return [code, format]
  }
  app.publish('json', '{}', { retain: true, properties: { contentType: 'application/json' } })
  assert.deepEqual(get('json', 50), ['2.05', 50])
  assert.deepEqual(get('json', 0), ['4.06', undefined])
  app.publish('plain', 'hi', { retain: true, properties: { utf8: true } })
  assert.deepEqual(get('plain', 0), ['2.05', 0])
  app.publish('bytes', Uint8Array.of(0xff, 1), { retain: true })
  assert.deepEqual(get('bytes', 42), ['2.05', 42])
  assert.deepEqual(get('bytes', 0), ['4.06', undefined])
  app.publish('unmarked', '{"a":1}', { retain: true })
  assert.deepEqual(get('unmarked', 50), ['2.05', 50])
  app.publish('unmarked', '{"a":', { retain: true })
  assert.deepEqual(get('unmarked', 50), ['4.06', undefined])
})

test('the status of a device is a value like any other', async () => {
  const { device } = await start()
  device.ask({ code: GET, uri: '/ps/none?c=d1' })
  const { code, text } = device.ask({ code: GET, uri: '/ps/devices/d1/status?c=d2' })
  assert.equal(code, '2.05')
  const { online, device: id, protocol } = JSON.parse(text)
  assert.deepEqual([online, id, protocol], [true, 'd1', 'coap'])
})
