/** Exchanges that OSCORE protects, end to end: bodies in blocks, loss, and who may not take part. RFC 8613 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TransferResult } from '#stacks/coap/client-transfer'
import { CONTENT, codeText, GET, PUT } from '#stacks/coap/codes'
import { OBSERVE, textOption, URI_PATH, uintOption } from '#stacks/coap/options'
import { SecurityContext } from '#stacks/coap/oscore/context'
import { OscoreGate } from '#stacks/coap/oscore/gate'
import { OscoreSender } from '#stacks/coap/oscore/sender'
import { type Inquiry, Responder } from '#stacks/coap/responder'
import { ByteBudget } from '#stacks/coap/uploads'
import { systemCrypto } from '../../../src/runtime/crypto.ts'
import { Network } from './network.ts'

const SECRET = Uint8Array.from({ length: 16 }, (_, i) => i)
const ID = { client: Uint8Array.of(1), server: Uint8Array.of(2) }
const PATH = [textOption(URI_PATH, 'secret')]

function context(own: Uint8Array, other: Uint8Array, masterSecret = SECRET): SecurityContext {
  return new SecurityContext({ masterSecret, senderId: own, recipientId: other }, systemCrypto)
}

function start(impairment: ConstructorParameters<typeof Network>[0] = {}, secret = SECRET) {
  const small = { client: { maxBlockSize: 64 } }
  const network = new Network(impairment, [small, {}])
  const [device, server] = network.nodes
  const known = context(ID.server, ID.client)
  const blockwise = { maxBlockSize: 64, maxBodySize: 4096, maxTransfers: 4 }
  const gate = new OscoreGate({
    findContext: (kid) => (kid[0] === ID.client[0] ? known : undefined),
    openResponder: () =>
      new Responder(server.endpoint, { blockwise, echo: 'off' }, new ByteBudget(8192), server, (bytes) => server.random(bytes)),
    now: () => server.now(),
    random: (bytes) => server.random(bytes),
    count: (name) => server.count(name),
  })
  server.onRequest = (request, exchange) => {
    if (!gate.onRequest(request, exchange)) server.responder.onRequest(request, exchange)
  }
  const sender = new OscoreSender(device.requester, context(ID.client, ID.server, secret))
  const results: string[] = []
  const done = (result: TransferResult): void => {
    results.push(typeof result === 'string' ? result : `${codeText(result.code)} ${new TextDecoder().decode(result.body)}`)
  }
  return { network, device, server, sender, results, done, gate }
}

function echo(inquiry: Inquiry): void {
  assert.ok(inquiry.isProtected)
  inquiry.respond({ code: CONTENT, payload: Uint8Array.from(inquiry.body) })
}

test('bodies go up and come down in blocks, and nothing of them is seen', () => {
  const { network, device, server, sender, results, done } = start()
  server.serve = echo
  const text = 'attack at dawn, '.repeat(20)
  device.client.request({ confirmable: true, code: PUT, options: PATH, payload: new TextEncoder().encode(text) }, done, sender)
  network.advance(10_000)
  assert.deepEqual(results, [`2.05 ${text}`])
  const wire = network.wire.map(({ bytes }) => Buffer.from(bytes).toString('latin1')).join('')
  assert.ok(!wire.includes('attack') && !wire.includes('secret'))
})

test('under loss, duplication and reordering each request is served once', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { network, device, server, sender, results, done } = start({
      loss: 0.3,
      duplicate: 0.3,
      reorder: true,
      delayMs: 40,
      seed,
    })
    let served = 0
    server.serve = (inquiry) => {
      served++
      echo(inquiry)
    }
    device.client.request({ confirmable: true, code: PUT, options: PATH, payload: Uint8Array.of(65) }, done, sender)
    network.advance(300_000)
    assert.equal(results.length, 1)
    if (results[0] === '2.05 A') assert.equal(served, 1)
    else assert.deepEqual([results[0], served <= 1], ['timeout', true])
  }
})

test('who has other keys is refused, and a replay too', () => {
  const { network, device, server, sender, results, done } = start({}, new Uint8Array(16))
  server.serve = () => assert.fail('not genuine')
  device.client.request({ confirmable: true, code: GET, options: PATH }, done, sender)
  network.advance(1000)
  assert.deepEqual(results, ['4.00 Decryption failed'])
  assert.equal(server.counts.get('oscore-refused'), 1)

  const other = start()
  let served = 0
  other.server.serve = (inquiry) => {
    served++
    echo(inquiry)
  }
  other.device.client.request({ confirmable: true, code: GET, options: PATH }, other.done, other.sender)
  other.network.advance(1000)
  const again = Uint8Array.from(other.network.wire[0]?.bytes ?? assert.fail())
  again[2] = (again[2] as number) ^ 0xff // another message id: no duplicate to the message layer
  other.server.endpoint.receive(again)
  assert.deepEqual([served, other.server.counts.get('oscore-refused')], [1, 1])
})

test('an answer without protection is not taken for one', () => {
  const { network, device, server, sender, results, done } = start()
  server.onRequest = (_request, exchange) => exchange.respond({ code: CONTENT, payload: Uint8Array.of(65) })
  device.client.request({ confirmable: true, code: GET, options: PATH }, done, sender)
  network.advance(1000)
  assert.deepEqual(results, ['not-genuine'])
})

test('an upload under protection is not continued without', () => {
  const { network, device, server, sender, results, done, gate } = start()
  const served: boolean[] = []
  server.serve = (inquiry) => {
    served.push(inquiry.isProtected)
    inquiry.respond({ code: CONTENT })
  }
  device.client.request({ confirmable: true, code: PUT, options: PATH, payload: new Uint8Array(100) }, done, sender)
  network.advance(25)
  device.client.request({ confirmable: true, code: GET, options: PATH }, done)
  network.advance(1000)
  assert.deepEqual(
    [served.sort(), results],
    [
      [false, true],
      ['2.05 ', '2.05 '],
    ],
  )
  gate.close()
})

test('a sender that verifies one answer asks for no observation', () => {
  const { network, device, server, sender, results, done } = start()
  server.serve = (inquiry) => {
    assert.equal(inquiry.observe, undefined)
    inquiry.respond({ code: CONTENT })
  }
  device.client.request({ confirmable: true, code: GET, options: [...PATH, uintOption(OBSERVE, 0)] }, done, sender)
  network.advance(1000)
  assert.deepEqual(results, ['2.05 '])
})
