/** The message layer: RFC 7252 section 4, and 5.2 as a server. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CHANGED, CON, CONTENT } from '#stacks/coap/codes'
import { serialize } from '#stacks/coap/message'
import { DEFAULT_PARAMETERS, deriveTimes } from '#stacks/coap/parameters'
import type { Confirmable, TransmissionOutcome } from '#stacks/coap/transmission'
import { FakePeer } from './fake-peer.ts'

class Sample implements Confirmable {
  outcome: TransmissionOutcome | undefined = undefined
  encodings = 0

  encode(messageId: number): Uint8Array {
    this.encodings++
    return serialize(CON, CONTENT, messageId, 't')
  }

  settled(outcome: TransmissionOutcome): void {
    assert.equal(this.outcome, undefined, 'settled once')
    this.outcome = outcome
  }
}

function messageIds(peer: FakePeer): number[] {
  return peer.take().map((datagram) => Number.parseInt(datagram.slice(4, 8), 16))
}

test('the derived times are those of the standard', () => {
  assert.deepEqual(deriveTimes(DEFAULT_PARAMETERS), {
    maxTransmitSpanMs: 45_000,
    maxTransmitWaitMs: 93_000,
    processingDelayMs: 2000,
    exchangeLifetimeMs: 247_000,
    nonLifetimeMs: 145_000,
  })
  assert.equal(deriveTimes({ ...DEFAULT_PARAMETERS, ackTimeoutMs: 1000 }).exchangeLifetimeMs, 223_500)
})

test('a request that is answered at once gets a piggybacked response', () => {
  const peer = new FakePeer()
  peer.handle = (exchange) => exchange.respond({ code: CHANGED })
  peer.receive('42 02 12 34 0102')
  assert.deepEqual(peer.take(), ['624412340102'])
  assert.equal(peer.armed, false, 'nothing is left to do')
})

test('a slow answer is acknowledged first and sent separately, until acknowledged', () => {
  const peer = new FakePeer()
  peer.receive('41 01 12 34 aa')
  assert.deepEqual(peer.take(), [])
  peer.advance(1000)
  assert.deepEqual(peer.take(), ['60001234'])
  peer.receive('41 01 12 34 aa')
  assert.deepEqual(peer.take(), ['60001234'], 'the repetition gets the acknowledgement')
  peer.requests[0]?.exchange.respond({ code: CONTENT })
  const [separate = ''] = peer.take()
  assert.equal(separate.slice(0, 4), '4145')
  peer.advance(2000)
  assert.deepEqual(peer.take(), [separate])
  peer.receive(`6000${separate.slice(4, 8)}`)
  peer.advance(100_000)
  assert.deepEqual(peer.take(), [])
})

test('an answer counts once', () => {
  const peer = new FakePeer()
  peer.receive('40 01 00 01')
  const { exchange } = peer.requests[0] ?? assert.fail()
  exchange.respond({ code: CONTENT })
  exchange.respond({ code: CHANGED })
  exchange.acknowledge()
  assert.deepEqual(peer.take(), ['60450001'])
})

test('a duplicate gets the same answer without being processed again', () => {
  const peer = new FakePeer()
  peer.handle = (exchange) => exchange.respond({ code: CHANGED })
  peer.receive('40 02 00 07')
  peer.advance(246_000)
  peer.receive('40 02 00 07')
  assert.deepEqual(peer.take(), ['60440007', '60440007'])
  assert.equal(peer.requests.length, 1)
  peer.advance(1000)
  peer.receive('40 02 00 07')
  assert.equal(peer.requests.length, 2, 'EXCHANGE_LIFETIME is over')
})

test('a duplicate of a NON is ignored for NON_LIFETIME', () => {
  const peer = new FakePeer()
  peer.handle = (exchange) => exchange.respond({ code: CHANGED })
  peer.receive('50 02 00 07')
  peer.advance(144_000)
  peer.receive('50 02 00 07')
  assert.equal(peer.take().length, 1)
  peer.advance(1000)
  peer.receive('50 02 00 07')
  assert.equal(peer.requests.length, 2)
})

test('deduplication is bounded by number and by bytes: the oldest are forgotten', () => {
  const byNumber = new FakePeer({ maxExchanges: 16 })
  byNumber.handle = (exchange) => exchange.respond({ code: CHANGED })
  for (let id = 0; id < 100; id++) byNumber.receive(`40 02 00 ${id.toString(16).padStart(2, '0')}`)
  byNumber.receive('40 02 00 63')
  assert.equal(byNumber.requests.length, 100, 'the latest is known')
  byNumber.receive('40 02 00 00')
  assert.equal(byNumber.requests.length, 101, 'the oldest is not')
  const byBytes = new FakePeer({ maxReplyBytes: 1000 })
  byBytes.handle = (exchange) => exchange.respond({ code: CONTENT, payload: new Uint8Array(300) })
  for (let id = 0; id < 4; id++) byBytes.receive(`40 01 00 0${id}`)
  byBytes.receive('40 01 00 03')
  assert.equal(byBytes.requests.length, 4)
  byBytes.receive('40 01 00 00')
  assert.equal(byBytes.requests.length, 5)
})

test('a confirmable is sent again at doubling intervals, five times in all, then given up', () => {
  const peer = new FakePeer()
  const sample = new Sample()
  peer.endpoint.sendConfirmable(sample)
  const [first] = peer.take()
  for (const wait of [2000, 4000, 8000, 16_000]) {
    peer.advance(wait - 1)
    assert.deepEqual(peer.take(), [])
    peer.advance(1)
    assert.deepEqual(peer.take(), [first])
  }
  peer.advance(31_999)
  assert.equal(sample.outcome, undefined)
  peer.advance(1)
  assert.deepEqual([sample.outcome, sample.encodings], ['timeout', 1])
  assert.deepEqual(peer.take(), [])
  assert.equal(peer.endpoint.unsettled, 0)
})

test('the first timeout is random between ACK_TIMEOUT and one and a half of it', () => {
  const peer = new FakePeer()
  peer.randomByte = 0xff
  peer.endpoint.sendConfirmable(new Sample())
  peer.take()
  peer.advance(2999)
  assert.deepEqual(peer.take(), [])
  peer.advance(1)
  assert.equal(peer.take().length, 1)
  peer.advance(5999)
  assert.deepEqual(peer.take(), [])
  peer.advance(1)
  assert.equal(peer.take().length, 1)
})

test('an acknowledgement or a reset with the right message id ends the repetition; others change nothing', () => {
  for (const [type, outcome] of [
    ['60', 'acknowledged'],
    ['70', 'reset'],
  ] as const) {
    const peer = new FakePeer()
    const sample = new Sample()
    peer.endpoint.sendConfirmable(sample)
    const [id = 0] = messageIds(peer)
    peer.receive(`${type}00${((id + 1) & 0xffff).toString(16).padStart(4, '0')}`)
    assert.equal(sample.outcome, undefined)
    peer.receive(`${type}00${id.toString(16).padStart(4, '0')}`)
    assert.equal(sample.outcome, outcome)
    peer.advance(100_000)
    assert.deepEqual(peer.take(), [])
  }
})

test('NSTART: the next confirmable waits for the one before', () => {
  const peer = new FakePeer()
  const samples = [new Sample(), new Sample(), new Sample()]
  for (const sample of samples) peer.endpoint.sendConfirmable(sample)
  for (const sample of samples) {
    const ids = messageIds(peer)
    assert.equal(ids.length, 1)
    peer.receive(`6000${(ids[0] ?? 0).toString(16).padStart(4, '0')}`)
    assert.equal(sample.outcome, 'acknowledged')
  }
  const two = new FakePeer({ parameters: { ...DEFAULT_PARAMETERS, nstart: 2 } })
  for (const sample of [new Sample(), new Sample(), new Sample()]) two.endpoint.sendConfirmable(sample)
  assert.equal(two.take().length, 2)
})

test('an unreachable peer fails everything that waits for it', () => {
  const peer = new FakePeer()
  const samples = [new Sample(), new Sample()]
  for (const sample of samples) peer.endpoint.sendConfirmable(sample)
  peer.advance(93_000)
  assert.deepEqual(
    samples.map(({ outcome, encodings }) => [outcome, encodings]),
    [
      ['timeout', 1],
      ['timeout', 0],
    ],
  )
  assert.equal(peer.counts.get('unreachable'), 1)
  const next = new Sample()
  peer.endpoint.sendConfirmable(next)
  assert.equal(next.encodings, 1, 'a later message is tried again')
})

test('the queue is bounded', () => {
  const peer = new FakePeer({ maxWaiting: 2 })
  for (let i = 0; i < 3; i++) assert.notEqual(peer.endpoint.sendConfirmable(new Sample()), undefined)
  assert.equal(peer.endpoint.sendConfirmable(new Sample()), undefined)
})

test('cancelling stops the repetition and lets the next go', () => {
  const peer = new FakePeer()
  const [first, second] = [new Sample(), new Sample()]
  const transmission = peer.endpoint.sendConfirmable(first) ?? assert.fail()
  const waiting = peer.endpoint.sendConfirmable(second) ?? assert.fail()
  peer.take()
  peer.endpoint.cancel(transmission)
  assert.deepEqual([first.outcome, peer.take().length], ['cancelled', 1])
  peer.endpoint.cancel(transmission)
  peer.endpoint.cancel(waiting)
  assert.equal(second.outcome, 'cancelled')
  peer.advance(100_000)
  assert.deepEqual(peer.take(), [])
})

test('message ids are consecutive, begin anywhere, and skip what is still outstanding', () => {
  const peer = new FakePeer()
  assert.equal(peer.endpoint.nextMessageId(), 1)
  peer.endpoint.sendConfirmable(new Sample())
  for (let id = 3; id <= 0xffff; id++) assert.equal(peer.endpoint.nextMessageId(), id)
  assert.deepEqual(
    [0, 1, 3].map(() => peer.endpoint.nextMessageId()),
    [0, 1, 3],
  )
  const elsewhere = new FakePeer({}, 0x11)
  assert.equal(elsewhere.endpoint.nextMessageId(), 0x1112)
})

test('a reset of a non-confirmable message is noticed while it is remembered', () => {
  const peer = new FakePeer({ maxResettable: 2 })
  const rejected: number[] = []
  const ids = [0, 1, 2].map((n) => {
    let id = -1
    peer.endpoint.sendNonConfirmable(
      (messageId) => {
        id = messageId
        return serialize(1, CONTENT, messageId, 't')
      },
      { rejected: () => rejected.push(n) },
    )
    return id
  })
  for (const id of ids) peer.receive(`7000${id.toString(16).padStart(4, '0')}`)
  assert.deepEqual(rejected, [1, 2])
  assert.equal(peer.counts.get('unmatched-reset'), 1)
})

test('a ping is answered with a reset', () => {
  const peer = new FakePeer()
  peer.receive('40 00 00 01')
  assert.deepEqual([peer.take(), peer.alive], [['70000001'], 1])
})

test('malformed input is reported once, and rejected when it was confirmable', () => {
  const peer = new FakePeer()
  peer.receive('49 01 00 01')
  peer.receive('59 01 00 01')
  peer.receive('c0 01 00 01')
  assert.deepEqual(peer.take(), ['70000001'])
  assert.deepEqual(peer.malformed, ['token-length', 'token-length', 'bad-version'])
})

test('a response nobody waits for is rejected when confirmable, every time', () => {
  const peer = new FakePeer()
  peer.receive('40 45 00 09')
  peer.receive('40 45 00 09')
  peer.receive('50 45 00 0a')
  assert.deepEqual(peer.take(), ['70000009', '70000009'])
  assert.deepEqual([peer.counts.get('unmatched-response'), peer.counts.get('duplicate')], [2, 1])
})

test('closing cancels what is unsettled and leaves no timer', () => {
  const peer = new FakePeer()
  const samples = [new Sample(), new Sample()]
  for (const sample of samples) peer.endpoint.sendConfirmable(sample)
  peer.receive('40 01 00 01')
  peer.endpoint.close()
  assert.deepEqual(
    samples.map(({ outcome }) => outcome),
    ['cancelled', 'cancelled'],
  )
  assert.equal(peer.armed, false)
})

test('an endpoint is quiet when nothing can come any more', () => {
  const peer = new FakePeer()
  assert.equal(peer.endpoint.isQuiet(), true)
  peer.handle = (exchange) => exchange.respond({ code: CHANGED })
  peer.receive('40 01 00 01')
  assert.equal(peer.endpoint.isQuiet(), false)
  peer.advance(247_000)
  assert.equal(peer.endpoint.isQuiet(), true)
})

test('what is packed is recalled: repetitions get what they got before, and message ids go on', () => {
  const before = new FakePeer()
  before.handle = (exchange) => exchange.respond({ code: CHANGED, payload: Uint8Array.of(0, 0xff) })
  before.receive('42 01 00 01 ab cd')
  before.receive('50 01 00 02')
  before.handle = (exchange) => exchange.respond({ code: CHANGED })
  before.receive('40 02 00 03')
  const [answer, non, bare] = before.take()
  const after = new FakePeer()
  const packed = before.endpoint.pack()
  assert.ok(packed !== undefined)
  after.endpoint.recall(packed)
  assert.equal(after.endpoint.pack(), packed)
  for (const repeated of ['42 01 00 01 ab cd', '50 01 00 02', '40 02 00 03']) after.receive(repeated)
  assert.deepEqual(after.take(), [answer, bare])
  assert.deepEqual(after.requests, [])
  after.endpoint.sendNonConfirmable((messageId) => Uint8Array.of(0x50, 0x45, messageId >> 8, messageId))
  const next = (Number.parseInt(non?.slice(4, 8) ?? '', 16) + 1) & 0xffff
  assert.equal(after.take()[0]?.slice(4, 8), next.toString(16).padStart(4, '0'))
  after.advance(247_000)
  assert.equal(after.endpoint.pack()?.length, 2)
})

test('nothing is packed while something is under way', () => {
  const open = new FakePeer()
  open.receive('40 01 00 01')
  const sending = new FakePeer()
  sending.endpoint.sendConfirmable(new Sample())
  const rejectable = new FakePeer()
  rejectable.endpoint.sendNonConfirmable((messageId) => Uint8Array.of(0x50, 0x45, messageId >> 8, messageId), { rejected() {} })
  for (const { endpoint } of [open, sending, rejectable]) assert.equal(endpoint.pack(), undefined)
  rejectable.advance(200_000)
  assert.equal(rejectable.endpoint.pack()?.length, 2)
})

test('a busy peer is not packed before its requests are forgotten', () => {
  const busy = new FakePeer()
  busy.handle = (exchange) => exchange.respond({ code: CHANGED })
  for (let id = 0; id < 17; id++) busy.receive(`40 02 00 ${id.toString(16).padStart(2, '0')}`)
  assert.equal(busy.endpoint.pack(), undefined)
  busy.advance(247_000)
  assert.equal(busy.endpoint.pack()?.length, 2)
})

test('a clock that is set back does not stop the repetition', () => {
  const peer = new FakePeer()
  const sample = new Sample()
  peer.endpoint.sendConfirmable(sample)
  peer.take()
  peer.jump(-3_600_000)
  peer.advance(2000)
  assert.equal(peer.take().length, 1)
  peer.advance(100_000)
  assert.equal(sample.outcome, 'timeout')
})
