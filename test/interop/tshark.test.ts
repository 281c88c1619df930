/** Wireshark's dissectors read what goes over the wire, both ways, and find nothing malformed in it. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import { CoapDevice } from '../e2e/coap-device.ts'
import { App } from '../e2e/mqtt-app.ts'
import { without } from '../e2e/needs.ts'
import { listener, Server } from '../e2e/server.ts'
import { until } from '../e2e/waiting.ts'
import { capture } from './capture.ts'
import { cannotCapture, lacking } from './program.ts'

async function mqttTraffic(port: number, t: TestContext): Promise<void> {
  for (const version of [4, 5] as const) {
    const will = { topic: 'shark/will', payload: Buffer.from('gone'), qos: 1 as const, retain: false }
    const app = await App.connect(port, t, { version, more: { will } })
    await app.subscribe('shark/#', 2)
    for (const qos of [0, 1, 2] as const) await app.publish('shark/a', `QoS ${qos}`, { qos, retain: qos === 1 })
    if (version === 5) {
      const properties = {
        contentType: 'text/plain',
        responseTopic: 'shark/answer',
        correlationData: Buffer.from('1'),
        userProperties: { a: ['1', '2'] },
        messageExpiryInterval: 60,
        payloadFormatIndicator: true,
      }
      await app.client.publishAsync('shark/b', 'with properties', { qos: 1, properties })
      await app.client.publishAsync('shark/nobody', 'none', { qos: 1 })
      await app.message('the one with properties', ({ topic }) => topic === 'shark/b')
      await shortTopics(port, t)
    }
    await app.client.unsubscribeAsync('shark/#')
    await app.settled()
    const successor = await App.connect(port, t, { version, clientId: app.client.options.clientId ?? '' })
    await app.closed()
    await successor.end()
  }
}

/** Aliases toward a client, subscription identifiers, a refusal in words, and what 5.0 says of a client's mistake. */
async function shortTopics(port: number, t: TestContext): Promise<void> {
  const app = await App.connect(port, t, { more: { properties: { topicAliasMaximum: 2 } } })
  await app.client.subscribeAsync('short/#', { qos: 1, properties: { subscriptionIdentifier: 300 } })
  for (let i = 0; i < 3; i++) await app.publish('short/and/then/not', `${i}`, { qos: 1 })
  await until('the three', () => app.messages.length >= 3)
  await app.client.publishAsync('$SYS/refused', 'x', { qos: 1 }).catch(() => {})
  await app.client.subscribeAsync('a/#/b', { qos: 0 }).catch(() => {})
  await app.end()
}

async function coapTraffic(port: number, mqttPort: number, t: TestContext): Promise<void> {
  const app = await App.connect(mqttPort, t)
  await app.publish('state/large', 'abcdefghij'.repeat(300), { retain: true })
  const device = await CoapDevice.open(port, t)
  const token = 'cafe'
  await device.request({ method: 'get', path: '/ps/news/s1?clientid=s1', observe: 0, token })
  for (const qos of [0, 1] as const) await app.publish('news/s1', `QoS ${qos}`, { qos })
  await until('two notifications', () => device.notifications(token).length >= 3)
  for (const path of ['/.well-known/core', '/ps/state/large?clientid=s1', '/ps/none?clientid=s1', '/nowhere', '/ps/a?qos=9']) {
    await device.request({ method: 'get', path })
    await device.request({ method: 'get', path, confirmable: false })
  }
  await device.request({ method: 'post', path: '/ps/sensors/s1?clientid=s1', payload: '21.5' })
  await device.request({ method: 'delete', path: '/ps/sensors/s1?clientid=s1' })
  const { text } = await device.request({ method: 'post', path: '/mqtt/connection?clientid=s2' })
  await device.request({ method: 'delete', path: `/mqtt/connection?clientid=s2&token=${text}` })
  device.send(Buffer.of(0x40, 0, 0x12, 0x34)) // CoAP ping
  await until('the pong', () => device.responses.some(({ type }) => type === 'rst'))
}

const skip = lacking('tshark') || cannotCapture()

test('tshark finds no malformed MQTT packet', { skip: without('mqtt') || skip }, async (t) => {
  const server = await Server.start({ gateways: { mqtt: { listeners: [listener('tcp')] } } }, t)
  const port = server.port('mqtt')
  const captured = await capture([port], () => mqttTraffic(port, t), t)
  const decodeAs = [`tcp.port==${port},mqtt`]
  assert.deepEqual(await captured.packets('_ws.malformed || mqtt && _ws.expert.severity == "Error"', decodeAs), [])
  assert.ok((await captured.packets('mqtt', decodeAs)).length > 20)
  // From the server: CONNACK, PUBLISH, SUBACK, UNSUBACK, and the DISCONNECT of whoever was displaced.
  for (const type of [2, 3, 9, 11, 14]) {
    const packets = await captured.packets(`mqtt.msgtype == ${type} && tcp.srcport == ${port}`, decodeAs)
    assert.ok(packets.length > 0, `packets of type ${type}`)
  }
})

test('tshark finds no malformed CoAP message', { skip: without('mqtt', 'coap') || skip }, async (t) => {
  const gateways = { mqtt: { listeners: [listener('tcp')] }, coap: { listeners: [listener('udp')] } }
  const server = await Server.start({ gateways }, t)
  const port = server.port('coap', 'udp')
  const captured = await capture([port], () => coapTraffic(port, server.port('mqtt'), t), t)
  const decodeAs = [`udp.port==${port},coap`]
  assert.deepEqual(await captured.packets('_ws.malformed || coap && _ws.expert.severity == "Error"', decodeAs), [])
  const ours = await captured.packets(`coap && udp.srcport == ${port}`, decodeAs)
  assert.ok(ours.length > 15, ours.join('\n'))
})
