/** A client is its id, not its address: observers that change their port all the time miss nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CON, GET, NON, POST, PUT } from '#stacks/coap/codes'
import { World } from '#testing'
import coap from '../index.ts'
import { Device } from './device.ts'

const HOUR_S = 3600
/** The device is silent for so long after each change: what is sent then goes to an address that is gone. */
const SILENT_S = 2
const CHANGE_EVERY_S = 10

/** How a device makes itself known at its new port, by mode. */
const MODES = {
  'by token, with a heartbeat': { login: true, hello: { code: PUT, uri: '/mqtt/connection?clientid=d1' } },
  'by token, with a publish': { login: true, hello: { code: POST, uri: '/ps/hello?clientid=d1', payload: 'x' } },
  'by client id, with a publish': { login: false, hello: { code: POST, uri: '/ps/hello?clientid=d1', payload: 'x' } },
  'by client id, registering again': {
    login: false,
    hello: { code: GET, uri: '/ps/news/+?clientid=d1', observe: 0, token: 'ob' },
  },
} as const

for (const [mode, { login, hello }] of Object.entries(MODES)) {
  test(`an observer that changes its port every 10 s for an hour misses nothing, known ${mode}`, async () => {
    const world = new World()
    const gateway = await world.gateway(coap, { connectionRequired: login })
    const app = world.app('app')
    let device = new Device(gateway)
    const credential = login ? `&token=${device.ask({ code: POST, uri: '/mqtt/connection?clientid=d1' }).text}` : ''
    device.ask({ code: GET, uri: `/ps/news/+?clientid=d1${credential}`, observe: 0, token: 'ob' })
    const seen: number[] = []
    const take = () => {
      for (let got = device.got(); got.length > 0; got = device.got()) {
        for (const { type, token, messageId, text } of got) {
          if (token === 'ob' && text !== '' && seen.at(-1) !== Number(text)) seen.push(Number(text))
          if (type === CON) device.ack(messageId)
        }
      }
    }
    for (let second = 0; second < HOUR_S; second++) {
      const phase = second % CHANGE_EVERY_S
      if (phase === 0) device = new Device(gateway)
      if (phase === SILENT_S) device.send({ type: NON, ...hello, uri: hello.uri + credential })
      take()
      app.publish(`news/${second % 3}`, String(second), { qos: 1 })
      take()
      world.advance(1000)
    }
    take()
    assert.deepEqual(
      seen,
      Array.from({ length: HOUR_S }, (_, i) => i),
    )
    assert.equal(world.core.client('d1')?.unacknowledged, 0)
    assert.equal(world.counters().get('moved'), HOUR_S / CHANGE_EVERY_S)
    assert.equal(world.faults(), 0)
    // EXCHANGE_LIFETIME is 247 s: the addresses of the last minutes, and none of those before.
    assert.ok(gateway.runtime.hosts.size < 60, `${gateway.runtime.hosts.size} addresses are remembered`)
  })
}
