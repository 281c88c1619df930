/** Observation, the server's half: RFC 7641 sections 3.4, 4.4, 4.5. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONTENT, NOT_FOUND } from '#stacks/coap/codes'
import type { Response } from '#stacks/coap/exchange'
import { type CoapMessage, parse } from '#stacks/coap/message'
import { isNewer, type Notification, type NotificationOutcome, nextSequence, Observation } from '#stacks/coap/observe'
import { OBSERVE } from '#stacks/coap/options'
import { FakePeer } from './fake-peer.ts'

const HOUR_MS = 3_600_000

class Sample implements Notification {
  readonly confirmable: boolean
  readonly text: string
  outcome: NotificationOutcome | undefined = undefined
  sent: (() => void) | undefined = undefined
  readonly slow: boolean

  constructor(text: string, confirmable: boolean, slow = false) {
    this.text = text
    this.confirmable = confirmable
    this.slow = slow
  }

  render(sent: () => void): Response {
    if (this.slow) this.sent = sent
    else sent()
    return { code: CONTENT, payload: new TextEncoder().encode(this.text) }
  }

  settled(outcome: NotificationOutcome): void {
    assert.equal(this.outcome, undefined, 'settled once')
    this.outcome = outcome
  }
}

function ownerOf({ endpoint }: FakePeer, ends: string[] = []) {
  const observationEnded = (reason: string): void => void ends.push(reason)
  return { token: 'tk', endpoint, confirmAfterMs: HOUR_MS, confirmEvery: Number.POSITIVE_INFINITY, observationEnded }
}

function start() {
  const peer = new FakePeer()
  const ends: string[] = []
  const place = ownerOf(peer, ends)
  const observation = new Observation(place)
  observation.start()
  return { peer, ends, observation, place }
}

function take(peer: FakePeer): { text: string; confirmable: boolean; id: string; message: CoapMessage }[] {
  return peer.takeBytes().map((bytes) => {
    const message = parse(bytes) as CoapMessage
    assert.equal(message.token, 'tk')
    return {
      text: new TextDecoder().decode(message.payload),
      confirmable: message.type === 0,
      id: Buffer.from(bytes.subarray(2, 4)).toString('hex'),
      message,
    }
  })
}

test('the sequence grows, follows the clock, and wraps at 2^24', () => {
  let last = 0
  const next = (now: number) => {
    last = nextSequence(last, now)
    return last
  }
  const base = 2 ** 24 * 1000
  assert.deepEqual(
    [base + 5, base + 5, base + 5, base + 100].map((now) => next(now)),
    [5, 6, 7, 100],
  )
  assert.deepEqual(
    [base + 2 ** 23, 2 ** 24 * 1001 - 1, 2 ** 24 * 1001 - 1].map((now) => next(now)),
    [2 ** 23, 2 ** 24 - 1, 0],
  )
  assert.deepEqual([next(base - 60_000), next(base - 60_000)], [1, 2], 'a clock that is set back does not matter')
})

test('newer is decided modulo 2^24, and by age', () => {
  assert.equal(isNewer(1, 0, 2, 0), true)
  assert.equal(isNewer(2, 0, 1, 0), false)
  assert.equal(isNewer(1, 0, 1, 0), false)
  assert.equal(isNewer(2 ** 24 - 1, 0, 0, 0), true)
  assert.equal(isNewer(0, 0, 2 ** 24 - 1, 0), false)
  assert.equal(isNewer(0, 0, 2 ** 23, 0), false)
  assert.equal(isNewer(2, 0, 1, 128_001), true)
})

test('nothing is sent before the registration was answered', () => {
  const peer = new FakePeer()
  const observation = new Observation(ownerOf(peer))
  observation.offer(new Sample('1', false))
  assert.deepEqual(peer.take(), [])
  observation.start()
  assert.equal(take(peer).length, 1)
})

test('one confirmable is outstanding, the rest keeps its order, and sequences are given when sent', () => {
  const { peer, observation } = start()
  const samples = [new Sample('1', true), new Sample('2', false), new Sample('3', true)]
  for (const sample of samples) observation.offer(sample)
  const [first] = take(peer)
  assert.deepEqual([first?.text, first?.confirmable], ['1', true])
  peer.receive(`6000${first?.id}`)
  const rest = take(peer)
  assert.deepEqual(
    rest.map(({ text, confirmable }) => [text, confirmable]),
    [
      ['2', false],
      ['3', true],
    ],
  )
  const sequences = [first, ...rest].map((got) => got?.message.options.uint(OBSERVE) ?? -1)
  assert.deepEqual(
    sequences,
    [...sequences].sort((a, b) => a - b),
  )
  assert.deepEqual(
    samples.map(({ outcome }) => outcome),
    ['acknowledged', 'sent', undefined],
  )
})

test('a reset ends it: of a confirmable, of a non-confirmable', () => {
  for (const confirmable of [true, false]) {
    const { peer, ends, observation } = start()
    observation.offer(new Sample('1', confirmable))
    const late = new Sample('2', true)
    if (confirmable) observation.offer(late)
    const [first] = take(peer)
    peer.receive(`7000${first?.id}`)
    assert.deepEqual(ends, ['reset'])
    if (confirmable) assert.equal(late.outcome, 'reset')
    const after = new Sample('3', false)
    observation.offer(after)
    assert.deepEqual([after.outcome, take(peer)], ['cancelled', []])
  }
})

test('no acknowledgement ends it, with all that waits', () => {
  const { peer, ends, observation } = start()
  const samples = [new Sample('1', true), new Sample('2', true)]
  for (const sample of samples) observation.offer(sample)
  peer.advance(93_000)
  assert.deepEqual(ends, ['timeout'])
  assert.deepEqual(
    samples.map(({ outcome }) => outcome),
    ['timeout', 'timeout'],
  )
  assert.equal(take(peer).length, 5)
})

test('after a long silence the next notification is confirmable', () => {
  const { peer, observation } = start()
  peer.advance(HOUR_MS)
  const check = new Sample('1', false)
  observation.offer(check)
  const [sent] = take(peer)
  assert.equal(sent?.confirmable, true)
  peer.receive(`6000${sent?.id}`)
  assert.equal(check.outcome, 'acknowledged')
  observation.offer(new Sample('2', false))
  assert.equal(take(peer)[0]?.confirmable, false)
})

test('a notification that takes long holds back the next', () => {
  for (const confirmable of [true, false]) {
    const { peer, observation } = start()
    const large = new Sample('large', confirmable, true)
    observation.offer(large)
    observation.offer(new Sample('next', false))
    const [first] = take(peer)
    if (confirmable) peer.receive(`6000${first?.id}`)
    assert.deepEqual(take(peer), [])
    large.sent?.()
    assert.equal(take(peer)[0]?.text, 'next')
    large.sent?.()
    assert.deepEqual(take(peer), [])
  }
})

test('a move sends again, to the new address, what was not acknowledged', () => {
  const { peer, ends, observation, place } = start()
  const samples = [new Sample('1', true), new Sample('2', true)]
  for (const sample of samples) observation.offer(sample)
  take(peer)
  const elsewhere = new FakePeer()
  place.endpoint = elsewhere.endpoint
  observation.moved()
  const [again] = take(elsewhere)
  assert.equal(again?.text, '1')
  elsewhere.receive(`6000${again?.id}`)
  assert.equal(take(elsewhere)[0]?.text, '2')
  peer.advance(100_000)
  assert.deepEqual([take(peer), ends, samples[0]?.outcome], [[], [], 'acknowledged'])
})

test('a last message carries no Observe, and nothing follows', () => {
  for (const confirmable of [true, false]) {
    const { peer, ends, observation } = start()
    const open = new Sample('1', true)
    observation.offer(open)
    take(peer)
    observation.conclude({ code: NOT_FOUND }, confirmable)
    const [last] = take(peer)
    assert.deepEqual([last?.message.code, last?.confirmable, last?.message.options.has(OBSERVE)], [NOT_FOUND, confirmable, false])
    assert.deepEqual([open.outcome, ends], ['cancelled', []])
    observation.conclude({ code: NOT_FOUND }, confirmable)
    observation.cancel()
    observation.start()
    assert.deepEqual(take(peer), [])
  }
})
