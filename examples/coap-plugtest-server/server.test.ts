/** The server on a loopback socket: requests that OSCORE protects. RFC 8613 */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { isMalformed } from '#sdk'
import { CON, CONTENT, GET } from '#stacks/coap/codes'
import { type CoapMessage, parse, serialize } from '#stacks/coap/message'
import { textOption, URI_PATH } from '#stacks/coap/options'
import { SecurityContext } from '#stacks/coap/oscore/context'
import { protectRequest, unprotectResponse } from '#stacks/coap/oscore/protection'
import { systemCrypto } from '../../src/runtime/crypto.ts'
import { PlugtestServer } from './server.ts'

test('a request that OSCORE protects is answered so', async (t) => {
  const counts: string[] = []
  const server = new PlugtestServer({ host: '127.0.0.1', port: 0, counted: (name) => void counts.push(name) })
  const port = await server.start()
  const socket = createSocket('udp4')
  t.after(() => {
    server.stop()
    socket.close()
  })
  const ask = async (bytes: Uint8Array): Promise<CoapMessage> => {
    socket.send(bytes, port, '127.0.0.1')
    const [datagram] = (await once(socket, 'message')) as [Uint8Array]
    const message = parse(datagram)
    return isMalformed(message) ? assert.fail(message.malformed) : message
  }
  const octets = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
  const context = new SecurityContext(
    {
      masterSecret: octets('0102030405060708090a0b0c0d0e0f10'),
      masterSalt: octets('9e7ca92223786340'),
      senderId: octets('00'),
      recipientId: octets('01'),
    },
    systemCrypto,
  )
  const options = ['oscore', 'hello', '1'].map((segment) => textOption(URI_PATH, segment))
  const { message, binding } = protectRequest(context, { code: GET, options }) ?? assert.fail()
  const outer = await ask(serialize(CON, message.code, 1, 't', message.options, message.payload))
  const answer = unprotectResponse(binding, outer) ?? assert.fail('not genuine')
  assert.deepEqual([answer.code, new TextDecoder().decode(answer.payload)], [CONTENT, 'Hello World!'])
  const replay = await ask(serialize(CON, message.code, 2, 't', message.options, message.payload))
  assert.equal(new TextDecoder().decode(replay.payload), 'Replay detected')
  assert.deepEqual(counts, ['oscore-refused'])
})
