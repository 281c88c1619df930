/** CoAP over TCP (RFC 8323) with libcoap's own client. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { App } from '../e2e/mqtt-app.ts'
import { without } from '../e2e/needs.ts'
import { listener, Server } from '../e2e/server.ts'
import { COAP_CLIENT, coap, observe } from './coap-client.ts'
import { lacking } from './program.ts'

let server: Server
let mqtt = 0

function uri(path: string): string {
  return `coap+tcp://127.0.0.1:${server.port('coap', 'tcp')}${path}`
}

describe('coap-client of libcoap over TCP', { skip: without('mqtt', 'coap') || lacking(COAP_CLIENT) }, () => {
  before(async () => {
    const gateways = { mqtt: { listeners: [listener('tcp')] }, coap: { listeners: [listener('tcp'), listener('udp')] } }
    server = await Server.start({ gateways })
    mqtt = server.port('mqtt')
  })
  after(() => server.stop())

  for (const method of ['post', 'put']) {
    test(`${method.toUpperCase()} reaches an MQTT subscriber`, async (t) => {
      const app = await (await App.connect(mqtt, t)).subscribe(`sensors/${method}`)
      assert.equal((await coap('-m', method, '-e', '21.5', uri(`/ps/sensors/${method}?clientid=t1`))).error, '')
      const { text, packet } = await app.message('the message', () => true)
      assert.deepEqual([text, packet.qos], ['21.5', 1])
    })
  }

  test('GET reads the retained value, and 4.04 says that there is none', async (t) => {
    const app = await App.connect(mqtt, t)
    await app.publish('state/lamp', 'on', { retain: true })
    assert.deepEqual(await coap('-m', 'get', uri('/ps/state/lamp?clientid=t1')), { payload: 'on', error: '' })
    assert.match((await coap('-m', 'get', uri('/ps/state/nothing?clientid=t1'))).error, /^4\.04/)
  })

  test('an observation receives every message in order', async (t) => {
    const app = await App.connect(mqtt, t)
    await app.publish('news/tcp', 'zero', { retain: true })
    const observer = observe(uri('/ps/news/tcp?clientid=t2'), t, 60)
    await observer.line(/^zero$/)
    for (const [qos, text] of ['one', 'two', 'three'].entries()) await app.publish('news/tcp', text, { qos: qos as 0 | 1 | 2 })
    await observer.line(/^three$/)
    assert.deepEqual(observer.out, ['zero', 'one', 'two', 'three'])
  })

  for (const size of ['whole', '1024', '64']) {
    test(`a body of 100 KiB goes up and comes down, ${size === 'whole' ? 'in one message' : `in blocks of ${size}`}`, async (t) => {
      const text = 'abcdefgh'.repeat(12_800)
      const file = join(server.folder, `body-${size}`)
      writeFileSync(file, text)
      const blocks = size === 'whole' ? [] : ['-b', size]
      const app = await (await App.connect(mqtt, t)).subscribe(`blocks/${size}`)
      const { error } = await coap(...blocks, '-m', 'put', '-f', file, uri(`/ps/blocks/${size}?clientid=t1&retain=true`))
      assert.equal(error, '')
      assert.equal((await app.message('the whole', () => true)).text, text)
      assert.equal((await coap(...blocks, '-m', 'get', uri(`/ps/blocks/${size}?clientid=t3`))).payload, text)
    })
  }

  test('discovery lists what there is', async () => {
    assert.match((await coap('-m', 'get', uri('/.well-known/core?rt=core.ps'))).payload, /^<\/ps>;rt="core\.ps"/)
  })

  test('a login ends with its connection', async () => {
    const { payload: token } = await coap('-m', 'post', uri('/mqtt/connection?clientid=login-t'))
    // The connection of the first program is closed, and its client with it: nobody is logged in any more.
    assert.match((await coap('-m', 'put', uri(`/mqtt/connection?clientid=login-t&token=${token}`))).error, /^4\.01/)
  })
})
