/** The server on a loopback socket: requests that OSCORE protects. RFC 8613 */
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { isMalformed } from '#sdk'
import { ACK, CON, codeText, DELETE, GET, POST, PUT } from '#stacks/coap/codes'
import { type CoapMessage, parse, serialize, serializeEmpty } from '#stacks/coap/message'
import {
  ETAG,
  IF_MATCH,
  IF_NONE_MATCH,
  MAX_AGE,
  OBSERVE,
  type Option,
  opaqueOption,
  textOption,
  URI_PATH,
  URI_QUERY,
  uintOption,
} from '#stacks/coap/options'
import { SecurityContext } from '#stacks/coap/oscore/context'
import { protectRequest, type RequestBinding, unprotectResponse } from '#stacks/coap/oscore/protection'
import { systemCrypto } from '../../src/runtime/crypto.ts'
import { PlugtestServer } from './server.ts'

function octets(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

class Client {
  readonly #socket: Socket = createSocket('udp4')
  readonly #port: number
  readonly #context: SecurityContext
  #messageId = 0

  constructor(port: number, sender: string, idContext: string | undefined, t: TestContext) {
    const input = {
      masterSecret: octets('0102030405060708090a0b0c0d0e0f10'),
      masterSalt: octets('9e7ca92223786340'),
      senderId: octets(sender),
      recipientId: octets('01'),
      idContext: idContext === undefined ? undefined : octets(idContext),
    }
    this.#port = port
    this.#context = new SecurityContext(input, systemCrypto)
    t.after(() => this.#socket.close())
  }

  /** A protected request: how it is sent, again if need be, and how its answers are opened. */
  request(code: number, path: string, options: readonly Option[] = [], payload = '') {
    const all = [...path.split('/').map((segment) => textOption(URI_PATH, segment)), ...options]
    const made =
      protectRequest(this.#context, { code, options: all, payload: new TextEncoder().encode(payload) }) ?? assert.fail()
    const { message, binding } = made
    const send = () => this.#send(serialize(CON, message.code, ++this.#messageId, 't', message.options, message.payload))
    return { send, opened: async () => this.#open(binding, await this.received()) }
  }

  async ask(code: number, path: string, options: readonly Option[] = [], payload = '') {
    const { send, opened } = this.request(code, path, options, payload)
    send()
    return opened()
  }

  /** The next message; a Confirmable one is acknowledged. */
  async received(): Promise<CoapMessage> {
    const [datagram] = (await once(this.#socket, 'message')) as [Uint8Array]
    const message = parse(datagram)
    if (isMalformed(message)) assert.fail(message.malformed)
    if (message.type === CON) this.#send(serializeEmpty(ACK, message.messageId))
    return message
  }

  #send(bytes: Uint8Array): void {
    this.#socket.send(bytes, this.#port, '127.0.0.1')
  }

  #open(binding: RequestBinding, outer: CoapMessage) {
    const inner = unprotectResponse(binding, outer) ?? assert.fail('not genuine')
    return { code: codeText(inner.code), text: new TextDecoder().decode(inner.payload), options: inner.options }
  }
}

async function start(t: TestContext, sender = '', idContext?: string) {
  const counts: string[] = []
  const server = new PlugtestServer({ host: '127.0.0.1', port: 0, counted: (name) => void counts.push(name) })
  const port = await server.start()
  t.after(() => server.stop())
  return { client: new Client(port, sender, idContext, t), counts }
}

for (const [sender, idContext] of [
  ['', undefined],
  ['', '37cbf3210017a2d3'],
  ['00', undefined],
] as const) {
  test(`a request that OSCORE protects is answered so: id '${sender}', ID context ${idContext ?? 'none'}`, async (t) => {
    const { client, counts } = await start(t, sender, idContext)
    const { send, opened } = client.request(GET, 'oscore/hello/1')
    send()
    const { code, text } = await opened()
    assert.deepEqual([code, text], ['2.05', 'Hello World!'])
    send()
    assert.equal(new TextDecoder().decode((await client.received()).payload), 'Replay detected')
    assert.deepEqual(counts, ['oscore-refused'])
  })
}

test('options and methods are protected each way', async (t) => {
  const { client } = await start(t)
  const tagged = await client.ask(GET, 'oscore/hello/2', [textOption(URI_QUERY, 'first=1')])
  assert.deepEqual([tagged.code, tagged.text, tagged.options.opaque(ETAG)], ['2.05', 'Hello World!', Uint8Array.of(0x2b)])
  assert.equal((await client.ask(GET, 'oscore/hello/3')).options.uint(MAX_AGE), 5)
  assert.deepEqual((await client.ask(POST, 'oscore/hello/6', [], 'J')).text, 'J')
  const put = async (option: Option): Promise<string> => (await client.ask(PUT, 'oscore/hello/7', [option], 'z')).code
  assert.equal(await put(opaqueOption(IF_MATCH, Uint8Array.of(0x7b))), '2.04')
  assert.equal(await put(opaqueOption(IF_MATCH, Uint8Array.of(0x7c))), '4.12')
  assert.equal(await put(opaqueOption(IF_NONE_MATCH, new Uint8Array(0))), '4.12')
  assert.equal((await client.ask(DELETE, 'oscore/test')).code, '2.02')
})

test('notifications are protected, and the last word too', async (t) => {
  const { client } = await start(t)
  const { send, opened } = client.request(GET, 'oscore/observe1', [uintOption(OBSERVE, 0)])
  send()
  const told: [string, string, boolean][] = []
  while (told.length < 3) {
    const { code, text, options } = await opened()
    told.push([code, text, options.has(OBSERVE)])
  }
  assert.deepEqual(told, [
    ['2.05', 'one', true],
    ['2.05', 'two', true],
    ['5.00', 'Terminate Observe', false],
  ])
})
