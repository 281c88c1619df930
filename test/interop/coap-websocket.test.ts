/** CoAP over WebSocket (RFC 8323 section 4) with the `ws` package as the peer: framing, sub-protocol and path are its own. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { generate, type ParsedPacket, parse } from 'coap-packet'
import { WebSocket } from 'ws'
import type { Cleanup } from '../e2e/child.ts'
import { App } from '../e2e/mqtt-app.ts'
import { without } from '../e2e/needs.ts'
import { listener, Server } from '../e2e/server.ts'
import { until } from '../e2e/waiting.ts'

const PATH = '/.well-known/coap' // RFC 8323 8.3
/** 7.01 with Max-Message-Size 64 KiB and Block-Wise-Transfer: RFC 8323 5.3. */
const CSM = Buffer.from('00e12301000020', 'hex')
const DATAGRAM_HEADER_BYTES = 4

interface Request {
  readonly code: string
  readonly path: string
  readonly token: string
  readonly payload?: string | Buffer
  readonly observe?: number
}

/** What a peer of datagrams would send, with the header of a WebSocket message. */
function frame({ code, path, token, payload = '', observe }: Request): Buffer {
  const [name = '', query] = path.split('?')
  const options = [
    ...(observe === undefined ? [] : [{ name: 'Observe' as const, value: observe === 0 ? Buffer.alloc(0) : Buffer.of(observe) }]),
    ...name
      .slice(1)
      .split('/')
      .map((segment) => ({ name: 'Uri-Path' as const, value: Buffer.from(segment) })),
    ...(query?.split('&') ?? []).map((part) => ({ name: 'Uri-Query' as const, value: Buffer.from(part) })),
  ]
  const datagram = generate(
    { code, confirmable: true, token: Buffer.from(token), options, payload: Buffer.from(payload) },
    200_000,
  )
  const [first = 0, digits = 0] = datagram
  return Buffer.concat([Buffer.of(first & 0x0f, digits), datagram.subarray(DATAGRAM_HEADER_BYTES)])
}

function unframe(message: Buffer): ParsedPacket {
  const [first = 0, digits = 0] = message
  assert.equal(first >> 4, 0, 'the length is 0')
  return parse(Buffer.concat([Buffer.of(0x40 | first, digits, 0, 0), message.subarray(2)]))
}

class Client {
  readonly messages: ParsedPacket[] = []
  readonly signals: Buffer[] = []
  readonly #socket: WebSocket

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data: Buffer) => {
      if ((data[1] ?? 0) >> 5 === 7) this.signals.push(data)
      else this.messages.push(unframe(data))
    })
  }

  static async open(port: number, cleanup: Cleanup): Promise<Client> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${PATH}`, 'coap')
    cleanup.after(() => socket.terminate())
    const client = new Client(socket)
    await once(socket, 'open')
    assert.equal(socket.protocol, 'coap')
    socket.send(CSM)
    return client
  }

  send(message: Buffer): void {
    this.#socket.send(message)
  }

  async ask(request: Request): Promise<ParsedPacket> {
    const before = this.of(request.token).length
    this.send(frame(request))
    await until(
      () => `answer to ${request.code} ${request.path}`,
      () => this.of(request.token).length > before,
    )
    return this.of(request.token)[before] as ParsedPacket
  }

  of(token: string): ParsedPacket[] {
    return this.messages.filter((message) => message.token.toString() === token)
  }

  async closed(): Promise<void> {
    if (this.#socket.readyState !== WebSocket.CLOSED) await once(this.#socket, 'close')
  }
}

describe('CoAP over WebSocket', { skip: without('mqtt', 'coap') }, () => {
  let server: Server
  before(async () => {
    const gateways = { mqtt: { listeners: [listener('tcp')] }, coap: { listeners: [listener('ws')] } }
    server = await Server.start({ gateways })
  })
  after(() => server.stop())

  const open = async (cleanup: Cleanup) => ({
    client: await Client.open(server.port('coap', 'ws'), cleanup),
    app: await App.connect(server.port('mqtt'), cleanup),
  })

  test('the CSM of the gateway comes first', async (t) => {
    const { client } = await open(t)
    await until('the CSM', () => client.signals.length > 0)
    assert.equal(client.signals[0]?.[1], 0xe1)
    assert.equal(client.messages.length, 0)
  })

  test('publish reaches an MQTT subscriber, and GET reads it back', async (t) => {
    const { client, app } = await open(t)
    await app.subscribe('sensors/w1')
    const path = '/ps/sensors/w1?clientid=w1'
    assert.equal((await client.ask({ code: '0.03', path: `${path}&retain=true`, token: 'a', payload: '21.5' })).code, '2.04')
    assert.equal((await app.message('the message', () => true)).text, '21.5')
    const { code, payload } = await client.ask({ code: '0.01', path, token: 'b' })
    assert.deepEqual([code, payload.toString()], ['2.05', '21.5'])
  })

  test('an observation receives every message, each as one WebSocket message, in order', async (t) => {
    const { client, app } = await open(t)
    const path = '/ps/news/w2?clientid=w2'
    assert.equal((await client.ask({ code: '0.01', path, token: 'ob', observe: 0 })).code, '2.05')
    const texts = Array.from({ length: 200 }, (_, i) => `message ${i}`)
    await Promise.all(texts.map((text, i) => app.publish('news/w2', text, { qos: (i % 2) as 0 | 1 })))
    await until('all notifications', () => client.of('ob').length === texts.length + 1)
    assert.deepEqual(
      client
        .of('ob')
        .slice(1)
        .map(({ payload }) => payload.toString())
        .sort(),
      [...texts].sort(),
    )
  })

  test('a large body goes up and comes down in one message', async (t) => {
    const { client, app } = await open(t)
    await app.subscribe('large/w3')
    const text = 'abcdefgh'.repeat(6000)
    const path = '/ps/large/w3?clientid=w3&retain=true'
    assert.equal((await client.ask({ code: '0.02', path, token: 'a', payload: text })).code, '2.04')
    assert.equal((await app.message('the message', () => true)).text, text)
    assert.equal((await client.ask({ code: '0.01', path, token: 'b' })).payload.toString(), text)
  })

  test('Ping gets its Pong, and what is no message an Abort', async (t) => {
    const { client } = await open(t)
    client.send(Buffer.from('01e277', 'hex'))
    await until('the Pong', () => client.signals.some((signal) => signal.toString('hex') === '01e377'))
    client.send(Buffer.from('0fff', 'hex'))
    await client.closed()
    assert.equal(client.signals.at(-1)?.[1], 0xe5)
  })

  test('another path, and another sub-protocol, are refused', async () => {
    for (const [path, protocol] of [
      ['/mqtt', 'coap'],
      [PATH, 'mqtt'],
    ] as const) {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port('coap', 'ws')}${path}`, protocol)
      const [error] = (await once(socket, 'error')) as [Error]
      assert.match(error.message, /40[04]/)
    }
  })
})
