/** Connections and their signalling: RFC 8323 sections 3 and 5. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CHANGED, CONTENT, codeText } from '#stacks/coap/codes'
import type { Exchange, Response } from '#stacks/coap/exchange'
import type { CoapMessage } from '#stacks/coap/message'
import { DEFAULT_PARAMETERS } from '#stacks/coap/parameters'
import { StreamEndpoint } from '#stacks/coap/stream-endpoint'

const MAX_MESSAGE_BYTES = 4096
const PEER_CSM = '00 e1'

function start(delimited = false) {
  const sent: string[] = []
  const ends: string[] = []
  const counted: string[] = []
  const malformed: string[] = []
  const requests: { request: CoapMessage; exchange: Exchange }[] = []
  const responses: string[] = []
  const endpoint = new StreamEndpoint(
    {
      now: () => 0,
      random: (bytes) => new Uint8Array(bytes),
      send: (bytes) => sent.push(Buffer.from(bytes).toString('hex')),
      arm() {},
      disarm() {},
      end: (reason) => ends.push(reason),
    },
    {
      onRequest: (request, exchange) => requests.push({ request, exchange }),
      onResponse: (response) => responses.push(codeText(response.code)) > 0 && response.token === 'k',
      onMalformed: (fault) => malformed.push(fault.malformed),
      count: (name) => counted.push(name),
    },
    { parameters: DEFAULT_PARAMETERS, maxMessageBytes: MAX_MESSAGE_BYTES, maxTokenBytes: 8, delimited },
  )
  const receive = (text: string) => endpoint.receive(Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex')))
  const take = () => sent.splice(0)
  const answer = (index: number, response: Response = { code: CHANGED }) => requests[index]?.exchange.respond(response)
  return { endpoint, receive, take, answer, ends, counted, malformed, requests, responses }
}

/** Connected, capabilities exchanged. */
function connected(csm = PEER_CSM) {
  const peer = start()
  peer.take()
  peer.receive(csm)
  return peer
}

test('capabilities go out at once: message size and block-wise transfer', () => {
  // Len 4, code 7.01, option 2 of two octets (4096), option 4 empty
  assert.deepEqual(start().take(), ['40e122100020'])
  assert.deepEqual(start(true).take(), ['00e122100020'])
})

test('requests are answered with their token, without type and message id', () => {
  const { receive, take, answer, requests } = connected()
  receive('51 01 aa b4 74 65 73 74')
  assert.equal(requests[0]?.request.token, '\xaa')
  answer(0, { code: CONTENT, payload: Uint8Array.of(0x68, 0x69) })
  assert.deepEqual(take(), ['3145aaff6869'])
  answer(0)
  assert.deepEqual(take(), [], 'answered once')
})

test('a first message that is no CSM ends the connection with Abort', () => {
  for (const [message, reason] of [
    ['51 01 aa b4 74 65 73 74', 'csm-missing'],
    ['00 e2', 'csm-missing'],
    ['00 00', 'csm-missing'],
  ] as const) {
    const { take, receive, ends, malformed, requests } = start()
    take()
    receive(message)
    assert.match(take()[0] ?? '', /^..(..)?e5ff/)
    assert.deepEqual([ends, malformed, requests.length], [['fault'], [reason], 0])
    receive(PEER_CSM)
    assert.equal(ends.length, 1)
  }
})

test('empty messages mean nothing', () => {
  const { receive, take, ends } = connected()
  receive('00 00 00 00')
  assert.deepEqual([take(), ends], [[], []])
})

test('Ping is answered by Pong with its token', () => {
  const { receive, take, counted } = connected()
  receive('02 e2 01 02')
  assert.deepEqual(take(), ['02e30102'])
  assert.deepEqual(counted, ['ping'])
})

test('with Custody the Pong waits for the answers to what came before', () => {
  const { receive, take, answer } = connected()
  receive('11 e2 0a 20') // nothing is open
  assert.deepEqual(take(), ['11e30a20'])
  receive('01 01 01')
  receive('01 01 02')
  receive('11 e2 0b 20')
  receive('01 01 03')
  receive('11 e2 0c 20')
  receive('01 e2 0d') // without Custody: at once
  assert.deepEqual(take(), ['01e30d'])
  answer(0)
  assert.deepEqual(take(), ['014401'])
  answer(1)
  assert.deepEqual(take(), ['014402', '11e30b20'])
  answer(2)
  assert.deepEqual(take(), ['014403', '11e30c20'])
})

test('pings that wait are bounded: further ones get no custody', () => {
  const { receive, take, answer } = connected()
  receive('01 01 01')
  for (let i = 0; i < 20; i++) receive('11 e2 0b 20')
  assert.deepEqual(take(), Array(4).fill('01e30b'))
  answer(0)
  assert.equal(take().length, 17)
})

test('after Release what is open is answered, nothing new is taken, and the connection ends', () => {
  const { receive, take, answer, ends, requests } = connected()
  receive('01 01 01')
  receive('00 e4')
  receive('01 01 02')
  assert.deepEqual([ends, requests.length], [[], 1])
  answer(0)
  assert.deepEqual([take(), ends], [['014401'], ['released']])
  const idle = connected()
  idle.receive('00 e4')
  assert.deepEqual(idle.ends, ['released'])
})

test('Abort ends the connection', () => {
  const { receive, take, ends, counted } = connected()
  receive('50 e5 ff 6f 6f 70 73')
  assert.deepEqual([take(), ends, counted], [[], ['aborted'], ['aborted-by-peer']])
})

test('a critical option that no signal has: Abort, which names it for a CSM', () => {
  const late = connected()
  late.receive('10 e2 10')
  assert.match(late.take()[0] ?? '', /^..(..)?e5ff/)
  const csm = start()
  csm.take()
  csm.receive('10 e1 50')
  assert.match(csm.take()[0] ?? '', /^..(..)?e52105ff/)
  assert.deepEqual([csm.ends, csm.malformed], [['fault'], ['signal-option']])
})

test('elective options and signals that nobody knows are ignored', () => {
  const { receive, take, ends, counted } = connected('10 e1 80')
  receive('00 ff')
  receive('00 e3')
  assert.deepEqual([take(), ends, counted], [[], [], ['unknown-signal', 'unmatched-pong']])
})

test('what is malformed ends the connection, and is counted once', () => {
  for (const [bytes, reason] of [
    ['09 01', 'token-length'],
    ['f0 00ffffff 01', 'frame-too-large'],
    ['10 01 ff', 'marker-without-payload'],
    ['10 01 b4', 'option-truncated'],
    ['00 20', 'reserved-class'],
  ] as const) {
    const { receive, take, ends, malformed } = connected()
    receive(bytes)
    assert.deepEqual([malformed, ends], [[reason], ['fault']], bytes)
    assert.match(take()[0] ?? '', /e5ff/)
  }
})

test('what the peer may be sent follows from its capabilities', () => {
  const { endpoint, receive } = connected()
  assert.deepEqual([endpoint.wholePayloadBytes, endpoint.bertBytes], [896, 0])
  receive('40 e1 23 010000') // Max-Message-Size 65536
  assert.deepEqual([endpoint.wholePayloadBytes, endpoint.bertBytes], [65_280, 0])
  receive('10 e1 40') // Block-Wise-Transfer; the size stays
  assert.deepEqual([endpoint.wholePayloadBytes, endpoint.bertBytes], [65_280, 64_512])
})

test('what the peer does not take is not sent, and counted', () => {
  const { receive, take, answer, counted } = connected('20 e1 21 40') // 64 octets
  receive('01 01 01')
  answer(0, { code: CONTENT, payload: new Uint8Array(100) })
  assert.deepEqual([take(), counted], [[], ['message-too-large-for-peer']])
})

test('responses reach whoever asked', () => {
  const { receive, responses, counted } = connected()
  receive('01 45 6b')
  receive('01 45 6c')
  assert.deepEqual([responses, counted], [['2.05', '2.05'], ['unmatched-response']])
})

test('we say goodbye with Release', () => {
  const { endpoint, take, receive, requests } = connected()
  endpoint.close()
  assert.deepEqual(take(), ['00e4'])
  receive('01 01 01')
  assert.equal(requests.length, 0)
})
