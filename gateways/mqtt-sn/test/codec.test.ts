/** The codec: every message there and back, both forms of the length, and whatever else a datagram may hold. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { isMalformed } from '#sdk'
import { hex, unhex } from '#testing'
import { decode, encode, type Message, MessageType, shortTopicId, shortTopicName } from '../codec/index.ts'
import { vectors } from './vectors.ts'

const all = vectors()

/** The members that `expected` names, octets as hex. */
function pick(message: Message, expected: Readonly<Record<string, unknown>>): unknown {
  const members = message as unknown as Record<string, unknown>
  return Object.fromEntries(
    Object.keys(expected).map((key) => {
      const value = members[key]
      return [key, value instanceof Uint8Array ? hex(value) : value]
    }),
  )
}

for (const { name, kind, hex: digits, expect, canonical } of all) {
  test(`${kind} ${name}`, () => {
    const message = decode(unhex(digits))
    if (isMalformed(message)) {
      assert.equal(kind, 'malformed')
      assert.equal(message.malformed, expect['malformed'])
      return
    }
    assert.equal(kind, 'frame')
    assert.deepEqual(pick(message, expect), expect)
    if (canonical !== false) assert.equal(hex(encode(message)), digits)
    else assert.deepEqual(decode(encode(message)), message)
  })
}

const octet = fc.integer({ min: 0, max: 255 })
const word = fc.integer({ min: 0, max: 65535 })
const bits = fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const)
const qos = fc.constantFrom(-1 as const, 0 as const, 1 as const, 2 as const)
const name = fc.string({ minLength: 1, maxLength: 400, unit: 'grapheme' }).filter((text) => !text.includes('\0'))
const octets = fc.uint8Array({ maxLength: 400 })

function record<T extends Message['type']>(type: T, members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Message> {
  return fc.record({ type: fc.constant(type), ...members }, { noNullPrototype: true }) as unknown as fc.Arbitrary<Message>
}

/** The tail of SUBSCRIBE and UNSUBSCRIBE for each type of topic. */
function topics(members: Record<string, fc.Arbitrary<unknown>>): Record<string, fc.Arbitrary<unknown>>[] {
  return [
    { ...members, topicType: fc.constantFrom(0, 3), topic: name, topicId: fc.constant(0) },
    { ...members, topicType: fc.constant(1), topic: fc.constant(''), topicId: word },
    { ...members, topicType: fc.constant(2), topic: fc.constantFrom('ab', 'é', '/+'), topicId: fc.constant(0) },
  ]
}

const flat: fc.Arbitrary<Message>[] = [
  record('advertise', { gatewayId: octet, duration: word }),
  record('searchgw', { radius: octet }),
  record('gwinfo', { gatewayId: octet, address: octets }),
  record('connect', { will: fc.boolean(), cleanSession: fc.boolean(), protocolId: octet, duration: word, clientId: name }),
  ...(['connack', 'willtopicresp', 'willmsgresp'] as const).map((type) => record(type, { returnCode: octet })),
  ...(['willtopicreq', 'willmsgreq', 'pingresp'] as const).map((type) => record(type, {})),
  ...(['willtopic', 'willtopicupd'] as const).flatMap((type) => [
    record(type, { qos, retain: fc.boolean(), topic: name }),
    fc.constant<Message>({ type, qos: 0, retain: false, topic: undefined }),
  ]),
  ...(['willmsg', 'willmsgupd'] as const).map((type) => record(type, { payload: octets })),
  record('register', { topicId: word, messageId: word, topic: name }),
  ...(['regack', 'puback'] as const).map((type) => record(type, { topicId: word, messageId: word, returnCode: octet })),
  record('publish', {
    dup: fc.boolean(),
    qos,
    retain: fc.boolean(),
    topicType: bits,
    topicId: word,
    messageId: word,
    payload: octets,
  }),
  ...(['pubrec', 'pubrel', 'pubcomp', 'unsuback'] as const).map((type) => record(type, { messageId: word })),
  ...topics({ dup: fc.boolean(), qos, messageId: word }).map((members) => record('subscribe', members)),
  record('suback', { qos, topicId: word, messageId: word, returnCode: octet }),
  ...topics({ messageId: word }).map((members) => record('unsubscribe', members)),
  record('pingreq', { clientId: fc.oneof(fc.constant(''), name) }),
  record('disconnect', { duration: fc.option(word, { nil: undefined }) }),
]

const forwarded = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.uint8Array({ maxLength: 252 }), fc.oneof(...flat))
  .map(([radius, nodeId, inner]): Message => ({ type: 'forwarder', radius, nodeId, message: encode(inner) }))

test('all 28 messages are generated below', () => {
  const types = new Set(fc.sample(fc.oneof(...flat, forwarded), { numRuns: 5000, seed: 7 }).map(({ type }) => type))
  assert.deepEqual([...types].sort(), Object.keys(MessageType).sort())
  assert.equal(types.size, 28)
})

test('property: every message comes back as it was, with either form of the length', () => {
  fc.assert(
    fc.property(fc.oneof(...flat, forwarded), (message) => {
      const bytes = encode(message)
      assert.deepEqual(decode(bytes), message)
      if (message.type === 'forwarder') return
      const isLong = bytes[0] === 1
      assert.equal(isLong, bytes.length > 255, 'the short form wherever it is enough')
      const body = bytes.subarray(isLong ? 3 : 1)
      const long = Uint8Array.of(1, (body.length + 3) >> 8, body.length + 3, ...body)
      assert.deepEqual(decode(long), message)
    }),
    { numRuns: 2000 },
  )
})

test('property: no octets make the codec throw', () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 600 }),
    fc
      .tuple(fc.constantFrom(...all.map((vector) => unhex(vector.hex))), fc.nat(), octet, fc.nat())
      .map(([bytes, at, value, cut]) => {
        const copy = bytes.slice(0, bytes.length - (cut % 3))
        if (copy.length > 0) copy[at % copy.length] = value
        return copy
      }),
  )
  fc.assert(
    fc.property(noise, (bytes) => {
      const message = decode(bytes)
      if (!isMalformed(message)) assert.ok(!isMalformed(decode(encode(message))))
    }),
    { numRuns: 5000 },
  )
})

test('the longest message, and one that no length can say', () => {
  const publish = (length: number): Message => ({
    type: 'publish',
    dup: false,
    qos: 0,
    retain: false,
    topicType: 0,
    topicId: 1,
    messageId: 0,
    payload: new Uint8Array(length),
  })
  const longest = encode(publish(65535 - 9))
  assert.equal(longest.length, 65535)
  assert.ok(!isMalformed(decode(longest)))
  assert.throws(() => encode(publish(65535 - 8)), RangeError)
  assert.throws(
    () => encode({ type: 'forwarder', radius: 0, nodeId: new Uint8Array(253), message: Uint8Array.of(2, 0x16) }),
    RangeError,
  )
})

test('short names are two octets, whatever characters they make', () => {
  assert.equal(shortTopicId('ab'), 0x6162)
  assert.equal(shortTopicId('é'), 0xc3a9)
  assert.equal(shortTopicId('a'), undefined)
  assert.equal(shortTopicId('éa'), undefined)
  assert.equal(shortTopicName(0x6162), 'ab')
  assert.equal(shortTopicName(0xc3a9), 'é')
  assert.equal(shortTopicName(0xff61), undefined)
  assert.equal(shortTopicName(0x6100), undefined)
})
