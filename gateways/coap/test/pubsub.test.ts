/** Publish-subscribe broker, draft-ietf-core-coap-pubsub: collection, configurations, data. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DELETE, FETCH, GET, IPATCH, POST, PUT } from '#stacks/coap/codes'
import { ACCEPT, CONTENT_FORMAT, uintOption } from '#stacks/coap/options'
import { World, type WorldOptions } from '#testing'
import coap from '../index.ts'
import { type Cbor, decodeCbor, EpochSeconds, encodeMap } from '../pubsub/cbor.ts'
import { Device, type Got } from './device.ts'

const PUBSUB = 606
const CBOR = 60
const SENML_JSON = 110

async function start(config: object = {}, options: WorldOptions = {}) {
  const world = new World(options)
  const gateway = await world.gateway(coap, config)
  const device = new Device(gateway)
  /** A request with a map of topic properties. */
  const send = (code: number, uri: string, properties: Readonly<Record<number, Cbor>>, format = PUBSUB) =>
    device.ask({
      code,
      uri,
      payload: encodeMap(new Map(Object.entries(properties).map(([key, value]) => [Number(key), value]))),
      options: [uintOption(CONTENT_FORMAT, format)],
    })
  /** The path of a new topic. */
  const create = (name: string, more: Readonly<Record<number, Cbor>> = {}): string => {
    const created = send(POST, '/pubsub', { 0: name, 2: 'core.ps.data', ...more })
    assert.equal(created.code, '2.01', created.text)
    return `/${created.location}`
  }
  const put = (path: string, payload: string, format?: number) =>
    device.ask({
      code: PUT,
      uri: `${path}/data`,
      payload,
      options: format === undefined ? [] : [uintOption(CONTENT_FORMAT, format)],
    })
  const observe = (path: string, token = 'ob') => device.ask({ code: GET, uri: `${path}/data`, observe: 0, token })
  return { world, gateway, app: world.app('app'), device, send, create, put, observe }
}

function properties(got: Got): Readonly<Record<string, unknown>> {
  assert.equal(got.format, PUBSUB)
  const map = decodeCbor(got.message.payload)
  assert.ok(map instanceof Map)
  return Object.fromEntries(map)
}

function targets({ text }: Got): (string | undefined)[] {
  return [...text.matchAll(/<([^>]+)>/g)].map((match) => match[1])
}

test('a topic is created, and its configuration read', async () => {
  const { device, send } = await start()
  const created = send(POST, '/pubsub', { 0: 'living/temp', 2: 'core.ps.data', 3: SENML_JSON, 6: 5 })
  assert.equal(created.code, '2.01')
  assert.match(created.location, /^pubsub\/[0-9a-f]+$/)
  const expected = { 0: 'living/temp', 1: `/${created.location}/data`, 2: 'core.ps.data', 3: SENML_JSON, 6: 5 }
  assert.deepEqual(properties(created), expected)
  const read = device.ask({ code: GET, uri: `/${created.location}` })
  assert.deepEqual([read.code, properties(read)], ['2.05', expected])
  const keys = Uint8Array.of(0x82, 0x00, 0x06)
  const some = device.ask({
    code: FETCH,
    uri: `/${created.location}`,
    payload: keys,
    options: [uintOption(CONTENT_FORMAT, CBOR)],
  })
  assert.deepEqual([some.code, properties(some)], ['2.05', { 0: 'living/temp', 6: 5 }])
})

test('what cannot be created is refused with words', async () => {
  const { device, send, create } = await start()
  create('taken')
  for (const [body, words] of [
    [{ 2: 'core.ps.data' }, /topic-name/],
    [{ 0: 'a' }, /resource-type/],
    [{ 0: 'a', 2: 'other' }, /resource-type/],
    [{ 0: 'a/#', 2: 'core.ps.data' }, /without wildcards/],
    [{ 0: 'taken', 2: 'core.ps.data' }, /of this name/],
    [{ 0: 'a', 2: 'core.ps.data', 9: 1 }, /9 is no property/],
    [{ 0: 'a', 2: 'core.ps.data', 7: 0 }, /observer-check/],
    [{ 0: 'a', 2: 'core.ps.data', 5: 7 }, /expiration-date/],
    [{ 0: 'a', 2: 'core.ps.data', 8: Uint8Array.of(1) }, /topic-content-format/],
  ] as const) {
    const refused = send(POST, '/pubsub', body)
    assert.equal(refused.code, '4.00')
    assert.match(refused.text, words)
  }
  assert.equal(send(POST, '/pubsub', { 0: 'a', 2: 'core.ps.data' }, 50).code, '4.15')
  for (const payload of [
    '',
    'text',
    Uint8Array.of(0xa1),
    Uint8Array.of(0x01),
    Uint8Array.of(0xa2, 0, 0x61, 0x61, 0, 0x61, 0x61),
  ]) {
    assert.equal(device.ask({ code: POST, uri: '/pubsub', payload }).code, '4.00')
  }
})

test('the collection is listed, and filtered by what topics are', async () => {
  const { device, send, create } = await start()
  const a = create('a', { 4: 'temperature', 3: 50 })
  const b = create('b', { 4: 'humidity' })
  assert.deepEqual(targets(device.ask({ code: GET, uri: '/pubsub' })), [a, b])
  assert.equal(
    device.ask({ code: GET, uri: '/pubsub?rt=core.ps.data' }).text,
    `<${a}/data>;rt="core.ps.data";ct=50;obs,<${b}/data>;rt="core.ps.data";obs`,
  )
  assert.deepEqual(targets(send(FETCH, '/pubsub', { 4: 'temperature' })), [a])
  assert.deepEqual(targets(send(FETCH, '/pubsub', { 4: 'temperature', 0: 'b' })), [])
  assert.equal(send(FETCH, '/pubsub', { 99: 'x' }).code, '4.00')
  assert.deepEqual(targets(device.ask({ code: GET, uri: '/.well-known/core?rt=core.ps.coll' })), ['/pubsub'])
})

test('half created until the first publish: 4.04, then 2.01, then 2.04', async () => {
  const { app, device, create, put, observe } = await start()
  const path = create('t', { 3: SENML_JSON })
  assert.equal(device.ask({ code: GET, uri: `${path}/data` }).code, '4.04')
  assert.equal(observe(path).code, '4.04')
  app.subscribe('t', { qos: 1 })
  assert.equal(put(path, '[1]', SENML_JSON).code, '2.01')
  assert.equal(put(path, '[2]').code, '2.04')
  const [first, second] = app.take()
  assert.deepEqual([first?.text, second?.text], ['[1]', '[2]'])
  for (const message of [first, second]) assert.equal(message?.message.properties?.contentType, 'application/senml+json')
  const read = device.ask({ code: GET, uri: `${path}/data` })
  assert.deepEqual([read.code, read.text, read.format], ['2.05', '[2]', SENML_JSON])
  assert.equal(put(path, '{}', 50).code, '4.15')
  assert.equal(put(path, '').code, '4.00')
})

test('initialize makes it fully created', async () => {
  const { device, create } = await start()
  const path = create('t', { 3: 0, 8: new TextEncoder().encode('first') })
  assert.equal(device.ask({ code: GET, uri: `${path}/data` }).text, 'first')
  assert.equal(properties(device.ask({ code: GET, uri: path }))[8], undefined)
})

test('subscribers get what is published, by CoAP and by MQTT, until the data or the topic is deleted', async () => {
  const { app, device, create, put, observe } = await start()
  const path = create('t')
  put(path, '1')
  const registered = observe(path)
  assert.deepEqual([registered.code, registered.text, registered.observe !== undefined], ['2.05', '1', true])
  app.publish('t', '2', { retain: true })
  assert.equal(device.one().text, '2')
  device.send({ code: DELETE, uri: `${path}/data` })
  const [gone, deleted] = device.got().sort((a, b) => Number(a.code === '2.02') - Number(b.code === '2.02'))
  assert.deepEqual([gone?.code, gone?.token, gone?.observe, deleted?.code], ['4.04', 'ob', undefined, '2.02'])
  device.ack(gone?.messageId ?? 0)
  assert.equal(device.ask({ code: GET, uri: `${path}/data` }).code, '4.04', 'half created again')
  assert.equal(device.ask({ code: DELETE, uri: `${path}/data` }).code, '4.04')
  assert.equal(put(path, '3').code, '2.01')
  assert.equal(observe(path).code, '2.05')
  device.send({ code: DELETE, uri: path })
  const answers = device.got()
  assert.deepEqual(answers.map(({ code }) => code).sort(), ['2.02', '4.04'])
  device.ack(answers.find(({ code }) => code === '4.04')?.messageId ?? 0)
  for (const uri of [path, `${path}/data`]) assert.equal(device.ask({ code: GET, uri }).code, '4.04')
  assert.equal(device.ask({ code: GET, uri: '/ps/t' }).code, '4.04', 'nothing is left on the broker')
})

test('a configuration is replaced or changed in part; what is immutable stays', async () => {
  const { device, send, create } = await start()
  const path = create('t', { 3: 50, 4: 'x', 6: 5 })
  assert.deepEqual(properties(send(IPATCH, path, { 6: 9 })), {
    0: 't',
    1: `${path}/data`,
    2: 'core.ps.data',
    3: 50,
    4: 'x',
    6: 9,
  })
  for (const method of [POST, PUT]) {
    const replaced = send(method, path, { 0: 't', 4: 'y' })
    assert.deepEqual([replaced.code, properties(replaced)], ['2.04', { 0: 't', 1: `${path}/data`, 2: 'core.ps.data', 4: 'y' }])
  }
  for (const change of [{ 0: 'other' }, { 1: '/x' }, { 8: Uint8Array.of(1) }]) {
    const refused = send(IPATCH, path, change)
    assert.equal(refused.code, '4.00')
    assert.match(refused.text, /cannot be changed/)
  }
  assert.equal(device.ask({ code: GET, uri: path, options: [uintOption(ACCEPT, 50)] }).code, '4.06')
})

test('max-subscribers holds: more get the value without Observe, and lowering it drops some with 4.04', async () => {
  const { device, send, create, put, observe } = await start()
  const path = create('t', { 6: 2 })
  put(path, 'v')
  assert.notEqual(observe(path, 'o1').observe, undefined)
  assert.notEqual(observe(path, 'o2').observe, undefined)
  const third = observe(path, 'o3')
  assert.deepEqual([third.code, third.text, third.observe], ['2.05', 'v', undefined])
  assert.notEqual(observe(path, 'o2').observe, undefined, 'who is in may register again')
  device.send({
    code: IPATCH,
    uri: path,
    payload: encodeMap(new Map([[6, 1]])),
    options: [uintOption(CONTENT_FORMAT, PUBSUB)],
  })
  const codes = device.got().map(({ code, token }) => [code, token === 'o2'])
  assert.deepEqual(codes, [
    ['4.04', true],
    ['2.04', false],
  ])
  assert.equal(send(GET, path, {}).code, '2.05')
})

test('after its expiration date a topic is gone', async () => {
  const { world, device, create, put } = await start()
  const path = create('t', { 5: new EpochSeconds(world.now() / 1000 + 60) })
  put(path, 'v')
  const date = properties(device.ask({ code: GET, uri: path }))[5]
  assert.ok(date instanceof EpochSeconds)
  world.advance(61_000)
  assert.equal(device.ask({ code: GET, uri: path }).code, '4.04')
  assert.deepEqual(targets(device.ask({ code: GET, uri: '/pubsub' })), [])
  assert.equal(device.ask({ code: GET, uri: '/ps/t' }).code, '4.04', 'and so is its data')
  create('t')
})

test('who may not publish may not configure; who may not read does not see', async () => {
  const access = {
    authenticate: () => ({ ok: true as const }),
    authorize: ({ id }: { id: string }, action: string, topic: string) =>
      topic !== 'secret' || (id === 'd1' && action === 'publish'),
  }
  const { device, send } = await start({}, { access })
  const body = { 0: 'secret', 2: 'core.ps.data' }
  assert.equal(send(POST, '/pubsub?c=d2', body).code, '4.03')
  const created = send(POST, '/pubsub?c=d1', body)
  assert.equal(created.code, '2.01')
  const path = `/${created.location}`
  assert.equal(device.ask({ code: GET, uri: `${path}?c=d2` }).code, '4.03')
  assert.equal(device.ask({ code: DELETE, uri: `${path}?c=d2` }).code, '4.03')
  assert.equal(device.ask({ code: PUT, uri: `${path}/data?c=d2`, payload: 'x' }).code, '4.03')
  assert.equal(device.ask({ code: GET, uri: `${path}/data?c=d2` }).code, '4.03')
  assert.deepEqual(targets(device.ask({ code: GET, uri: '/pubsub?c=d2' })), [])
  assert.equal(device.ask({ code: DELETE, uri: `${path}?c=d1` }).code, '2.02')
})

test('topics are bounded: 5.03', async () => {
  const { world, send, create } = await start({ limits: { maxTopics: 2 } })
  create('a')
  create('b')
  assert.equal(send(POST, '/pubsub', { 0: 'c', 2: 'core.ps.data' }).code, '5.03')
  assert.equal(world.counters().get('topics-full'), 1)
})
