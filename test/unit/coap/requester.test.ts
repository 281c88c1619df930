/** The client's half: RFC 7252 5.2, 5.3. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeText, GET } from '#stacks/coap/codes'
import type { CoapMessage } from '#stacks/coap/message'
import { Requester, type RequestFailure } from '#stacks/coap/requester'
import { FakePeer } from './fake-peer.ts'

function start() {
  const peer = new FakePeer()
  let seed = 0
  const requester = new Requester(peer.endpoint, (bytes) => new Uint8Array(bytes).fill(++seed))
  peer.respondTo = (response) => requester.onResponse(response)
  const results: string[] = []
  const done = (result: CoapMessage | RequestFailure) => {
    results.push(typeof result === 'string' ? result : codeText(result.code))
  }
  const ask = (confirmable = true) => {
    requester.send({ confirmable, code: GET }, done)
    const sent = peer.take()
    return (sent[0] ?? '').slice(4, 8)
  }
  return { peer, requester, results, ask }
}

test('a piggybacked response ends request and repetition', () => {
  const { peer, requester, results, ask } = start()
  const id = ask()
  peer.receive(`64 45 ${id} 01010101`)
  assert.deepEqual(results, ['2.05'])
  peer.advance(200_000)
  assert.deepEqual([peer.take(), results.length, requester.pending], [[], 1, 0])
})

test('a separate response is acknowledged, also when it comes twice', () => {
  const { peer, results, ask } = start()
  const id = ask()
  peer.receive(`60 00 ${id}`)
  peer.advance(10_000)
  assert.deepEqual(peer.take(), [], 'acknowledged: not repeated')
  peer.receive('44 45 5555 01010101')
  peer.receive('44 45 5555 01010101')
  assert.deepEqual([results, peer.take()], [['2.05'], ['60005555', '60005555']])
})

test('a response says that the request arrived, though its acknowledgement was lost', () => {
  const { peer, results, ask } = start()
  ask()
  peer.receive('44 45 5555 01010101')
  assert.deepEqual([results, peer.take()], [['2.05'], ['60005555']])
  peer.advance(200_000)
  assert.deepEqual(peer.take(), [])
})

test('no answer is a timeout, whether acknowledged or not', () => {
  const lost = start()
  lost.ask()
  lost.peer.advance(93_000)
  assert.deepEqual(lost.results, ['timeout'])
  const slow = start()
  slow.peer.receive(`60 00 ${slow.ask()}`)
  slow.peer.advance(93_000)
  assert.deepEqual(slow.results, ['timeout'])
  const non = start()
  non.ask(false)
  non.peer.advance(93_000)
  assert.deepEqual([non.results, non.peer.take()], [['timeout'], []])
})

test('a reset fails the request', () => {
  for (const confirmable of [true, false]) {
    const { peer, results, ask } = start()
    const id = ask(confirmable)
    peer.receive(`70 00 ${id}`)
    assert.deepEqual(results, ['reset'])
  }
})

test('a response with another token is not taken', () => {
  const { peer, results, ask } = start()
  ask()
  peer.receive('44 45 5555 01010102')
  assert.deepEqual([results, peer.take()], [[], ['70005555']])
})

test('requests wait for each other, each with its whole time', () => {
  const { peer, requester } = start()
  const results: string[] = []
  const done = (result: CoapMessage | RequestFailure) => results.push(typeof result === 'string' ? result : codeText(result.code))
  for (let i = 0; i < 2; i++) requester.send({ confirmable: true, code: GET }, done)
  assert.equal(peer.take().length, 1)
  peer.advance(40_000)
  const [last = ''] = peer.take().slice(-1)
  peer.receive(`64 45 ${last.slice(4, 8)} 01010101`)
  assert.equal(peer.take().length, 1)
  peer.advance(61_999)
  assert.deepEqual(results, ['2.05'], 'the second has waited, but its time began when it was sent')
  peer.advance(1)
  assert.deepEqual(results, ['2.05', 'timeout'])
})

test('closing ends every request', () => {
  const { peer, requester, results, ask } = start()
  ask()
  requester.close()
  assert.deepEqual([results, requester.pending], [['cancelled'], 0])
  peer.advance(100_000)
  assert.deepEqual(peer.take(), [])
})

test('a peer that does not respond is probed at PROBING_RATE', () => {
  const { peer, results, ask } = start()
  for (let i = 0; i < 3; i++) assert.equal(ask(false).length, 4, 'it may be about to respond')
  peer.advance(2000)
  assert.equal(ask(false), '', '24 bytes went out, so it is the turn of the next after 24 s')
  assert.deepEqual(results, ['congested'])
  peer.advance(21_900)
  assert.equal(ask(false), '')
  peer.advance(100)
  assert.equal(ask(false).length, 4)
  peer.receive('54 45 5555 01010101')
  assert.equal(results.at(-1), '2.05')
  for (let i = 0; i < 3; i++) assert.equal(ask(false).length, 4, 'it responds')
})
