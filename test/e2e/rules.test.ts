/** The operator's rules on the running product: rewriting, automatic subscriptions, delays, bans, wills at a stop, events. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { App, Sys } from './mqtt-app.ts'
import { without } from './needs.ts'
import { listener, Server } from './server.ts'
import { until } from './waiting.ts'

describe('rules of the broker', { skip: without('mqtt') }, () => {
  test('topics are rewritten, clients subscribed, messages delayed', async (t) => {
    const broker = {
      rewrite: [{ source: 'old/#', pattern: '^old/(.+)$', target: 'new/%c/$1' }],
      autoSubscribe: [{ topic: 'for/${clientid}', qos: 1 }],
    }
    const server = await Server.start({ broker, gateways: { mqtt: { listeners: [listener('tcp')] } } }, t)
    const port = server.port('mqtt')
    const reader = await App.connect(port, t, { clientId: 'reader' })
    const writer = await App.connect(port, t, { clientId: 'writer' })
    await reader.subscribe('new/#')
    const before = Date.now()
    await writer.publish('$delayed/1/old/later', 'b')
    await writer.publish('old/now', 'a')
    await writer.publish('for/reader', 'c')
    await until('all three', () => reader.messages.length === 3)
    assert.deepEqual(
      reader.messages.map(({ topic, text }) => [topic, text]),
      [
        ['new/writer/now', 'a'],
        ['for/reader', 'c'],
        ['new/writer/later', 'b'],
      ],
    )
    assert.ok(Date.now() - before >= 1000)
  })

  test('a client that flaps is banned', async (t) => {
    const broker = { flapping: { enabled: true, maxDisconnects: 3, banTime: '1h' } }
    const server = await Server.start({ broker, gateways: { mqtt: { listeners: [listener('tcp')] } } }, t)
    const port = server.port('mqtt')
    for (let i = 0; i < 3; i++) await (await App.connect(port, t, { clientId: 'flapping' })).end()
    await until('the ban', async () => (await Sys.read(port)).at('bans/flapping') === 1)
    // MQTT 5.0 2.4: banned
    await assert.rejects(App.connect(port, t, { clientId: 'flapping' }), { code: 0x8a })
    assert.equal((await Sys.read(port)).at('bans/refused'), 1)
  })

  test('clients are announced, and a stop publishes their wills before it disconnects anybody', async (t) => {
    const server = await Server.start({ node: { name: 'edge' }, gateways: { mqtt: { listeners: [listener('tcp')] } } }, t)
    const port = server.port('mqtt')
    const reader = await App.connect(port, t)
    await reader.subscribe('$SYS/brokers/edge/clients/+/connected')
    await reader.subscribe('wills')
    const will = { topic: 'wills', payload: Buffer.from('gone'), qos: 1 as const, retain: false }
    await App.connect(port, t, { clientId: 'mortal', more: { will } })
    const event = await reader.message('the event', ({ topic }) => topic.endsWith('/mortal/connected'))
    assert.deepEqual((JSON.parse(event.text) as { ipaddress: string; sockport: number }).sockport, port)
    assert.equal(await server.stop(), 0)
    await reader.message('the will', ({ topic, text }) => topic === 'wills' && text === 'gone')
  })
})
