/** Discovery, what is refused, and what is not even a message. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CON, codeOf, DELETE, FETCH, GET, NON, POST, RST } from '#stacks/coap/codes'
import {
  HOP_LIMIT,
  type Option,
  opaqueOption,
  PROXY_SCHEME,
  PROXY_URI,
  textOption,
  URI_PATH,
  uintOption,
} from '#stacks/coap/options'
import { unhex, World } from '#testing'
import coap from '../index.ts'
import { Device } from './device.ts'

async function start() {
  const world = new World()
  return { world, device: new Device(await world.gateway(coap)) }
}

test('discovery lists the entry points', async () => {
  const { device } = await start()
  const answer = device.ask({ code: GET, uri: '/.well-known/core' })
  assert.deepEqual([answer.code, answer.format], ['2.05', 40])
  for (const path of ['/ps', '/up/telemetry', '/up/event', '/up/data', '/mqtt/connection'])
    assert.ok(answer.text.includes(`<${path}>`), path)
  assert.match(answer.text, /<\/ps>;rt="core\.ps";ct=0;obs/)
})

test('discovery filters', async () => {
  const { device } = await start()
  const ask = (query: string) => device.ask({ code: GET, uri: `/.well-known/core?${query}` }).text
  const targets = (query: string) => [...ask(query).matchAll(/<([^>]+)>/g)].map((match) => match[1])
  assert.deepEqual(targets('rt=core.ps'), ['/ps'])
  assert.deepEqual(targets('href=/up/*'), ['/up/telemetry', '/up/event', '/up/data', '/up/response'])
  assert.deepEqual(targets('rt=omnigate.t*'), ['/up/telemetry'])
  assert.deepEqual(targets('obs=*'), ['/ps', '/down', '/down/data'])
  assert.deepEqual(targets('rt=nothing'), [])
})

test('unknown paths are 4.04, unknown methods 4.05, each with a diagnostic', async () => {
  const { device } = await start()
  for (const [code, uri, expected] of [
    [GET, '/', '4.04'],
    [GET, '/psx/a', '4.04'],
    [POST, '/up/nothing', '4.04'],
    [DELETE, '/up/data', '4.05'],
    [FETCH, '/ps/a', '4.05'],
    [codeOf(0, 31), '/ps/a', '4.05'],
    [GET, '/up/telemetry', '4.05'],
    [POST, '/.well-known/core', '4.05'],
    [GET, '/mqtt/connection', '4.05'],
  ] as const) {
    const answer = device.ask({ code, uri })
    assert.equal(answer.code, expected, uri)
    assert.ok(answer.text.length > 0)
    assert.equal(answer.format, undefined)
  }
})

test('a critical option that is not understood is 4.02; an elective one is ignored', async () => {
  const { world, device } = await start()
  const ask = (option: Option, type?: typeof CON | typeof NON) =>
    device.send({ code: POST, uri: '/ps/a', payload: 'x', options: [option], ...(type !== undefined && { type }) })
  for (const number of [9, 21, 2049, 65_001]) {
    ask(opaqueOption(number, new Uint8Array(0)))
    const answer = device.one()
    assert.equal(answer.code, '4.02', String(number))
    assert.ok(answer.text.length > 0)
  }
  ask(opaqueOption(65_001, new Uint8Array(0)), NON)
  assert.deepEqual(device.got(), [], 'a NON request is dropped')
  assert.equal(world.counters().get('bad-option'), 5)
  ask(opaqueOption(65_002, Uint8Array.of(1, 2, 3)))
  assert.equal(device.one().code, '2.04')
})

test('a critical option that is malformed or repeated is 4.02', async () => {
  const { device } = await start()
  for (const options of [
    [opaqueOption(5, Uint8Array.of(1))], // If-None-Match with a value
    [uintOption(17, 0), uintOption(17, 50)], // Accept twice
    [opaqueOption(URI_PATH, Uint8Array.of(0xc3, 0x28))], // not UTF-8
    [opaqueOption(17, Uint8Array.of(0, 0, 50))], // Accept of three bytes
  ]) {
    assert.equal(device.ask({ code: GET, uri: '/ps/a', options }).code, '4.02')
  }
})

test('proxying is refused with 5.05, Hop-Limit 0 with 4.00', async () => {
  const { world, device } = await start()
  const code = (option: Option) => device.ask({ code: GET, uri: '/ps/a', options: [option] }).code
  assert.equal(code(textOption(PROXY_URI, 'coap://elsewhere/x')), '5.05')
  assert.equal(code(textOption(PROXY_SCHEME, 'http')), '5.05')
  assert.equal(code(opaqueOption(HOP_LIMIT, Uint8Array.of(0))), '4.00')
  assert.equal(code(uintOption(HOP_LIMIT, 16)), '4.04')
  assert.deepEqual([world.counters().get('proxy-refused'), world.counters().get('bad-request')], [2, 1])
})

test('a ping is answered with a reset', async () => {
  const { world, device } = await start()
  device.peer.send(unhex('40 00 00 01'))
  const pong = device.one()
  assert.deepEqual([pong.type, pong.code, pong.messageId], [RST, '0.00', 1])
  assert.equal(world.counters().get('ping'), 1)
})

test('malformed confirmable messages are reset, other ones ignored, all are counted', async () => {
  const { world, device } = await start()
  for (const [bytes, reason] of [
    ['49 01 00 01 000000000000000000', 'token-length'],
    ['44 01 00 02 0102', 'token-truncated'],
    ['40 01 00 03 ff', 'marker-without-payload'],
    ['40 01 00 04 f0', 'reserved-nibble'],
    ['40 01 00 05 b5 70', 'option-truncated'],
    ['40 00 00 06 00', 'empty-with-data'],
    ['40 21 00 07', 'reserved-class'],
    ['40 e1 00 08', 'reserved-class'],
  ] as const) {
    const before = world.malformed().get(reason) ?? 0
    device.peer.send(unhex(bytes))
    const reset = device.one()
    assert.deepEqual([reset.type, reset.messageId], [RST, Number(bytes.slice(6, 11).replace(' ', ''))])
    device.peer.send(unhex(`5${bytes.slice(1)}`))
    assert.deepEqual(device.got(), [])
    assert.ok((world.malformed().get(reason) ?? 0) >= before + 1, reason)
  }
})

test('other versions and crumbs are ignored without a sound', async () => {
  const { world, device } = await start()
  for (const bytes of ['', '40', '40 01 00', '00 01 00 01', '80 01 00 01', 'c0 01 00 01']) device.peer.send(unhex(bytes))
  assert.deepEqual(device.got(), [])
  assert.deepEqual([world.malformed().get('too-short'), world.malformed().get('bad-version')], [3, 3])
})

test('a response that nobody asked for is reset when confirmable', async () => {
  const { device } = await start()
  device.peer.send(unhex('41 45 00 09 aa'))
  const reset = device.one()
  assert.deepEqual([reset.type, reset.messageId], [RST, 9])
  device.peer.send(unhex('51 45 00 0a aa'))
  device.peer.send(unhex('61 45 00 0b aa'))
  device.peer.send(unhex('70 00 00 0c'))
  assert.deepEqual(device.got(), [])
})
