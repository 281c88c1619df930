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
import { Certificates } from './certificates.ts'
import { lacking } from './program.ts'

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
  readonly block1?: Block
  readonly block2?: Block
}

/** RFC 7959 2.2; a size exponent of 7 is BERT: 1024 octets, and several of them in one message. RFC 8323 6 */
interface Block {
  readonly number: number
  readonly more: boolean
  readonly szx: number
}

function blockValue({ number, more, szx }: Block): Buffer {
  const value = Buffer.alloc(3)
  value.writeUIntBE(number * 16 + (more ? 8 : 0) + szx, 0, 3)
  return value
}

function blockOf({ options }: ParsedPacket, name: 'Block1' | 'Block2'): Block | undefined {
  const value = options.find((option) => option.name === name)?.value as Buffer | undefined
  if (value === undefined) return undefined
  const number = value.length === 0 ? 0 : value.readUIntBE(0, value.length)
  return { number: number >> 4, more: (number & 8) !== 0, szx: number & 7 }
}

/** What a peer of datagrams would send, with the header of a WebSocket message. */
function frame({ code, path, token, payload = '', observe, block1, block2 }: Request): Buffer {
  const [name = '', query] = path.split('?')
  const options = [
    ...(observe === undefined ? [] : [{ name: 'Observe' as const, value: observe === 0 ? Buffer.alloc(0) : Buffer.of(observe) }]),
    ...name
      .slice(1)
      .split('/')
      .map((segment) => ({ name: 'Uri-Path' as const, value: Buffer.from(segment) })),
    ...(query?.split('&') ?? []).map((part) => ({ name: 'Uri-Query' as const, value: Buffer.from(part) })),
    ...(block1 === undefined ? [] : [{ name: 'Block1' as const, value: blockValue(block1) }]),
    ...(block2 === undefined ? [] : [{ name: 'Block2' as const, value: blockValue(block2) }]),
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

  /** `ca`: the certificate that the server must have. */
  static async open(origin: string, cleanup: Cleanup, ca?: Buffer): Promise<Client> {
    const socket = new WebSocket(origin + PATH, 'coap', ca === undefined ? {} : { ca })
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

/** 100 KiB: more than the client's CSM takes in one message. */
const LARGE = Buffer.alloc(100 * 1024, 'abcdefgh')
/** Octets in one BERT message of the client. */
const BERT_BYTES = 16 * 1024
const BERT = 7

describe('CoAP over WebSocket', { skip: without('mqtt', 'coap') || lacking('openssl') }, () => {
  let server: Server
  let certificates: Certificates
  before(async () => {
    certificates = new Certificates()
    const tls = await certificates.ofServer('server')
    const listeners = [listener('ws'), listener('wss', { tls })]
    server = await Server.start({ gateways: { mqtt: { listeners: [listener('tcp')] }, coap: { listeners } } })
  })
  after(async () => {
    await server.stop()
    certificates.delete()
  })

  for (const scheme of ['ws', 'wss'] as const) {
    const origin = (): string => `${scheme}://localhost:${server.port('coap', scheme)}`
    const ca = (): Buffer | undefined => (scheme === 'wss' ? certificates.read('server.pem') : undefined)
    const open = async (cleanup: Cleanup) => ({
      client: await Client.open(origin(), cleanup, ca()),
      app: await App.connect(server.port('mqtt'), cleanup),
    })

    describe(scheme, () => {
      test('the CSM of the gateway comes first', async (t) => {
        const { client } = await open(t)
        await until('the CSM', () => client.signals.length > 0)
        assert.equal(client.signals[0]?.[1], 0xe1)
        assert.equal(client.messages.length, 0)
      })

      for (const [method, code] of [
        ['POST', '0.02'],
        ['PUT', '0.03'],
      ] as const) {
        test(`${method} reaches an MQTT subscriber, and GET reads it back`, async (t) => {
          const { client, app } = await open(t)
          await app.subscribe(`sensors/${method}`)
          const path = `/ps/sensors/${method}?clientid=w1`
          assert.equal((await client.ask({ code, path: `${path}&retain=true`, token: 'a', payload: '21.5' })).code, '2.04')
          assert.equal((await app.message('the message', () => true)).text, '21.5')
          const read = await client.ask({ code: '0.01', path, token: 'b' })
          assert.deepEqual([read.code, read.payload.toString()], ['2.05', '21.5'])
        })
      }

      test('an observation receives every message, each as one WebSocket message, in order, until it is cancelled', async (t) => {
        const { client, app } = await open(t)
        const path = '/ps/news/w2?clientid=w2'
        assert.equal((await client.ask({ code: '0.01', path, token: 'ob', observe: 0 })).code, '2.05')
        const texts = Array.from({ length: 200 }, (_, i) => `message ${i}`)
        await Promise.all(texts.map((text, i) => app.publish('news/w2', text, { qos: (i % 2) as 0 | 1 })))
        await until('all notifications', () => client.of('ob').length === texts.length + 1)
        const seen = client.of('ob').slice(1)
        assert.deepEqual(
          seen.map(({ payload }) => payload.toString()),
          texts,
        )
        assert.equal((await client.ask({ code: '0.01', path, token: 'ob', observe: 1 })).code, '2.05')
        await app.publish('news/w2', 'nobody wants it', { qos: 1 })
        await client.ask({ code: '0.01', path, token: 'c' })
        assert.equal(client.of('ob').length, texts.length + 2)
      })

      test('a body goes up and comes down in one message', async (t) => {
        const { client, app } = await open(t)
        await app.subscribe('large/w3')
        const text = 'abcdefgh'.repeat(6000)
        const path = '/ps/large/w3?clientid=w3&retain=true'
        assert.equal((await client.ask({ code: '0.02', path, token: 'a', payload: text })).code, '2.04')
        assert.equal((await app.message('the message', () => true)).text, text)
        assert.equal((await client.ask({ code: '0.01', path, token: 'b' })).payload.toString(), text)
      })

      test('a body of 100 KiB goes up and comes down, several blocks in a message', async (t) => {
        const { client, app } = await open(t)
        await app.subscribe('large/w4')
        const path = '/ps/large/w4?clientid=w4&retain=true'
        for (let start = 0; start < LARGE.length; start += BERT_BYTES) {
          const more = start + BERT_BYTES < LARGE.length
          const payload = LARGE.subarray(start, start + BERT_BYTES)
          const block1 = { number: start / 1024, more, szx: BERT }
          const answer = await client.ask({ code: '0.03', path, token: `up${start}`, payload, block1 })
          assert.deepEqual([answer.code, blockOf(answer, 'Block1')], [more ? '2.31' : '2.04', block1])
        }
        assert.ok((await app.message('the whole', () => true)).payload.equals(LARGE))
        const chunks: Buffer[] = []
        for (let number = 0, more = true; more; ) {
          const block2 = { number, more: false, szx: BERT }
          const answer = await client.ask({ code: '0.01', path, token: `down${number}`, block2 })
          const got = blockOf(answer, 'Block2') ?? assert.fail('no Block2')
          assert.deepEqual([answer.code, got.number, got.szx], ['2.05', number, BERT])
          chunks.push(answer.payload)
          number += answer.payload.length / 1024
          more = got.more
        }
        assert.ok(chunks.length < LARGE.length / 1024 && Buffer.concat(chunks).equals(LARGE))
      })

      test('discovery lists what there is', async (t) => {
        const { client } = await open(t)
        const { code, payload } = await client.ask({ code: '0.01', path: '/.well-known/core?rt=core.ps', token: 'a' })
        assert.equal(code, '2.05')
        assert.match(payload.toString(), /^<\/ps>;rt="core\.ps"/)
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
          const socket = new WebSocket(origin() + path, protocol, { ca: ca() })
          const [error] = (await once(socket, 'error')) as [Error]
          assert.match(error.message, /40[04]/)
        }
      })
    })
  }
})
