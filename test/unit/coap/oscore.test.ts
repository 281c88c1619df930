/** OSCORE with the vectors of RFC 8613, appendix C. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMalformed } from '#sdk'
import { CONTENT, codeText, NOT_FOUND } from '#stacks/coap/codes'
import { type CoapMessage, parse, serialize } from '#stacks/coap/message'
import { OBSERVE, OSCORE, uintOption } from '#stacks/coap/options'
import { AEAD_ALGORITHMS, type AeadName } from '#stacks/coap/oscore/algorithms'
import { type ContextInput, encodeSequence, SecurityContext } from '#stacks/coap/oscore/context'
import { deriveKey } from '#stacks/coap/oscore/key-derivation'
import { decodeOscoreHeader, encodeOscoreHeader } from '#stacks/coap/oscore/option'
import { protectRequest, protectResponse, unprotectRequest, unprotectResponse } from '#stacks/coap/oscore/protection'
import { ReplayWindow } from '#stacks/coap/oscore/replay-window'
import { systemCrypto } from '../../../src/runtime/crypto.ts'

function bytes(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits, 'hex'))
}

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex')
}

function message(digits: string): CoapMessage {
  const parsed = parse(bytes(digits))
  return isMalformed(parsed) ? assert.fail(parsed.malformed) : parsed
}

const masterSecret = bytes('0102030405060708090a0b0c0d0e0f10')
const masterSalt = bytes('9e7ca92223786340')

/** Appendix C.1 to C.3, as the client has it; the server's has the ids the other way round. */
const C1 = { masterSecret, masterSalt, senderId: bytes(''), recipientId: bytes('01') }
const C2 = { masterSecret, senderId: bytes('00'), recipientId: bytes('01') }
const C3 = { masterSecret, masterSalt, senderId: bytes(''), recipientId: bytes('01'), idContext: bytes('37cbf3210017a2d3') }

function context(input: ContextInput): SecurityContext {
  return new SecurityContext(input, systemCrypto)
}

function otherSide(input: ContextInput): SecurityContext {
  return context({ ...input, senderId: input.recipientId, recipientId: input.senderId })
}

test('keys and Common IV are derived as in appendix C.1 to C.3', () => {
  for (const [input, senderKey, recipientKey, commonIv] of [
    [C1, 'f0910ed7295e6ad4b54fc793154302ff', 'ffb14e093c94c9cac9471648b4f98710', '4622d4dd6d944168eefb54987c'],
    [C2, '321b26943253c7ffb6003b0b64d74041', 'e57b5635815177cd679ab4bcec9d7dda', 'be35ae297d2dace910c52e99f9'],
    [C3, 'af2a1300a5e95788b356336eeecd2b92', 'e39a0c7c77b43f03b4b39ab9a268699f', '2ca58fb85ff1b81c0b7181b85e'],
  ] as const) {
    const derived = context(input)
    assert.deepEqual(
      [hex(derived.senderKey), hex(derived.recipientKey), hex(derived.commonIv)],
      [senderKey, recipientKey, commonIv],
    )
  }
})

/** Appendix C.4 to C.6: the sequence number is 20 each time. */
const REQUESTS = [
  [
    'C.4',
    C1,
    '44015d1f00003974396c6f63616c686f737483747631',
    '44025d1f00003974396c6f63616c686f7374620914ff612f1092f1776f1c1668b3825e',
  ],
  [
    'C.5',
    C2,
    '440171c30000b932396c6f63616c686f737483747631',
    '440271c30000b932396c6f63616c686f737463091400ff4ed339a5a379b0b8bc731fffb0',
  ],
  [
    'C.6',
    C3,
    '44012f8eef9bbf7a396c6f63616c686f737483747631',
    '44022f8eef9bbf7a396c6f63616c686f73746b19140837cbf3210017a2d3ff72cd7273fd331ac45cffbe55c3',
  ],
] as const

for (const [name, input, plain, sealed] of REQUESTS) {
  test(`a request is protected and verified as in appendix ${name}`, () => {
    const request = message(plain)
    const { code, options, payload } = request
    const made = protectRequest(context({ ...input, nextSequence: 20 }), { code, options: options.list(), payload })
    const outer = made?.message ?? assert.fail()
    assert.equal(hex(serialize(request.type, outer.code, request.messageId, request.token, outer.options, outer.payload)), sealed)
    const server = otherSide(input)
    const opened = unprotectRequest(message(sealed), (kid, kidContext) => {
      assert.deepEqual(
        [hex(kid), kidContext && hex(kidContext)],
        [hex(input.senderId), 'idContext' in input ? hex(input.idContext) : undefined],
      )
      return server
    })
    if ('refused' in opened) assert.fail('refused')
    assert.deepEqual([opened.request.code, opened.request.options.texts(11), opened.request.payload.length], [1, ['tv1'], 0])
  })
}

const HELLO = '64455d1f00003974ff48656c6c6f20576f726c6421'
const ANSWERS = [
  ['C.7, with the nonce of the request', false, '64445d1f0000397490ffdbaad1e9a7e7b2a813d3c31524378303cdafae119106'],
  ['C.8, with a nonce of its own', true, '64445d1f00003974920100ff4d4c13669384b67354b2b6175ff4b8658c666a6cf88e'],
] as const

for (const [name, isAnswered, sealed] of ANSWERS) {
  test(`a response is protected and verified as in appendix ${name}`, () => {
    const binding = (side: SecurityContext) => ({
      context: side,
      kid: C1.senderId,
      partialIv: bytes('14'),
      isAnswered,
      isObservable: false,
    })
    const hello = message(HELLO)
    const answer = protectResponse(binding(otherSide(C1)), { code: CONTENT, payload: hello.payload }) ?? assert.fail()
    assert.equal(hex(serialize(2, answer.code, hello.messageId, hello.token, answer.options, answer.payload)), sealed)
    const opened = unprotectResponse(binding(context(C1)), message(sealed)) ?? assert.fail()
    assert.deepEqual([opened.code, new TextDecoder().decode(opened.payload)], [CONTENT, 'Hello World!'])
  })
}

test('what is replayed, forged or not understood is refused as section 8.2 says', () => {
  const [, input, , sealed] = REQUESTS[0]
  const server = otherSide(input)
  const open = (digits: string, find = (): SecurityContext | undefined => server) => {
    const opened = unprotectRequest(message(digits), find)
    return 'refused' in opened ? [opened.refused.code, new TextDecoder().decode(opened.refused.payload)] : 'opened'
  }
  assert.deepEqual(open(sealed.replace(/5e$/, '5f')), [0x80, 'Decryption failed'])
  assert.equal(open(sealed), 'opened', 'a forgery uses up nothing')
  assert.deepEqual(open(sealed), [0x81, 'Replay detected'])
  assert.deepEqual(
    open(sealed, () => undefined),
    [0x81, 'Security context not found'],
  )
  assert.deepEqual(open('40020001920914ff612f1092f1776f1c'), [0x82, 'Failed to decode COSE'], 'too short')
  assert.deepEqual(open('4002000190ff612f1092f1776f1c1668b3825e'), [0x82, 'Failed to decode COSE'], 'no key id')
  assert.deepEqual(open('4002000192e914ff612f1092f1776f1c1668b3825e'), [0x82, 'Failed to decode COSE'], 'reserved flags')
})

test('a response to another request is not genuine', () => {
  const server = otherSide(C1)
  const binding = (partialIv: string, side: SecurityContext) => ({
    context: side,
    kid: C1.senderId,
    partialIv: bytes(partialIv),
    isAnswered: true,
    isObservable: false,
  })
  const answer = protectResponse(binding('14', server), { code: CONTENT }) ?? assert.fail()
  const outer = message(hex(serialize(2, answer.code, 1, 't', answer.options, answer.payload)))
  assert.notEqual(unprotectResponse(binding('14', context(C1)), outer), undefined)
  assert.equal(unprotectResponse(binding('15', context(C1)), outer), undefined)
})

test('option values go around, and what is no value is undefined', () => {
  for (const header of [
    { partialIv: undefined, kidContext: undefined, kid: undefined },
    { partialIv: bytes('14'), kidContext: undefined, kid: bytes('') },
    { partialIv: bytes('0102030405'), kidContext: bytes('aabb'), kid: bytes('01') },
    { partialIv: bytes('00'), kidContext: bytes(''), kid: undefined },
  ]) {
    assert.deepEqual(decodeOscoreHeader(encodeOscoreHeader(header)), header)
  }
  for (const value of ['00', '06010203040506', '0114ff', '02', '2114', '11', '11140201']) {
    assert.equal(decodeOscoreHeader(bytes(value)), undefined, value)
  }
})

test('the replay window holds 32 numbers, in any order, each once', () => {
  const window = new ReplayWindow()
  const take = (sequence: number): boolean => {
    const isNew = window.permits(sequence)
    if (isNew) window.add(sequence)
    return isNew
  }
  assert.deepEqual([5, 3, 5, 3, 4, 36, 5, 6, 35, 4, 1000, 36, 969, 968].map(take), [
    true,
    true,
    false,
    false,
    true,
    true,
    false,
    true,
    true,
    false,
    true,
    false,
    true,
    false,
  ])
})

test('sequence numbers are written without leading zeros, and end', () => {
  assert.deepEqual(
    [0, 255, 256, 2 ** 32, 2 ** 40 - 1].map((sequence) => hex(encodeSequence(sequence))),
    ['00', 'ff', '0100', '0100000000', 'ffffffffff'],
  )
  const last = context({ ...C1, nextSequence: 2 ** 40 - 1 })
  assert.notEqual(protectRequest(last, { code: 1 }), undefined)
  assert.equal(protectRequest(last, { code: 1 }), undefined)
  assert.equal(last.nextSequence, 2 ** 40)
})

test('ids that are equal or too long make no context', () => {
  assert.throws(() => context({ ...C1, recipientId: bytes('') }), RangeError)
  assert.throws(() => context({ ...C1, senderId: bytes('0102030405060708') }), RangeError)
  assert.equal(OSCORE, 9)
})

test('keys are derived by HKDF as in RFC 5869 A.1 and A.3', () => {
  const secret = bytes('0b'.repeat(22))
  assert.equal(
    hex(deriveKey(systemCrypto, secret, bytes('000102030405060708090a0b0c'), bytes('f0f1f2f3f4f5f6f7f8f9'), 32)),
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf',
  )
  assert.equal(
    hex(deriveKey(systemCrypto, secret, bytes(''), bytes(''), 32)),
    '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d',
  )
  assert.throws(() => deriveKey(systemCrypto, secret, bytes(''), bytes(''), 33), RangeError)
})

for (const algorithm of Object.keys(AEAD_ALGORITHMS) as AeadName[]) {
  test(`${algorithm} protects request and response, and no other algorithm opens them`, () => {
    const input = { ...C1, algorithm }
    const server = otherSide(input)
    const made = protectRequest(context(input), { code: 1, payload: bytes('2a') }) ?? assert.fail()
    const outer = message(hex(serialize(0, made.message.code, 1, 't', made.message.options, made.message.payload)))
    const opened = unprotectRequest(outer, () => server)
    if ('refused' in opened) assert.fail('refused')
    assert.equal(hex(opened.request.payload), '2a')
    const answer = protectResponse(opened.binding, { code: CONTENT, payload: bytes('2b') }) ?? assert.fail()
    const back = message(hex(serialize(2, answer.code, 1, 't', answer.options, answer.payload)))
    assert.equal(hex(unprotectResponse(made.binding, back)?.payload ?? assert.fail()), '2b')
    const other: AeadName = algorithm === 'A256GCM' ? 'A128GCM' : 'A256GCM'
    assert.ok('refused' in unprotectRequest(outer, () => otherSide({ ...C1, algorithm: other })))
  })
}

for (const isObservable of [true, false]) {
  test(`notifications, ${isObservable ? 'for proxies to see' : 'with nothing to see'}, have Partial IVs that grow and say their number outside alone`, () => {
    const binding = { context: otherSide(C1), kid: C1.senderId, partialIv: bytes('14'), isAnswered: false, isObservable }
    const client = { ...binding, context: context(C1) }
    const seen = [7, 8, undefined].map((number, i) => {
      const code = number === undefined ? NOT_FOUND : CONTENT
      const options = number === undefined ? [] : [uintOption(OBSERVE, number)]
      const { code: outerCode, options: outerOptions, payload } = protectResponse(binding, { code, options }) ?? assert.fail()
      const outer = message(hex(serialize(1, outerCode, i, 't', outerOptions, payload)))
      const inner = unprotectResponse(client, outer) ?? assert.fail()
      const { partialIv } = decodeOscoreHeader(outer.options.opaque(OSCORE) ?? assert.fail()) ?? assert.fail()
      return [
        codeText(outer.code),
        outer.options.uint(OBSERVE),
        hex(partialIv ?? assert.fail()),
        codeText(inner.code),
        inner.options.uint(OBSERVE),
      ]
    })
    assert.deepEqual(seen, [
      [isObservable ? '2.05' : '2.04', isObservable ? 7 : undefined, '00', '2.05', 0],
      [isObservable ? '2.05' : '2.04', isObservable ? 8 : undefined, '01', '2.05', 0],
      ['2.04', undefined, '02', '4.04', undefined],
    ])
  })
}

test('sequence numbers are reserved before they are used, many at a time', () => {
  const reserved: number[] = []
  const sender = context({ ...C1, nextSequence: 5000, reserve: (end) => reserved.push(end) })
  for (let i = 0; i < 1024; i++) sender.nextPartialIv()
  assert.deepEqual(reserved, [6024])
  sender.nextPartialIv()
  assert.deepEqual(reserved, [6024, 7048])
  const last = context({ ...C1, nextSequence: 2 ** 40 - 1, reserve: (end) => reserved.push(end) })
  last.nextPartialIv()
  assert.equal(reserved.at(-1), 2 ** 40)
})

test('a window that was lost begins anew at the message that is known to be fresh', () => {
  const window = new ReplayWindow('lost')
  assert.ok(window.isLost && window.permits(3))
  window.restart(40)
  assert.deepEqual(
    [39, 40, 41].map((sequence) => window.permits(sequence)),
    [false, false, true],
  )
  window.add(41)
  const restored = new ReplayWindow(window.state)
  assert.deepEqual([restored.isLost, ...[39, 41, 42].map((sequence) => restored.permits(sequence))], [false, false, false, true])
})
