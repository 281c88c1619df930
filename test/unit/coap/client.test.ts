/** The client's half above the message layer: block-wise transfer and observation. RFC 7959, 7641, 9175 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMalformed } from '#sdk'
import { blockOf, blockOption, blockSize } from '#stacks/coap/block'
import type { ClientSettings } from '#stacks/coap/client'
import type { TransferResult } from '#stacks/coap/client-transfer'
import { CHANGED, CONTENT, codeText, GET, NOT_FOUND, POST, PUT, REQUEST_ENTITY_TOO_LARGE } from '#stacks/coap/codes'
import { type CoapMessage, parse } from '#stacks/coap/message'
import { Observation } from '#stacks/coap/observe'
import {
  BLOCK1,
  BLOCK2,
  ETAG,
  MAX_AGE,
  OBSERVE,
  opaqueOption,
  REQUEST_TAG,
  SIZE1,
  textOption,
  URI_PATH,
  uintOption,
} from '#stacks/coap/options'
import { Network, type Node, type NodeOptions } from './network.ts'

const PATH = [textOption(URI_PATH, 'a')]
const HOUR_MS = 3_600_000

function bytes(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 7 + seed)
}

function start(client: Partial<ClientSettings> = {}, server: NodeOptions = {}) {
  const network = new Network({}, [{ client }, server])
  const [device, peer] = network.nodes
  const results: TransferResult[] = []
  const done = (result: TransferResult): void => void results.push(result)
  const sent = (from: Node = device): CoapMessage[] =>
    network.wire.filter((datagram) => datagram.from === from).map(({ bytes: raw }) => messageOf(raw))
  return { network, device, peer, results, done, sent }
}

function messageOf(raw: Uint8Array): CoapMessage {
  const message = parse(raw)
  return isMalformed(message) ? assert.fail(message.malformed) : message
}

function whole(result: TransferResult | undefined): { code: string; body: Uint8Array } {
  if (result === undefined || typeof result === 'string') return assert.fail(`no answer: ${result}`)
  return { code: codeText(result.code), body: Uint8Array.from(result.body) }
}

test('a body goes up in blocks under one Request-Tag, and its size is announced', () => {
  const { network, device, peer, results, done, sent } = start({ maxBlockSize: 64 })
  let received: Uint8Array | undefined
  peer.serve = (inquiry) => {
    received = Uint8Array.from(inquiry.body)
    inquiry.respond({ code: CHANGED })
  }
  device.client.request({ confirmable: true, code: PUT, options: PATH, payload: bytes(200) }, done)
  network.advance(1000)
  assert.equal(whole(results[0]).code, '2.04')
  assert.deepEqual(received, bytes(200))
  const requests = sent()
  assert.equal(requests.length, 4)
  assert.deepEqual(
    requests.map(({ options }) => blockOf(options, BLOCK1)?.number),
    [0, 1, 2, 3],
  )
  assert.equal(new Set(requests.map(({ options }) => String(options.opaque(REQUEST_TAG)))).size, 1)
  assert.deepEqual([requests[0]?.options.uint(SIZE1), requests[1]?.options.uint(SIZE1)], [200, undefined])
})

test('smaller blocks are sent when the server asks for them', () => {
  const responder = { blockwise: { maxBlockSize: 32, maxBodySize: 1024, maxTransfers: 4 }, echo: 'off' } as const
  const { network, device, peer, results, done, sent } = start({ maxBlockSize: 128 }, { responder })
  let received: Uint8Array | undefined
  peer.serve = (inquiry) => {
    received = Uint8Array.from(inquiry.body)
    inquiry.respond({ code: CHANGED })
  }
  device.client.request({ confirmable: true, code: PUT, options: PATH, payload: bytes(200) }, done)
  network.advance(1000)
  assert.equal(whole(results[0]).code, '2.04')
  assert.deepEqual(received, bytes(200))
  assert.deepEqual(
    sent().map(({ options }) => [blockOf(options, BLOCK1)?.number, blockSize(blockOf(options, BLOCK1)?.szx ?? 9)]),
    [
      [0, 128],
      [4, 32],
      [5, 32],
      [6, 32],
    ],
  )
})

test('a server that wants blocks, or smaller ones, is sent them', () => {
  const { network, device, peer, results, done } = start()
  const sizes: number[] = []
  const upload: Uint8Array[] = []
  // A server of its own kind, on the message layer alone.
  peer.onRequest = (request, exchange) => {
    const block = blockOf(request.options, BLOCK1)
    sizes.push(request.payload.length)
    if (block === undefined || block.szx > 1) {
      const hint = blockOption(BLOCK1, { number: 0, more: false, szx: 1 })
      exchange.respond({ code: REQUEST_ENTITY_TOO_LARGE, options: [hint] })
      return
    }
    upload.push(Uint8Array.from(request.payload))
    exchange.respond({ code: block.more ? 0x5f : CHANGED, options: [blockOption(BLOCK1, block)] })
  }
  device.client.request({ confirmable: true, code: PUT, options: PATH, payload: bytes(80) }, done)
  network.advance(1000)
  assert.equal(whole(results[0]).code, '2.04')
  assert.deepEqual(sizes, [80, 32, 32, 16])
  assert.deepEqual(new Uint8Array(Buffer.concat(upload)), bytes(80))
})

test('an upload that the server lost begins anew, twice at most', () => {
  const { network, device, peer, results, done, sent } = start({ maxBlockSize: 16 })
  peer.onRequest = (request, exchange) => {
    const block = blockOf(request.options, BLOCK1)
    exchange.respond(block?.number === 0 ? { code: 0x5f, options: [blockOption(BLOCK1, block)] } : { code: 0x88 })
  }
  device.client.request({ confirmable: true, code: PUT, options: PATH, payload: bytes(40) }, done)
  network.advance(1000)
  assert.equal(whole(results[0]).code, '4.08')
  const tags = sent().map(({ options }) => String(options.opaque(REQUEST_TAG)))
  assert.deepEqual([tags.length, new Set(tags).size], [6, 3])
})

test('a body comes down in blocks of the size that was asked for', () => {
  for (const maxBlockSize of [16, 1024]) {
    const { network, device, peer, results, done, sent } = start({ maxBlockSize })
    peer.serve = (inquiry) => inquiry.respond({ code: CONTENT, payload: bytes(1500) })
    device.client.request({ confirmable: true, code: GET, options: PATH }, done)
    network.advance(10_000)
    assert.deepEqual(whole(results[0]), { code: '2.05', body: bytes(1500) })
    assert.equal(sent().length, Math.ceil(1500 / maxBlockSize))
    assert.equal(blockOf(sent()[0]?.options ?? assert.fail(), BLOCK2) === undefined, maxBlockSize === 1024)
  }
})

test('up in blocks and down in blocks, in one request', () => {
  const { network, device, peer, results, done } = start({ maxBlockSize: 64 })
  peer.serve = (inquiry) => inquiry.respond({ code: CHANGED, payload: Uint8Array.from(inquiry.body).reverse() })
  device.client.request({ confirmable: true, code: POST, options: PATH, payload: bytes(300) }, done)
  network.advance(10_000)
  assert.deepEqual(whole(results[0]), { code: '2.04', body: bytes(300).reverse() })
})

test('a representation that changes amid its blocks is fetched anew; one that never rests is a failure', () => {
  for (const [changes, expected] of [
    [1, 'whole'],
    [Number.POSITIVE_INFINITY, 'inconsistent'],
  ] as const) {
    const { network, device, peer, results, done } = start({ maxBlockSize: 64 })
    let asked = 0
    peer.onRequest = (request, exchange) => {
      const block = blockOf(request.options, BLOCK2) ?? { number: 0, more: false, szx: 2 }
      if (block.number === 1) asked++
      const version = Math.min(asked, changes)
      const payload = bytes(130, version).subarray(block.number * 64, block.number * 64 + 64)
      const options = [opaqueOption(ETAG, Uint8Array.of(version + 1)), blockOption(BLOCK2, { ...block, more: block.number < 2 })]
      exchange.respond({ code: CONTENT, options, payload })
    }
    device.client.request({ confirmable: true, code: GET, options: PATH }, done)
    network.advance(10_000)
    if (expected === 'whole') assert.deepEqual(whole(results[0]).body, bytes(130, 1))
    else assert.deepEqual(results, ['inconsistent'])
  }
})

test('more than we want, and blocks that make no body, are failures', () => {
  const large = start({ maxBodyBytes: 100 })
  large.peer.serve = (inquiry) => inquiry.respond({ code: CONTENT, payload: bytes(1500) })
  large.device.client.request({ confirmable: true, code: GET, options: PATH }, large.done)
  large.network.advance(1000)
  assert.deepEqual(large.results, ['too-large'])
  for (const option of [
    blockOption(BLOCK2, { number: 3, more: true, szx: 0 }),
    blockOption(BLOCK2, { number: 0, more: true, szx: 1 }),
    uintOption(BLOCK2, 7),
  ]) {
    const { network, device, peer, results, done } = start()
    peer.onRequest = (_request, exchange) => exchange.respond({ code: CONTENT, options: [option], payload: bytes(16) })
    device.client.request({ confirmable: true, code: GET, options: PATH }, done)
    network.advance(1000)
    assert.deepEqual(results, ['bad-block'])
  }
})

test('a request that is challenged is repeated with the Echo', () => {
  for (const echo of ['always', 'amplification'] as const) {
    const responder = { blockwise: { maxBlockSize: 1024, maxBodySize: 4096, maxTransfers: 4 }, echo }
    const { network, device, peer, results, done } = start({}, { responder })
    peer.serve = (inquiry) => inquiry.respond({ code: CONTENT, payload: bytes(1500) })
    device.client.request({ confirmable: true, code: GET, options: PATH }, done)
    network.advance(1000)
    assert.deepEqual(whole(results[0]), { code: '2.05', body: bytes(1500) })
    assert.equal(peer.counts.get('echo-challenge'), 1)
  }
})

test('a critical option in an answer that we do not understand rejects it', () => {
  const { network, device, peer, results, done, sent } = start()
  peer.onRequest = (_request, exchange) => {
    exchange.acknowledge()
    exchange.respond({ code: CONTENT, options: [uintOption(9999, 1)] })
  }
  device.client.request({ confirmable: true, code: GET, options: PATH }, done)
  network.advance(1000)
  assert.deepEqual(results, ['bad-option'])
  assert.equal(sent().at(-1)?.type, 3, 'a reset')
})

test('a request that was given up is answered once, and its answer rejected', () => {
  const { network, device, peer, results, done } = start()
  peer.serve = (inquiry) => inquiry.respond({ code: CONTENT })
  const handle = device.client.request({ confirmable: true, code: GET, options: PATH }, done)
  handle.cancel()
  handle.cancel()
  network.advance(HOUR_MS)
  assert.deepEqual(results, ['cancelled'])
})

/** A server with one state, and at most one observer of it. */
function observed(options: Partial<ClientSettings> = {}) {
  const stage = start(options)
  const { device, peer } = stage
  let state = bytes(10)
  let observation: Observation | undefined
  const represent = () => ({ code: CONTENT, options: [uintOption(MAX_AGE, 10)], payload: state })
  peer.serve = (inquiry) => {
    if (inquiry.observe === 0) {
      observation = new Observation({
        token: inquiry.exchange.token,
        endpoint: peer.endpoint,
        confirmAfterMs: HOUR_MS,
        confirmEvery: Number.POSITIVE_INFINITY,
        observationEnded() {},
      })
      inquiry.respond(represent(), [observation.nextOption()])
      observation.start()
    } else {
      if (inquiry.observe === 1) observation?.cancel()
      inquiry.respond(represent())
    }
  }
  const change = (next: Uint8Array, confirmable = true): void => {
    state = next
    observation?.offer({
      confirmable,
      render: (sent) => {
        sent()
        return peer.responder.transfers.download('1|11:a', represent(), undefined) ?? assert.fail()
      },
      settled: () => {},
    })
  }
  const told: Uint8Array[] = []
  const ends: string[] = []
  const client = device.client.observe(
    { confirmable: true, code: GET, options: PATH },
    {
      notified: ({ body }) => void told.push(Uint8Array.from(body)),
      ended: (why) => void ends.push(typeof why === 'string' ? why : codeText(why.code)),
    },
  )
  return { ...stage, change, told, ends, client, observation: () => observation }
}

test('an observer is told each state, large ones whole', () => {
  const { network, change, told, ends } = observed()
  network.advance(100)
  change(bytes(20))
  network.advance(100)
  change(bytes(3000), false)
  network.advance(1000)
  assert.deepEqual(told, [bytes(10), bytes(20), bytes(3000)])
  assert.deepEqual(ends, [])
})

test('a newer notification takes the place of one whose blocks are being fetched', () => {
  const { network, change, told } = observed()
  network.advance(100)
  change(bytes(3000))
  network.advance(15)
  change(bytes(30))
  network.advance(1000)
  assert.deepEqual(told, [bytes(10), bytes(30)])
})

test('an older notification that arrives late is not told', () => {
  const { network, device, change, told, observation } = observed()
  network.advance(100)
  change(bytes(20))
  network.advance(100)
  const notification = network.wire.find(({ from, bytes: raw }) => from !== device && messageOf(raw).type === 0) ?? assert.fail()
  change(bytes(30))
  network.advance(100)
  const late = Uint8Array.from(notification.bytes)
  late[2] = 0xee // another message: the same one would be a duplicate
  device.endpoint.receive(late)
  assert.deepEqual(told, [bytes(10), bytes(20), bytes(30)])
  assert.notEqual(observation(), undefined)
})

test('silence beyond Max-Age causes a new registration under the same token', () => {
  const { network, device, peer, client, observation } = observed()
  network.advance(100)
  observation()?.cancel()
  const before = network.wire.length
  network.advance(14_000)
  assert.equal(network.wire.length, before, 'Max-Age and some patience')
  network.advance(12_000)
  const registrations = network.wire.map(({ bytes: raw }) => messageOf(raw)).filter(({ code }) => code === GET)
  assert.deepEqual(
    registrations.slice(0, 2).map(({ token, options }) => [token, options.uint(OBSERVE)]),
    [
      [client.token, 0],
      [client.token, 0],
    ],
  )
  assert.ok(device.requester.pending === 0 && peer.malformed.length === 0)
})

test('an observation ends with the server, told or by reset, each once', () => {
  const told = observed()
  told.network.advance(100)
  told.client.cancel(true)
  told.network.advance(100)
  told.change(bytes(20))
  told.network.advance(HOUR_MS)
  assert.deepEqual([told.told.length, told.ends], [1, []])

  const silent = observed()
  silent.network.advance(100)
  silent.client.cancel(false)
  silent.change(bytes(20))
  silent.network.advance(100)
  assert.equal(silent.sent().at(-1)?.type, 3, 'a reset')

  const server = observed()
  server.network.advance(100)
  server.observation()?.conclude({ code: NOT_FOUND }, true)
  server.network.advance(HOUR_MS)
  assert.deepEqual([server.ends, server.client.active], [['4.04'], false])
})

test('a server that does not add the observer ends the observation with the state', () => {
  const { network, device, peer } = start()
  peer.serve = (inquiry) => inquiry.respond({ code: CONTENT, payload: bytes(1500) })
  const ends: string[] = []
  device.client.observe(
    { confirmable: true, code: GET, options: PATH },
    {
      notified: () => assert.fail('not observed'),
      ended: (why) => void ends.push(typeof why === 'string' ? why : `${codeText(why.code)} ${why.body.length}`),
    },
  )
  network.advance(1000)
  assert.deepEqual(ends, ['2.05 1500'])
})
