/** `echo: large`: an address proves to be its peer's own before it is sent much. RFC 9175 2.4 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blockOption } from '#stacks/coap/block'
import { GET, PUT } from '#stacks/coap/codes'
import { BLOCK2, ECHO, type Option, opaqueOption } from '#stacks/coap/options'
import { World } from '#testing'
import coap from '../index.ts'
import { Device, type Got, observe } from './device.ts'

const LARGE = 'x'.repeat(200)

async function start(config: object = { echo: 'large' }) {
  const world = new World()
  const gateway = await world.gateway(coap, config)
  const app = world.app('app')
  app.publish('large', LARGE, { retain: true })
  app.publish('small', 'y'.repeat(60), { retain: true })
  return { world, gateway, app, device: new Device(gateway) }
}

function get(device: Device, topic: string, ...options: readonly Option[]): Got {
  return device.ask({ code: GET, uri: `/ps/${topic}?c=d1`, options })
}

function echoOf({ message }: Got): Option {
  return opaqueOption(ECHO, message.options.opaque(ECHO) ?? assert.fail('no Echo'))
}

test('a large answer goes to an address that has shown to be the peer\u2019s own', async () => {
  const { world, gateway, device } = await start()
  const challenge = get(device, 'large')
  assert.equal(challenge.code, '4.01')
  assert.ok(challenge.message.bytes.length < 136)
  assert.deepEqual([get(device, 'large', echoOf(challenge)).text, get(device, 'large').text], [LARGE, LARGE])
  const stranger = new Device(gateway, '10.0.0.2')
  assert.equal(get(stranger, 'large', echoOf(challenge)).code, '4.01', 'the value is good at one address')
  assert.equal(world.counters().get('echo-challenge'), 2)
})

test('what is small is served at once, and what changes something', async () => {
  const { world, device } = await start()
  assert.equal(get(device, 'small').code, '2.05')
  assert.equal(device.ask({ code: PUT, uri: '/ps/a?c=d1', payload: LARGE }).code, '2.04')
  assert.equal(device.ask({ code: GET, uri: '/.well-known/core' }).code, '4.01')
  assert.equal(world.counters().get('echo-challenge'), 1)
})

test('a small first block does not open the way to large ones', async () => {
  const { device } = await start()
  const block = (number: number, szx: number): Option => blockOption(BLOCK2, { number, more: false, szx })
  assert.equal(get(device, 'large', block(0, 0)).code, '2.05')
  assert.equal(get(device, 'large', block(0, 6)).code, '4.01')
  const small = get(device, 'large', block(1, 0))
  assert.deepEqual([small.code, small.text.length], ['2.05', 16])
})

test('an observation begins with proof, since one request brings any number of notifications', async () => {
  const { world, app, device } = await start()
  const challenge = observe(device, '/ps/live?c=d1')
  assert.deepEqual([challenge.code, challenge.observe], ['4.01', undefined])
  app.publish('live', '1')
  assert.deepEqual(device.got(), [])
  assert.equal(world.counters().get('observation-added'), undefined)
  assert.equal(observe(device, '/ps/live?c=d1', { options: [echoOf(challenge)] }).code, '2.05')
  app.publish('live', '2')
  assert.equal(device.one().text, '2')
})

test('nobody is asked for proof unless it is switched on', async () => {
  const { device } = await start({})
  assert.equal(get(device, 'large').text, LARGE)
  assert.equal(observe(device, '/ps/large?c=d1').code, '2.05')
})
