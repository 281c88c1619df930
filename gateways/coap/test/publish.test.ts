/** Publishing: POST and PUT on `/ps`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ACK, DELETE, GET, NON, POST, PUT } from '#stacks/coap/codes'
import {
  CONTENT_FORMAT,
  ETAG,
  emptyOption,
  IF_MATCH,
  IF_NONE_MATCH,
  MAX_AGE,
  NO_RESPONSE,
  opaqueOption,
  uintOption,
} from '#stacks/coap/options'
import { World, type WorldOptions } from '#testing'
import coap from '../index.ts'
import { Device } from './device.ts'

async function start(config: object = {}, options: WorldOptions = {}) {
  const world = new World(options)
  const gateway = await world.gateway(coap, config)
  const app = world.app('app')
  return { world, gateway, app, device: new Device(gateway) }
}

test('POST and PUT publish and are answered when the broker has accepted', async () => {
  for (const code of [POST, PUT]) {
    const { app, device } = await start()
    app.subscribe('a/b', { qos: 2 })
    const answer = device.ask({ code, uri: '/ps/a/b?clientid=d1', payload: 'hi', messageId: 7, token: 'tk' })
    assert.deepEqual([answer.type, answer.code, answer.messageId, answer.token], [ACK, '2.04', 7, 'tk'])
    const [message] = app.take()
    assert.deepEqual([message?.topic, message?.text, message?.qos, message?.retain], ['a/b', 'hi', 1, false])
  }
})

test('a NON publish is QoS 0 and gets a NON answer', async () => {
  const { app, device } = await start()
  app.subscribe('a/b', { qos: 2 })
  const answer = device.ask({ type: NON, code: POST, uri: '/ps/a/b', payload: 'hi', messageId: 7 })
  assert.deepEqual([answer.type, answer.code], [NON, '2.04'])
  assert.equal(app.take()[0]?.qos, 0)
})

test('qos, retain and expiry come from the query, also by short names', async () => {
  const { world, app, device } = await start()
  app.subscribe('x', { qos: 2, retainAsPublished: true })
  assert.equal(device.ask({ code: POST, uri: '/ps/x?c=d1&q=2&r=true&expiry=30', payload: 'v' }).code, '2.04')
  const [message] = app.take()
  assert.deepEqual([message?.qos, message?.retain, message?.message.expiresAt], [2, true, world.now() + 30_000])
  assert.equal(device.ask({ code: POST, uri: '/ps/x?c=d1&qos=0', payload: 'v' }).code, '2.04')
  assert.equal(app.take()[0]?.qos, 0)
})

test('the publish QoS can be fixed by configuration', async () => {
  const { app, device } = await start({ publishQos: 'qos2' })
  app.subscribe('x', { qos: 2 })
  device.ask({ type: NON, code: POST, uri: '/ps/x', payload: 'v' })
  assert.equal(app.take()[0]?.qos, 2)
})

test('path segments are joined and percent-decoded once', async () => {
  const { app, device } = await start()
  app.subscribe('coap/#')
  app.subscribe('100%/#')
  for (const uri of ['/ps/coap/test', '/ps/coap%2Ftest', '/ps/coap/te%73t']) {
    assert.equal(device.ask({ code: POST, uri, payload: '1' }).code, '2.04')
    assert.equal(app.take()[0]?.topic, 'coap/test')
  }
  device.ask({ code: POST, uri: '/ps/100%/a%252F', payload: '1' })
  assert.equal(app.take()[0]?.topic, '100%/a%2F')
})

test('a Content-Format becomes the media type, and text is marked as such', async () => {
  const { app, device } = await start()
  app.subscribe('x')
  const properties = (format: number, payload: string | Uint8Array) => {
    device.ask({ code: POST, uri: '/ps/x', payload, options: [uintOption(CONTENT_FORMAT, format)] })
    return app.take()[0]?.message.properties
  }
  assert.deepEqual(properties(50, '{}'), { contentType: 'application/json', utf8: true })
  assert.deepEqual(properties(0, 'hi'), { contentType: 'text/plain;charset=utf-8', utf8: true })
  assert.deepEqual(properties(60, 'x'), { contentType: 'application/cbor' })
  assert.deepEqual(
    properties(0, Uint8Array.of(0xff)),
    { contentType: 'text/plain;charset=utf-8' },
    'a broken promise is not passed on',
  )
  assert.deepEqual(properties(65_000, 'x'), { contentType: 'application/coap-payload;cf=65000' })
})

test('a retransmitted CON is published once and gets the same answer, for as long as it may come', async () => {
  const { world, app, device } = await start()
  app.subscribe('a')
  const request = device.send({ code: POST, uri: '/ps/a?c=d1', payload: '1' })
  const [first] = device.peer.take()
  assert.equal(app.take().length, 1)
  for (const wait of [2000, 4000, 8000, 16_000, 216_000]) {
    world.advance(wait)
    device.repeat(request)
    assert.deepEqual(device.peer.take(), [first])
  }
  assert.equal(app.take().length, 0)
  world.advance(2000)
  device.repeat(request)
  assert.equal(app.take().length, 1, 'EXCHANGE_LIFETIME is over')
})

test('a repeated NON is published once and not answered again', async () => {
  const { app, device } = await start()
  app.subscribe('a')
  const request = device.send({ type: NON, code: POST, uri: '/ps/a', payload: '1' })
  assert.equal(device.got().length, 1)
  device.repeat(request)
  assert.equal(device.got().length, 0)
  assert.equal(app.take().length, 1)
})

test('a restarted device that uses a message id again is heard', async () => {
  const { app, device } = await start()
  app.subscribe('a')
  device.ask({ code: POST, uri: '/ps/a', payload: '1', messageId: 1, token: 'x' })
  device.ask({ code: POST, uri: '/ps/a', payload: '2', messageId: 1, token: 'y' })
  assert.deepEqual(
    app.take().map(({ text }) => text),
    ['1', '2'],
  )
})

test('a topic with wildcards, or none, is refused with words', async () => {
  const { app, device } = await start()
  app.subscribe('a/#')
  for (const uri of ['/ps', '/ps/', '/ps/a/+', '/ps/%23', '/ps/a/%00']) {
    const answer = device.ask({ code: POST, uri, payload: 'x' })
    assert.equal(answer.code, '4.00', uri)
    assert.match(answer.text, /invalid topic/)
    assert.equal(answer.format, undefined)
  }
  assert.equal(app.take().length, 0)
})

test('a query that cannot be read is refused with words', async () => {
  const { device } = await start()
  for (const [query, words] of [
    ['qos=3', /qos/],
    ['q=one', /qos/],
    ['expiry=-1', /expiry/],
    ['expiry=99999999999', /expiry/],
    ['retain=yes', /retain/],
  ] as const) {
    const answer = device.ask({ code: POST, uri: `/ps/a?${query}`, payload: 'x' })
    assert.equal(answer.code, '4.00', query)
    assert.match(answer.text, words)
  }
})

test('what may not be published is 4.03 and says so', async () => {
  const access = {
    authenticate: () => ({ ok: true as const }),
    authorize: (_: unknown, action: string, topic: string) => !(action === 'publish' && topic === 'secret'),
  }
  const { app, device } = await start({}, { access })
  app.subscribe('secret')
  for (const type of [undefined, NON] as const) {
    const answer = device.ask({ code: POST, uri: '/ps/secret', payload: 'x', ...(type !== undefined && { type }) })
    assert.equal(answer.code, '4.03')
    assert.match(answer.text, /not authorized/)
  }
  assert.equal(app.take().length, 0)
})

test('No-Response is honoured: a CON still gets its acknowledgement', async () => {
  const { device } = await start()
  const quiet = (mask: number) => [uintOption(NO_RESPONSE, mask)]
  assert.equal(device.ask({ code: POST, uri: '/ps/a', payload: 'x', options: quiet(2) }).code, '0.00')
  device.send({ type: NON, code: POST, uri: '/ps/a', payload: 'x', options: quiet(2) })
  assert.equal(device.got().length, 0)
  assert.equal(device.ask({ type: NON, code: POST, uri: '/ps/+', payload: 'x', options: quiet(2) }).code, '4.00')
  device.send({ type: NON, code: POST, uri: '/ps/+', payload: 'x', options: quiet(26) })
  assert.equal(device.got().length, 0)
  assert.equal(device.ask({ type: NON, code: POST, uri: '/ps/a', payload: 'x', options: quiet(0) }).code, '2.04')
})

test('If-Match and If-None-Match guard the retained value', async () => {
  const { device } = await start()
  const put = (payload: string, options: Parameters<Device['ask']>[0]['options']) =>
    device.ask({ code: PUT, uri: '/ps/v?retain=true', payload, options: options ?? [] }).code
  assert.equal(put('1', [opaqueOption(IF_MATCH, new Uint8Array(0))]), '4.12')
  assert.equal(put('1', [emptyOption(IF_NONE_MATCH)]), '2.04')
  assert.equal(put('2', [emptyOption(IF_NONE_MATCH)]), '4.12')
  const etag = device.ask({ code: GET, uri: '/ps/v' }).message.options.opaque(ETAG) ?? assert.fail('no ETag')
  assert.equal(put('2', [opaqueOption(IF_MATCH, Uint8Array.of(1, 2, 3))]), '4.12')
  assert.equal(put('2', [opaqueOption(IF_MATCH, etag)]), '2.04')
  assert.equal(put('3', [opaqueOption(IF_MATCH, new Uint8Array(0))]), '2.04')
})

test('a refusal that may not last says when to try again', async () => {
  const { device } = await start({ limits: { maxClientsPerAddress: 1 } })
  assert.equal(device.ask({ code: POST, uri: '/ps/a?c=d1', payload: 'x' }).code, '2.04')
  const answer = device.ask({ code: POST, uri: '/ps/a?c=d2', payload: 'x' })
  assert.equal(answer.code, '5.03')
  assert.ok((answer.message.options.uint(MAX_AGE) ?? 0) > 0)
  assert.match(answer.text, /too many clients/)
})

test('DELETE removes the retained value, and says when it may not', async () => {
  const access = {
    authenticate: () => ({ ok: true as const }),
    authorize: (client: { id: string }, action: string, topic: string) =>
      client.id === 'app' || action !== 'publish' || topic !== 'guarded',
  }
  const world = new World({ access })
  const device = new Device(await world.gateway(coap))
  const app = world.app('app')
  for (const topic of ['a', 'guarded']) app.publish(topic, 'x', { retain: true })
  assert.equal(device.ask({ code: DELETE, uri: '/ps/a' }).code, '2.02')
  assert.equal(device.ask({ code: GET, uri: '/ps/a' }).code, '4.04')
  assert.equal(device.ask({ code: DELETE, uri: '/ps/a' }).code, '2.02', 'what is not there is removed already')
  assert.equal(device.ask({ code: DELETE, uri: '/ps/guarded' }).code, '4.03')
  assert.equal(device.ask({ code: GET, uri: '/ps/guarded' }).text, 'x')
  assert.equal(device.ask({ code: DELETE, uri: '/ps/+' }).code, '4.00')
  assert.equal(device.ask({ code: DELETE, uri: '/ps' }).code, '4.00')
})
