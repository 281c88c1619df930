/** CoAP with libcoap's own client: publish, read, observe, block-wise transfer, discovery. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { App, Sys } from '../e2e/mqtt-app.ts'
import { without } from '../e2e/needs.ts'
import { listener, Server } from '../e2e/server.ts'
import { COAP_CLIENT, coap, observe } from './coap-client.ts'
import { MOSQUITTO, publish, Subscriber } from './mosquitto-client.ts'
import { lacking } from './program.ts'

let server: Server
let mqtt = 0

function uri(path: string): string {
  return `coap://127.0.0.1:${server.port('coap', 'udp')}${path}`
}

describe('coap-client of libcoap', { skip: without('mqtt', 'coap') || lacking(COAP_CLIENT, ...MOSQUITTO) }, () => {
  before(async () => {
    server = await Server.start({ gateways: { mqtt: { listeners: [listener('tcp')] }, coap: { listeners: [listener('udp')] } } })
    mqtt = server.port('mqtt')
  })
  after(() => server.stop())

  for (const [name, args, qos] of [
    ['confirmable', [], 1],
    ['non-confirmable', ['-N'], 0],
  ] as const) {
    for (const method of ['post', 'put']) {
      test(`${name} ${method.toUpperCase()} is seen by mosquitto_sub`, async (t) => {
        const topic = `sensors/${method}-${name}`
        const subscriber = await Subscriber.open(mqtt, 'mqttv311', ['-t', 'sensors/+', '-q', '1'], t)
        const { error } = await coap(...args, '-m', method, '-e', '21.5', uri(`/ps/${topic}?clientid=c1`))
        assert.equal(error, '')
        assert.deepEqual(await subscriber.received(1), [{ topic, qos, retain: false, text: '21.5' }])
      })
    }

    test(`${name} observation receives what mosquitto_pub sends, each once`, async (t) => {
      const topic = `news/${name}`
      await publish(mqtt, 'mqttv311', ['-t', topic, '-m', 'zero', '-r', '-q', '1'])
      const observer = observe(uri(`/ps/${topic}?clientid=o-${name}`), t, 60, ...args)
      await observer.line(/^zero$/)
      await publish(mqtt, 'mqttv5', ['-t', topic, '-l', '-q', '1'], 'one\ntwo\nthree\n')
      await publish(mqtt, 'mqttv311', ['-t', topic, '-m', 'four', '-q', '0'])
      await observer.line(/^four$/)
      assert.deepEqual(observer.out, ['zero', 'one', 'two', 'three', 'four'])
    })
  }

  test('GET reads the retained value, and 4.04 says that there is none', async () => {
    await publish(mqtt, 'mqttv311', ['-t', 'state/lamp', '-m', 'on', '-r', '-q', '1'])
    assert.deepEqual(await coap('-m', 'get', uri('/ps/state/lamp?clientid=c1')), { payload: 'on', error: '' })
    const { payload, error } = await coap('-m', 'get', uri('/ps/state/nothing?clientid=c1'))
    assert.equal(payload, '')
    assert.match(error, /^4\.04/)
  })

  test("libcoap's client proves its address by itself", async (t) => {
    const own = { echo: 'large', listeners: [listener('udp')] }
    const wary = await Server.start({ gateways: { mqtt: { listeners: [listener('tcp')] }, coap: own } })
    t.after(() => wary.stop())
    const wanted = `coap://127.0.0.1:${wary.port('coap', 'udp')}/ps/state/long?clientid=c1`
    const text = 'abcdefghij'.repeat(40)
    await publish(wary.port('mqtt'), 'mqttv311', ['-t', 'state/long', '-m', text, '-r', '-q', '1'])
    assert.deepEqual(await coap('-m', 'get', wanted), { payload: text, error: '' })
    await observe(wanted, t, 10).line(new RegExp(`^${text}$`))
  })

  test('a retained publish by CoAP is kept for MQTT', async (t) => {
    await coap('-m', 'put', '-e', '42', uri('/ps/state/answer?clientid=c1&retain=true'))
    const subscriber = await Subscriber.open(mqtt, 'mqttv311', ['-t', 'state/answer', '-q', '1'], t)
    assert.deepEqual(await subscriber.received(1), [{ topic: 'state/answer', qos: 1, retain: true, text: '42' }])
  })

  for (const size of ['16', '64', '1024']) {
    test(`a body in blocks of ${size} goes up whole and comes down whole`, async (t) => {
      const topic = `blocks/${size}`
      const text = 'abcdefghij'.repeat(300)
      const file = join(server.folder, `body-${size}`)
      writeFileSync(file, text)
      const subscriber = await Subscriber.open(mqtt, 'mqttv311', ['-t', topic, '-q', '1'], t)
      const { error } = await coap('-b', size, '-m', 'post', '-f', file, uri(`/ps/${topic}?clientid=c1&retain=true`))
      assert.equal(error, '')
      assert.equal((await subscriber.received(1))[0]?.text, text)
      assert.equal((await coap('-b', size, '-m', 'get', uri(`/ps/${topic}?clientid=c2`))).payload, text)
    })
  }

  test('a body of 100 KiB goes up and comes down in blocks', async (t) => {
    const text = 'abcdefgh'.repeat(12_800)
    const file = join(server.folder, 'large')
    writeFileSync(file, text)
    const app = await (await App.connect(mqtt, t)).subscribe('blocks/large')
    assert.equal((await coap('-b', '1024', '-m', 'put', '-f', file, uri('/ps/blocks/large?clientid=c1&retain=true'))).error, '')
    assert.equal((await app.message('the whole', () => true)).text, text)
    assert.equal((await coap('-m', 'get', uri('/ps/blocks/large?clientid=c2'))).payload, text)
  })

  test('who stops observing is an observer no more', async (t) => {
    const ended = async (): Promise<number> => (await Sys.read(mqtt)).at('gateways/coap/counters/observation-ended-cancelled')
    const before = await ended()
    const observer = observe(uri('/ps/news/short?clientid=o-short'), t, 1)
    await observer.ended
    assert.equal(await ended(), before + 1)
  })

  test('discovery lists what there is, and filters it', async () => {
    const { payload } = await coap('-m', 'get', uri('/.well-known/core'))
    assert.match(payload, /<\/ps>;rt="core\.ps"/)
    const filtered = await coap('-m', 'get', uri('/.well-known/core?rt=core.ps'))
    assert.doesNotMatch(filtered.payload, /connection/)
    assert.match(filtered.payload, /<\/ps>/)
  })

  test('the token of a login is demanded from then on', async () => {
    const { payload: token } = await coap('-m', 'post', uri('/mqtt/connection?clientid=login-1&username=u&password=p'))
    assert.match(token, /^\d+$/)
    const publishing = (credential: string): Promise<{ error: string }> =>
      coap('-m', 'post', '-e', 'x', uri(`/ps/a?clientid=login-1${credential}`))
    assert.match((await publishing('')).error, /^4\.00/)
    assert.match((await publishing('&token=1')).error, /^4\.01/)
    assert.equal((await publishing(`&token=${token}`)).error, '')
    assert.equal((await coap('-m', 'put', uri(`/mqtt/connection?clientid=login-1&token=${token}`))).error, '')
    assert.equal((await coap('-m', 'delete', uri(`/mqtt/connection?clientid=login-1&token=${token}`))).error, '')
    assert.match((await publishing(`&token=${token}`)).error, /^4\.01/)
  })

  test('measurements posted to /up/telemetry appear on the unified topic', async (t) => {
    const app = await (await App.connect(mqtt, t)).subscribe('devices/+/up/telemetry')
    assert.equal(
      (await coap('-m', 'post', '-t', '50', '-e', '{"temperature":21.5}', uri('/up/telemetry?clientid=meter-1'))).error,
      '',
    )
    const { topic, text } = await app.message('the envelope', () => true)
    assert.equal(topic, 'devices/meter-1/up/telemetry')
    const { v, device, protocol, gateway, type, data } = JSON.parse(text) as Record<string, unknown>
    assert.deepEqual([v, device, protocol, gateway, type], [1, 'meter-1', 'coap', 'coap', 'measurement'])
    assert.deepEqual((data as { values: unknown }).values, { temperature: 21.5 })
  })
})
