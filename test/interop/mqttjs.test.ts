/** MQTT.js, 3.1.1 and 5.0, over TCP and WebSocket. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { App } from '../e2e/mqtt-app.ts'
import { without } from '../e2e/needs.ts'
import { listener, Server } from '../e2e/server.ts'
import { until } from '../e2e/waiting.ts'

let server: Server
let lastTopic = 0

function unique(): string {
  return `mqttjs/${++lastTopic}`
}

describe('MQTT.js', { skip: without('mqtt') }, () => {
  before(async () => {
    server = await Server.start({ gateways: { mqtt: { listeners: [listener('tcp'), listener('ws', { path: '/mqtt' })] } } })
  })
  after(() => server.stop())

  const places: readonly (readonly [name: string, url: () => string])[] = [
    ['tcp', () => `mqtt://127.0.0.1:${server.port('mqtt')}`],
    ['ws', () => `ws://127.0.0.1:${server.port('mqtt', 'ws')}/mqtt`],
  ]

  for (const [transport, url] of places) {
    for (const version of [4, 5] as const) {
      describe(`${version === 4 ? '3.1.1' : '5.0'} over ${transport}`, () => {
        test('every QoS is delivered once, with the lower QoS of publisher and subscriber', async (t) => {
          const topic = unique()
          const publisher = await App.connect(url(), t, { version })
          for (const granted of [0, 1, 2] as const) {
            const subscriber = await App.connect(url(), t, { version })
            await subscriber.subscribe(topic, granted)
            for (const qos of [0, 1, 2] as const) await publisher.publish(topic, `${qos}`, { qos })
            await until('three messages', () => subscriber.messages.length >= 3)
            await subscriber.settled()
            assert.deepEqual(
              subscriber.messages.map(({ text, packet }) => [text, packet.qos]),
              [0, 1, 2].map((qos) => [`${qos}`, Math.min(qos, granted)]),
            )
            await subscriber.end()
          }
        })

        test('retained messages and wills', async (t) => {
          const topic = unique()
          const will = { topic: `${topic}/will`, payload: Buffer.from('gone'), qos: 1 as const, retain: true }
          const fragile = await App.connect(url(), t, { version, more: { will } })
          const watcher = await (await App.connect(url(), t, { version })).subscribe(`${topic}/+`)
          fragile.client.stream.destroy()
          const live = await watcher.message('the will', ({ text }) => text === 'gone')
          assert.equal(live.packet.retain, false)
          const late = await (await App.connect(url(), t, { version })).subscribe(`${topic}/+`)
          const kept = await late.message('the retained will', ({ text }) => text === 'gone')
          assert.equal(kept.packet.retain, true)
        })

        test('a session outlives its connection, and QoS 2 goes on where it stopped', async (t) => {
          const topic = unique()
          const clientId = `session-${transport}-${version}`
          const more = { clean: false, ...(version === 5 && { properties: { sessionExpiryInterval: 60 } }) }
          const first = await App.connect(url(), t, { version, clientId, more })
          await first.subscribe(topic, 2)
          first.client.stream.destroy()
          await first.closed()
          const publisher = await App.connect(url(), t, { version })
          for (const text of ['one', 'two', 'three']) await publisher.publish(topic, text, { qos: 2 })
          const second = await App.connect(url(), t, { version, clientId, more })
          await until('what was kept', () => second.on(topic).length >= 3)
          await publisher.publish(topic, 'four', { qos: 2 })
          await until('what is new', () => second.on(topic).length >= 4)
          assert.deepEqual(
            second.on(topic).map(({ text, packet }) => [text, packet.qos, packet.dup]),
            ['one', 'two', 'three', 'four'].map((text) => [text, 2, false]),
          )
        })

        test('a thousand messages at once arrive in order', async (t) => {
          const topic = unique()
          const subscriber = await (await App.connect(url(), t, { version })).subscribe(topic, 1)
          const publisher = await App.connect(url(), t, { version })
          await Promise.all(Array.from({ length: 1000 }, (_, i) => publisher.publish(topic, `${i}`, { qos: 1 })))
          await until('a thousand messages', () => subscriber.messages.length >= 1000)
          assert.deepEqual(
            subscriber.messages.map(({ text }) => Number(text)),
            Array.from({ length: 1000 }, (_, i) => i),
          )
        })
      })
    }
  }

  test('a client without an id is given one', async (t) => {
    const app = await App.connect(server.port('mqtt'), t, { clientId: '' })
    const assigned = app.connack?.properties?.assignedClientIdentifier ?? ''
    await app.subscribe(`devices/${assigned}/status`)
    const { text } = await app.message('its own status', () => true)
    assert.equal((JSON.parse(text) as { device: string }).device, assigned)
  })

  test('request and response find each other by their properties', async (t) => {
    const service = await (await App.connect(server.port('mqtt'), t)).subscribe('service/add')
    service.client.on('message', (_, payload, { properties }) => {
      const correlationData = properties?.correlationData
      const sum = payload
        .toString()
        .split('+')
        .map(Number)
        .reduce((a, b) => a + b, 0)
      service.client.publish(properties?.responseTopic ?? '', String(sum), {
        qos: 1,
        ...(correlationData !== undefined && { properties: { correlationData } }),
      })
    })
    const app = await (await App.connect(server.port('mqtt'), t)).subscribe('answers/me')
    const properties = { responseTopic: 'answers/me', correlationData: Buffer.from('7') }
    await app.client.publishAsync('service/add', '20+22', { qos: 1, properties })
    const { text, packet } = await app.message('the answer', ({ topic }) => topic === 'answers/me')
    assert.deepEqual([text, packet.properties?.correlationData?.toString()], ['42', '7'])
  })

  test('subscription options of 5.0: identifier, no local, retain as published, retain handling', async (t) => {
    const topic = unique()
    const app = await App.connect(server.port('mqtt'), t)
    await app.publish(topic, 'kept', { retain: true })
    await app.client.subscribeAsync(topic, { qos: 1, nl: true, rap: true, rh: 2, properties: { subscriptionIdentifier: 77 } })
    await app.publish(topic, 'my own')
    const other = await App.connect(server.port('mqtt'), t)
    await other.publish(topic, 'retained while live', { retain: true })
    await app.message('the live message', ({ text }) => text === 'retained while live')
    assert.deepEqual(
      app.messages.map(({ text, packet }) => [text, packet.retain, packet.properties?.subscriptionIdentifier]),
      [['retained while live', true, 77]],
    )
  })

  for (const [transport, url] of places) {
    test(`topic aliases both ways over ${transport}`, async (t) => {
      const topic = `${unique()}/with/a/name/that/is/long/enough`
      const subscriber = await App.connect(url(), t, { more: { properties: { topicAliasMaximum: 5 } } })
      await subscriber.subscribe(`${topic}/#`, 2)
      const publisher = await App.connect(url(), t, { more: { autoUseTopicAlias: true, autoAssignTopicAlias: true } })
      // MQTT.js does not look an alias up for QoS 2.
      for (const qos of [0, 1, 1, 0] as const) {
        for (const name of ['one', 'two']) await publisher.publish(`${topic}/${name}`, `${qos}`, { qos })
      }
      await until('eight messages', () => subscriber.messages.length >= 8)
      assert.deepEqual(
        subscriber.messages.map(({ topic: name, text, packet }) => [name, text, packet.properties?.topicAlias]),
        [0, 1, 1, 0].flatMap((qos) => [
          [`${topic}/one`, `${qos}`, 1],
          [`${topic}/two`, `${qos}`, 2],
        ]),
      )
    })
  }

  test('a client that takes small packets gets those, and the others are done with', async (t) => {
    const topic = unique()
    const properties = { maximumPacketSize: 100, receiveMaximum: 1 }
    const subscriber = await (await App.connect(server.port('mqtt'), t, { more: { properties } })).subscribe(topic, 2)
    const publisher = await App.connect(server.port('mqtt'), t)
    for (const length of [10, 200, 20, 99, 30]) await publisher.publish(topic, 'x'.repeat(length), { qos: 2 })
    await until('three messages', () => subscriber.messages.length >= 3)
    assert.deepEqual(
      subscriber.messages.map(({ text }) => text.length),
      [10, 20, 30],
    )
  })

  test('a will carries its properties', async (t) => {
    const topic = unique()
    const properties = { contentType: 'text/plain', willDelayInterval: 0, userProperties: { b: ['1', '3'], a: '2' } }
    const will = { topic, payload: Buffer.from('gone'), qos: 1 as const, retain: false, properties }
    const fragile = await App.connect(server.port('mqtt'), t, { more: { will } })
    const watcher = await (await App.connect(server.port('mqtt'), t)).subscribe(topic)
    fragile.client.stream.destroy()
    const { packet } = await watcher.message('the will', ({ text }) => text === 'gone')
    assert.equal(packet.properties?.contentType, 'text/plain')
    assert.deepEqual({ ...packet.properties?.userProperties }, { b: ['1', '3'], a: '2' })
  })

  test('limits, response information and redirection are told as they are configured', async (t) => {
    const own = {
      maximumQos: 1,
      retainAvailable: false,
      sharedSubscriptions: false,
      responseInformation: 'response/${clientid}',
      redirect: { server: 'elsewhere.example:1883' },
    }
    const limited = await Server.start({ gateways: { mqtt: { listeners: [listener('tcp')], ...own } } })
    t.after(() => limited.stop())
    const more = { properties: { requestResponseInformation: true } }
    const app = await App.connect(limited.port('mqtt'), t, { clientId: 'limited', more })
    const { maximumQoS, retainAvailable, sharedSubscriptionAvailable, wildcardSubscriptionAvailable, responseInformation } =
      app.connack?.properties ?? {}
    assert.deepEqual(
      [maximumQoS, retainAvailable, sharedSubscriptionAvailable, wildcardSubscriptionAvailable, responseInformation],
      [1, false, false, undefined, 'response/limited'],
    )
    await limited.stop()
    await app.closed()
    assert.deepEqual([app.goodbye?.reasonCode, app.goodbye?.properties?.serverReference], [0x9c, 'elsewhere.example:1883'])
  })

  test('the CONNACK of 5.0 says who was displaced, and why', async (t) => {
    await App.connect(server.port('mqtt'), t, { clientId: 'twice' })
    const second = await App.connect(server.port('mqtt'), t, { clientId: 'twice' })
    const reason = second.connack?.properties?.reasonString ?? ''
    assert.match(reason, /took this client id over from mqtt \(gateway mqtt, 127\.0\.0\.1:\d+\)/)
  })
})
