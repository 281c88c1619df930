/** Bodies in bursts, as a server: Q-Block1 and Q-Block2, RFC 9177. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMalformed } from '#sdk'
import { blockOption } from '#stacks/coap/block'
import { CHANGED, CON, CONTENT, codeText, GET, NON, PUT } from '#stacks/coap/codes'
import { type CoapMessage, parse, serialize } from '#stacks/coap/message'
import {
  BLOCK1,
  CONTENT_FORMAT,
  ETAG,
  encodeUint,
  type Option,
  opaqueOption,
  Q_BLOCK1,
  Q_BLOCK2,
  REQUEST_TAG,
  SIZE1,
  SIZE2,
  textOption,
  URI_PATH,
  uintOption,
} from '#stacks/coap/options'
import { qBlocksOf } from '#stacks/coap/q-block'
import { Network } from './network.ts'

const PATH = textOption(URI_PATH, 'a')
const SIZE = 16

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i >> 4) + i)
}

function start(maxBodySize = 4096) {
  const blockwise = { maxBlockSize: 64, maxBodySize, maxTransfers: 2 }
  const network = new Network({}, [{}, { responder: { blockwise, echo: 'off', qBlock: true } }])
  const [, server] = network.nodes
  let nextId = 1
  let read = 0
  const send = (type: typeof CON | typeof NON, code: number, token: string, options: readonly Option[], payload?: Uint8Array) => {
    server.endpoint.receive(serialize(type, code, nextId++, token, [PATH, ...options], payload))
  }
  /** What the server has sent since the last look. */
  const take = (): CoapMessage[] => {
    const fresh = network.wire.slice(read).map(({ bytes: raw }) => {
      const message = parse(raw)
      return isMalformed(message) ? assert.fail(message.malformed) : message
    })
    read = network.wire.length
    return fresh
  }
  const bodies: Uint8Array[] = []
  server.serve = (inquiry) => {
    bodies.push(Uint8Array.from(inquiry.body))
    if (inquiry.request.code === GET) inquiry.respond({ code: CONTENT, payload: bytes(1500) })
    else inquiry.respond({ code: CHANGED })
  }
  return { network, server, send, take, bodies }
}

function qBlock(option: typeof Q_BLOCK1 | typeof Q_BLOCK2, number: number, more: boolean, szx = 0): Option {
  return { number: option, value: encodeUint((number << 4) + (more ? 8 : 0) + szx) }
}

/** Block `number` of an upload, under a token of its own. */
function upload(
  stage: ReturnType<typeof start>,
  body: Uint8Array,
  number: number,
  type: typeof CON | typeof NON = NON,
  tag = 1,
): void {
  const more = (number + 1) * SIZE < body.length
  const options = [uintOption(SIZE1, body.length), opaqueOption(REQUEST_TAG, Uint8Array.of(tag)), qBlock(Q_BLOCK1, number, more)]
  stage.send(type, PUT, `t${number}`, options, body.subarray(number * SIZE, (number + 1) * SIZE))
}

/** `2.31 t9 9`: code, token, the blocks that the answer speaks of. */
function shown(message: CoapMessage): string {
  const { code, token, options, payload } = message
  const blocks = (qBlocksOf(options, Q_BLOCK1) ?? []).map(({ number }) => number)
  const missing = options.uint(CONTENT_FORMAT) === 272 ? Array.from(payload) : []
  return [codeText(code), token, ...blocks, ...missing].join(' ')
}

test('an upload in sets is continued after each, and answered at its end', () => {
  const stage = start()
  const body = bytes(25 * SIZE - 3)
  for (let number = 0; number < 10; number++) upload(stage, body, number)
  assert.deepEqual(stage.take().map(shown), ['2.31 t9 9'])
  for (let number = 10; number < 20; number++) upload(stage, body, number)
  assert.deepEqual(stage.take().map(shown), ['2.31 t19 19'])
  for (let number = 20; number < 25; number++) upload(stage, body, number)
  const answers = stage.take()
  assert.deepEqual(answers.map(shown), ['2.04 t24'])
  assert.equal(answers[0]?.type, NON)
  assert.deepEqual(stage.bodies, [body])
  stage.network.advance(3_600_000)
  assert.equal(stage.server.endpoint.deadlines.size, 0)
})

test('what is missing is asked for: at once when a later set begins, else after some time, in growing distance', () => {
  const stage = start()
  const body = bytes(15 * SIZE)
  for (const number of [0, 1, 3, 4, 5, 6, 8, 9]) upload(stage, body, number)
  assert.deepEqual(stage.take(), [])
  upload(stage, body, 10)
  assert.deepEqual(stage.take().map(shown), ['4.08 t10 2 7 11 12 13 14'])
  upload(stage, body, 2)
  stage.take()
  stage.network.advance(60_000)
  assert.ok(stage.take().every((message) => shown(message).endsWith(' 7 11 12 13 14')))
  for (const number of [7, 11, 12, 13]) upload(stage, body, number)
  upload(stage, body, 14)
  assert.equal(shown(stage.take().at(-1) ?? assert.fail()), '2.04 t14')
  assert.deepEqual(stage.bodies, [body])
})

test('the distance doubles, and after four times the body is given up', () => {
  const stage = start()
  upload(stage, bytes(5 * SIZE), 1)
  const times: [number, string][] = []
  const began = stage.network.now()
  for (let passed = 0; passed < 200; passed++) {
    stage.network.advance(1000)
    for (const message of stage.take()) times.push([(stage.network.now() - began) / 1000, shown(message)])
  }
  assert.deepEqual(times, [
    [4, '4.08 t1 0 2 3 4'],
    [12, '4.08 t1 0 2 3 4'],
    [28, '4.08 t1 0 2 3 4'],
    [60, '4.08 t1 0 2 3 4'],
    [124, '4.08 t1'],
  ])
  assert.equal(stage.server.counts.get('block-transfer-expired'), 1)
})

test('a confirmable upload is paced by acknowledgements', () => {
  const stage = start()
  const body = bytes(12 * SIZE)
  for (let number = 0; number < 12; number++) upload(stage, body, number, CON)
  const answers = stage.take()
  assert.deepEqual(
    answers.map(({ type, code }) => [type, codeText(code)]),
    [...Array.from({ length: 11 }, () => [2, '0.00']), [2, '2.04']],
  )
  assert.deepEqual(stage.bodies, [body])
})

test('a block that comes again is answered again, and taken once', () => {
  const stage = start()
  const body = bytes(11 * SIZE)
  for (let number = 0; number < 10; number++) upload(stage, body, number)
  upload(stage, body, 9)
  assert.deepEqual(stage.take().map(shown), ['2.31 t9 9', '2.31 t9 9'])
  upload(stage, body, 10)
  assert.deepEqual(stage.bodies, [body])
})

test('without Request-Tag and Size1, beside Block1, too large, or of a wrong length: the standard’s answer', () => {
  const stage = start(100)
  const tag = opaqueOption(REQUEST_TAG, Uint8Array.of(1))
  const block = qBlock(Q_BLOCK1, 0, true)
  stage.send(NON, PUT, 'a', [tag, block], bytes(16))
  stage.send(NON, PUT, 'b', [uintOption(SIZE1, 50), block], bytes(16))
  stage.send(
    NON,
    PUT,
    'c',
    [tag, uintOption(SIZE1, 50), block, blockOption(BLOCK1, { number: 0, more: true, szx: 0 })],
    bytes(16),
  )
  stage.send(NON, PUT, 'd', [tag, uintOption(SIZE1, 101), block], bytes(16))
  stage.send(NON, PUT, 'e', [tag, uintOption(SIZE1, 50), block], bytes(15))
  stage.send(NON, PUT, 'f', [tag, uintOption(SIZE1, 50), qBlock(Q_BLOCK1, 9, false)], bytes(5))
  assert.deepEqual(stage.take().map(shown), ['4.00 a', '4.00 b', '4.00 c', '4.13 d', '4.00 e', '4.00 f'])
  assert.deepEqual(stage.bodies, [])
})

test('blocks of another size or body do not mix, and bodies under way are bounded', () => {
  const stage = start()
  upload(stage, bytes(50), 0)
  upload(stage, bytes(60), 1)
  assert.deepEqual(stage.take().map(shown), ['4.08 t1'])
  for (const tag of [1, 2, 3]) upload(stage, bytes(50), 0, NON, tag)
  assert.equal(stage.server.counts.get('block-transfer-expired'), 1)
})

function numbersOf(messages: readonly CoapMessage[]): (number | undefined)[] {
  return messages.map(({ options }) => qBlocksOf(options, Q_BLOCK2)?.[0]?.number)
}

test('an answer goes in sets of ten, the next when asked for or after some time, what is missing on request', () => {
  const stage = start()
  stage.send(NON, GET, 'g', [qBlock(Q_BLOCK2, 0, true, 2)])
  const first = stage.take()
  assert.deepEqual(numbersOf(first), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  assert.ok(first.every(({ type, token, options }) => type === NON && token === 'g' && options.uint(SIZE2) === 1500))
  assert.equal(new Set(first.map(({ options }) => String(options.opaque(ETAG)))).size, 1)
  stage.send(NON, GET, 'h', [qBlock(Q_BLOCK2, 3, false, 2), qBlock(Q_BLOCK2, 5, false, 2)])
  const again = stage.take()
  assert.deepEqual(
    [numbersOf(again), again.map(({ token }) => token)],
    [
      [3, 5],
      ['h', 'h'],
    ],
  )
  stage.send(NON, GET, 'i', [qBlock(Q_BLOCK2, 10, true, 2)])
  const second = stage.take()
  assert.deepEqual(numbersOf(second), [10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
  stage.network.advance(2999)
  assert.deepEqual(stage.take(), [])
  stage.network.advance(1)
  const third = stage.take()
  assert.deepEqual(numbersOf(third), [20, 21, 22, 23])
  const blocks = [...first, ...second, ...third].map(({ payload }) => Buffer.from(payload))
  assert.deepEqual(new Uint8Array(Buffer.concat(blocks)), bytes(1500))
  assert.equal(stage.bodies.length, 1, 'served once')
  stage.network.advance(3_600_000)
  assert.equal(stage.server.endpoint.deadlines.size, 0)
})

test('a small answer needs no blocks; where bursts are not served they are 4.02', () => {
  const stage = start()
  stage.server.serve = (inquiry) => inquiry.respond({ code: CONTENT, payload: bytes(10) })
  stage.send(CON, GET, 'g', [qBlock(Q_BLOCK2, 0, true, 2)])
  assert.deepEqual(numbersOf(stage.take()), [undefined])
  const plain = new Network()
  plain.nodes[1].endpoint.receive(serialize(CON, GET, 1, 'g', [PATH, qBlock(Q_BLOCK2, 0, true, 2)]))
  const answer = parse(plain.wire[0]?.bytes ?? assert.fail())
  assert.equal(isMalformed(answer) || codeText(answer.code), '4.02')
})
