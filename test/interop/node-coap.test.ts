/** CoAP with the npm package `coap`: publish, read, observe, block-wise transfer. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { after, before, describe, test } from 'node:test'
import type { IncomingMessage, ObserveReadStream } from 'coap'
import { Agent } from 'coap'
import type { Cleanup } from '../e2e/child.ts'
import { App, Sys } from '../e2e/mqtt-app.ts'
import { without } from '../e2e/needs.ts'
import { listener, Server } from '../e2e/server.ts'
import { until, within } from '../e2e/waiting.ts'

interface Request {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly pathname: string
  readonly query?: string
  readonly payload?: string
  readonly confirmable?: boolean
  readonly observe?: boolean
  /** Size exponent of the blocks in which the payload goes up. RFC 7959 2.2 */
  readonly block1?: number
}

class Client {
  /** An agent with a socket of its own would close it after each request. */
  readonly #socket = createSocket('udp4')
  readonly #agent = new Agent({ type: 'udp4', socket: this.#socket })
  readonly #port: number

  constructor(port: number, cleanup: Cleanup) {
    this.#port = port
    cleanup.after(() => this.#socket.close())
  }

  async send({ payload, block1, ...request }: Request): Promise<IncomingMessage> {
    const outgoing = this.#agent.request({ hostname: '127.0.0.1', port: this.#port, ...request })
    const response = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve)
      outgoing.once('error', reject)
    })
    if (block1 !== undefined) outgoing.setOption('Block1', Buffer.of(block1))
    outgoing.end(payload)
    return within(`answer to ${request.method} ${request.pathname}`, response)
  }
}

describe('the npm package coap', { skip: without('mqtt', 'coap') }, () => {
  let server: Server
  before(async () => {
    server = await Server.start({ gateways: { mqtt: { listeners: [listener('tcp')] }, coap: { listeners: [listener('udp')] } } })
  })
  after(() => server.stop())

  const open = async (cleanup: Cleanup): Promise<{ client: Client; app: App }> => ({
    client: new Client(server.port('coap', 'udp'), cleanup),
    app: await App.connect(server.port('mqtt'), cleanup),
  })

  for (const confirmable of [true, false]) {
    test(`${confirmable ? 'confirmable' : 'non-confirmable'} POST reaches an MQTT subscriber`, async (t) => {
      const { client, app } = await open(t)
      const topic = `sensors/${confirmable}`
      await app.subscribe(topic, 2)
      const { code } = await client.send({
        method: 'POST',
        pathname: `/ps/${topic}`,
        query: 'clientid=n1',
        payload: '21.5',
        confirmable,
      })
      assert.equal(code, '2.04')
      const { text, packet } = await app.message('the message', () => true)
      assert.deepEqual([text, packet.qos], ['21.5', confirmable ? 1 : 0])
    })
  }

  test('PUT keeps a value', async (t) => {
    const { client } = await open(t)
    const request = { pathname: '/ps/state/put', query: 'clientid=n1&retain=true', payload: 'on' }
    assert.equal((await client.send({ method: 'PUT', ...request })).code, '2.04')
    assert.equal((await client.send({ method: 'GET', pathname: '/ps/state/put' })).payload.toString(), 'on')
  })

  test('a body of 100 KiB goes up and comes down in blocks', async (t) => {
    const { client, app } = await open(t)
    await app.subscribe('large/n4')
    const text = 'abcdefgh'.repeat(12_800)
    const query = 'clientid=n4&retain=true'
    const up = await client.send({ method: 'POST', pathname: '/ps/large/n4', query, payload: text, block1: 6 })
    assert.equal(up.code, '2.04')
    assert.equal((await app.message('the whole', () => true)).text, text)
    assert.equal((await client.send({ method: 'GET', pathname: '/ps/large/n4', query })).payload.toString(), text)
  })

  test('who closes the stream is an observer no more', async (t) => {
    const { client, app } = await open(t)
    const request = { method: 'GET', pathname: '/ps/news/n5', query: 'clientid=n5', observe: true } as const
    const stream = (await client.send(request)) as ObserveReadStream
    stream.close()
    await app.publish('news/n5', 'nobody wants it', { qos: 1 })
    const ended = async (): Promise<boolean> =>
      (await Sys.read(server.port('mqtt'))).under('gateways/coap/counters/observation-ended-') > 0
    for (let turn = 0; !(await ended()); turn++) assert.ok(turn < 1000, 'the observation goes on')
  })

  test('discovery lists what there is', async (t) => {
    const { client } = await open(t)
    const { payload } = await client.send({ method: 'GET', pathname: '/.well-known/core', query: 'rt=core.ps' })
    assert.match(payload.toString(), /^<\/ps>;rt="core\.ps"/)
  })

  test('GET reads the retained value', async (t) => {
    const { client, app } = await open(t)
    await app.publish('state/n1', 'on', { retain: true })
    const { code, payload } = await client.send({ method: 'GET', pathname: '/ps/state/n1', query: 'clientid=n1' })
    assert.deepEqual([code, payload.toString()], ['2.05', 'on'])
    assert.equal((await client.send({ method: 'GET', pathname: '/ps/state/none', query: 'clientid=n1' })).code, '4.04')
  })

  test('an observation receives every message in order', async (t) => {
    const { client, app } = await open(t)
    const stream = (await client.send({
      method: 'GET',
      pathname: '/ps/news/n2',
      query: 'clientid=n2',
      observe: true,
    })) as ObserveReadStream
    const seen: string[] = []
    stream.on('data', (payload: Buffer) => seen.push(payload.toString()))
    for (const [index, text] of ['one', 'two', 'three', 'four'].entries()) {
      await app.publish('news/n2', text, { qos: (index % 3) as 0 | 1 | 2 })
    }
    await until(
      () => `four notifications: ${seen}`,
      () => seen.includes('four'),
    )
    assert.deepEqual(
      seen.filter((text) => text !== ''),
      ['one', 'two', 'three', 'four'],
    )
  })

  test('a body of many blocks comes down whole', async (t) => {
    const { client, app } = await open(t)
    const text = 'abcdefghij'.repeat(1000)
    await app.publish('state/large', text, { retain: true })
    const { code, payload } = await client.send({ method: 'GET', pathname: '/ps/state/large', query: 'clientid=n3' })
    assert.deepEqual([code, payload.toString()], ['2.05', text])
  })
})
