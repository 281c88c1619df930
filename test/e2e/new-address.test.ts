/** Identity, not address: a device that comes back from another address goes on where it was. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { after, before, describe, test } from 'node:test'
import { CoapDevice } from './coap-device.ts'
import { App, Sys } from './mqtt-app.ts'
import { without } from './needs.ts'
import { listener, Server } from './server.ts'
import { bytesOf, FRAMES, PHONE } from './terminal.ts'
import { until } from './waiting.ts'

describe('a CoAP device at a new address', { skip: without('mqtt', 'coap') }, () => {
  let server: Server
  before(async () => {
    server = await Server.start({ gateways: { mqtt: { listeners: [listener('tcp')] }, coap: { listeners: [listener('udp')] } } })
  })
  after(() => server.stop())

  test('its token suffices, its observations follow, and nobody sees it leave', async (t) => {
    const app = await (await App.connect(server.port('mqtt'), t)).subscribe('devices/roamer/status')
    const here = await CoapDevice.open(server.port('coap', 'udp'), t)
    const { code, text: credential } = await here.request({ method: 'post', path: '/mqtt/connection?clientid=roamer' })
    assert.equal(code, '2.01')
    const query = `clientid=roamer&token=${credential}`
    const token = 'beef'
    const registered = await here.request({ method: 'get', path: `/ps/news/roamer?${query}`, observe: 0, token })
    assert.equal(registered.code, '2.05')
    await app.publish('news/roamer', 'at the old address')
    await until('the first notification', () => here.notifications(token).some(({ text }) => text === 'at the old address'))

    const there = await CoapDevice.open(server.port('coap', 'udp'), t)
    assert.equal((await there.request({ method: 'put', path: '/mqtt/connection?clientid=roamer&token=1' })).code, '4.01')
    assert.equal((await there.request({ method: 'put', path: `/mqtt/connection?${query}` })).code, '2.04')
    await app.publish('news/roamer', 'at the new address')
    await until('the second notification', () => there.notifications(token).some(({ text }) => text === 'at the new address'))
    assert.equal(
      here.notifications(token).some(({ text }) => text === 'at the new address'),
      false,
    )
    await app.settled()
    assert.deepEqual(
      app.messages.map(({ text }) => (JSON.parse(text) as { online: boolean }).online),
      [true],
    )
  })
})

describe('a JT/T 808 terminal over UDP at a new address', { skip: without('mqtt', 'jt808') }, () => {
  let server: Server
  before(async () => {
    const trucks = { use: 'jt808', listeners: [listener('udp', { name: 'udp' })] }
    server = await Server.start({ gateways: { mqtt: { listeners: [listener('tcp')] }, trucks } })
  })
  after(() => server.stop())

  test('its reports go on, are acknowledged there, and nobody sees it leave', async (t) => {
    const app = await App.connect(server.port('mqtt'), t)
    await app.subscribe(`devices/${PHONE}/+`)
    await app.subscribe(`devices/${PHONE}/up/telemetry`)
    const exchange = async (...frames: readonly string[]): Promise<string[]> => {
      const socket = createSocket('udp4')
      t.after(() => socket.close())
      const answers: string[] = []
      socket.on('message', (datagram) => answers.push(datagram.toString('hex', 1, 3)))
      for (const [index, frame] of frames.entries()) {
        socket.send(bytesOf(frame), server.port('trucks', 'udp'), '127.0.0.1')
        await until(`answer ${index + 1}`, () => answers.length > index)
      }
      return answers
    }
    assert.deepEqual(await exchange(FRAMES.register, FRAMES.authenticate, FRAMES.location), ['8100', '8001', '8001'])
    assert.deepEqual(await exchange(FRAMES.southWest, FRAMES.escaped), ['8001', '8001'])
    await until('three locations', () => app.on(`devices/${PHONE}/up/telemetry`).length >= 3)
    await app.settled()
    assert.deepEqual(
      app.on(`devices/${PHONE}/status`).map(({ text }) => (JSON.parse(text) as { online: boolean }).online),
      [true],
    )
    assert.equal((await Sys.read(server.port('mqtt'))).at('gateways/trucks/counters/rebound'), 1)
  })
})
