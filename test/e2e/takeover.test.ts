/** One space of client ids: whoever comes with an id that is in use takes the session over, whatever the protocol. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { CoapDevice } from './coap-device.ts'
import { App } from './mqtt-app.ts'
import { without } from './needs.ts'
import { listener, Server } from './server.ts'
import { FRAMES, PHONE, Terminal } from './terminal.ts'
import { until } from './waiting.ts'

/** MQTT 5.0 2.4 */
const SESSION_TAKEN_OVER = 0x8e

interface Status {
  readonly online: boolean
  readonly protocol: string
  readonly gateway: string
  readonly reason?: string
  readonly peer?: string
}

/** Presence of one client in the order that an application sees it. */
function statusesOf(app: App, clientId: string): Status[] {
  return app.on(`devices/${clientId}/status`).map(({ text }) => JSON.parse(text) as Status)
}

async function untilOnline(app: App, clientId: string, protocol: string): Promise<void> {
  await until(
    () => `${clientId} online by ${protocol}: ${JSON.stringify(statusesOf(app, clientId))}`,
    () => statusesOf(app, clientId).some((status) => status.online && status.protocol === protocol),
  )
}

describe('a client id taken over between MQTT and CoAP', { skip: without('mqtt', 'coap') }, () => {
  let server: Server
  before(async () => {
    server = await Server.start({ gateways: { mqtt: { listeners: [listener('tcp')] }, coap: { listeners: [listener('udp')] } } })
  })
  after(() => server.stop())

  for (const [how, request] of [
    ['a login', { method: 'post', path: '/mqtt/connection?clientid=d1' }],
    ['a publish', { method: 'post', path: '/ps/sensors/d1?clientid=d1', payload: '21.5' }],
  ] as const) {
    test(`${how} by CoAP ends the MQTT connection with 0x8E, and the status says so`, async (t) => {
      const watcher = await (await App.connect(server.port('mqtt'), t)).subscribe('devices/+/status')
      const device = await App.connect(server.port('mqtt'), t, { clientId: 'd1' })
      await untilOnline(watcher, 'd1', 'mqtt')
      const coap = await CoapDevice.open(server.port('coap', 'udp'), t)
      const answer = await coap.request(request)
      assert.match(answer.code, /^2\./)
      await device.closed()
      assert.equal(device.goodbye?.reasonCode, SESSION_TAKEN_OVER)
      await untilOnline(watcher, 'd1', 'coap')
      const [first, ...statuses] = statusesOf(watcher, 'd1')
      assert.equal(first?.online, true)
      assert.deepEqual(
        statuses.map(({ online, protocol, reason }) => ({ online, protocol, reason })),
        [
          { online: false, protocol: 'mqtt', reason: 'taken-over' },
          { online: true, protocol: 'coap', reason: undefined },
        ],
      )
      assert.equal(statuses[1]?.peer, coap.name)
      await coap.request({ method: 'delete', path: `/mqtt/connection?clientid=d1&token=${answer.text}` })
    })
  }

  test('an MQTT connection ends the CoAP session, and its observer is told why', async (t) => {
    const watcher = await (await App.connect(server.port('mqtt'), t)).subscribe('devices/+/status')
    const coap = await CoapDevice.open(server.port('coap', 'udp'), t)
    const token = 'a1b2'
    const registered = await coap.request({ method: 'get', path: '/ps/news/d2?clientid=d2', observe: 0, token })
    assert.equal(registered.code, '2.05')
    assert.notEqual(registered.observe, undefined)
    await watcher.publish('news/d2', 'one')
    await until('the notification', () => coap.notifications(token).find(({ text }) => text === 'one'))

    const successor = await App.connect(server.port('mqtt'), t, { clientId: 'd2' })
    const last = await until('the last notification', () => coap.notifications(token).find(({ code }) => code === '4.01'))
    assert.match(last.text, /taken over/)
    assert.equal(last.observe, undefined, 'RFC 7641 3.2: an error ends the observation and carries no Observe')
    await untilOnline(watcher, 'd2', 'mqtt')
    const offline = statusesOf(watcher, 'd2').find(({ online }) => !online)
    assert.deepEqual([offline?.protocol, offline?.reason], ['coap', 'taken-over'])

    const count = coap.notifications(token).length
    await watcher.publish('news/d2', 'two')
    await successor.settled()
    assert.equal((await coap.request({ method: 'get', path: '/.well-known/core' })).code, '2.05')
    assert.equal(coap.notifications(token).length, count, 'an observation that ended stays silent')
  })
})

describe('a client id taken over between MQTT and JT/T 808', { skip: without('mqtt', 'jt808') }, () => {
  let server: Server
  before(async () => {
    server = await Server.start({
      gateways: { mqtt: { listeners: [listener('tcp')] }, trucks: { use: 'jt808', listeners: [listener('tcp')] } },
    })
  })
  after(() => server.stop())

  test('a terminal takes its phone number from an MQTT client, and from its own former connection', async (t) => {
    const watcher = await (await App.connect(server.port('mqtt'), t)).subscribe('devices/+/status')
    const squatter = await App.connect(server.port('mqtt'), t, { clientId: PHONE })
    const first = await Terminal.signOn(server.port('trucks'), t)
    await squatter.closed()
    assert.equal(squatter.goodbye?.reasonCode, SESSION_TAKEN_OVER)
    const second = await Terminal.signOn(server.port('trucks'), t)
    await first.peer.untilClosed('the former connection to be closed')
    second.peer.send(Buffer.from(FRAMES.location, 'hex'))
    await second.acknowledged(0x0200, 4)
    await until('status of the second connection', () => statusesOf(watcher, PHONE).find(({ peer }) => peer === second.peer.name))
    assert.deepEqual(
      statusesOf(watcher, PHONE)
        .filter(({ online }) => !online)
        .map(({ protocol, gateway, reason }) => [protocol, gateway, reason]),
      [
        ['mqtt', 'mqtt', 'taken-over'],
        ['jt808', 'trucks', 'taken-over'],
      ],
    )
  })
})
