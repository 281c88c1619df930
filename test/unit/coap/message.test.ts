/** The message format: RFC 7252 section 3. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isMalformed } from '#sdk'
import { ACK, CON, CONTENT, GET, type MessageType, NON, POST } from '#stacks/coap/codes'
import { type CoapMessage, parse, rejection, serialize } from '#stacks/coap/message'
import { OptionCache } from '#stacks/coap/option-cache'
import { CONTENT_FORMAT, OBSERVE, opaqueOption, textOption, URI_PATH, uintOption } from '#stacks/coap/options'

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replace(/\s+/g, ''), 'hex'))
}

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex')
}

function parsed(input: Uint8Array, cache?: OptionCache): CoapMessage {
  const message = parse(input, cache)
  if (isMalformed(message)) return assert.fail(message.malformed)
  return message
}

test('a request is read and written', () => {
  const message = parsed(bytes('41 01 12 34 01 b4 74 65 73 74'))
  assert.deepEqual([message.type, message.code, message.messageId, message.token], [CON, GET, 0x1234, '\x01'])
  assert.deepEqual(message.options.texts(URI_PATH), ['test'])
  assert.equal(message.payload.length, 0)
  assert.equal(hex(serialize(CON, GET, 0x1234, '\x01', [textOption(URI_PATH, 'test')])), '4101123401b474657374')
})

test('a piggybacked response is read and written', () => {
  const message = parsed(bytes('61 45 12 34 01 c0 ff 68 69'))
  assert.deepEqual([message.type, message.code, message.options.uint(CONTENT_FORMAT)], [ACK, CONTENT, 0])
  assert.equal(hex(message.payload), '6869')
  const payload = bytes('6869')
  assert.equal(hex(serialize(ACK, CONTENT, 0x1234, '\x01', [uintOption(CONTENT_FORMAT, 0)], payload)), '6145123401c0ff6869')
})

test('an observe registration is read', () => {
  const { options, token } = parsed(bytes('41 01 00 02 a1 60 52 70 73 01 61'))
  assert.deepEqual([token, options.uint(OBSERVE), options.texts(URI_PATH)], ['\xa1', 0, ['ps', 'a']])
})

test('options are written in ascending order, equal ones in theirs', () => {
  const options = [textOption(15, 'q=1'), textOption(11, 'b'), textOption(11, 'a'), uintOption(6, 0)]
  const message = parsed(serialize(CON, GET, 1, '', options))
  assert.deepEqual(
    message.options.list().map(({ number, value }) => [number, Buffer.from(value).toString()]),
    [
      [6, ''],
      [11, 'b'],
      [11, 'a'],
      [15, 'q=1'],
    ],
  )
})

test('deltas and lengths at their boundaries go around', () => {
  const boundaries = [0, 1, 12, 13, 14, 268, 269, 270, 524, 1000]
  for (const number of [...boundaries, 65_535]) {
    for (const length of boundaries) {
      const value = new Uint8Array(length).fill(7)
      const { options } = parsed(serialize(NON, POST, 5, 'tok', [opaqueOption(number, value)], bytes('00')))
      assert.deepEqual(options.list(), [{ number, value }])
    }
  }
})

test('what is no message has a reason', () => {
  for (const [input, reason] of [
    ['', 'too-short'],
    ['40 01 00', 'too-short'],
    ['00 01 00 01', 'bad-version'],
    ['80 01 00 01', 'bad-version'],
    ['c0 01 00 01', 'bad-version'],
    ['49 01 00 01 010203040506070809', 'token-length'],
    ['4f 01 00 01', 'token-length'],
    ['42 01 00 01 01', 'token-truncated'],
    ['41 00 00 01 01', 'empty-with-data'],
    ['40 00 00 01 ff', 'empty-with-data'],
    ['50 00 00 01', 'empty-non'],
    ['40 20 00 01', 'reserved-class'],
    ['60 c1 00 01', 'reserved-class'],
    ['40 e1 00 01', 'reserved-class'],
    ['60 01 00 01', 'request-in-ack'],
    ['70 01 00 01', 'reset-with-code'],
    ['70 45 00 01', 'reset-with-code'],
    ['40 01 00 01 ff', 'marker-without-payload'],
    ['40 01 00 01 f1 00', 'reserved-nibble'],
    ['40 01 00 01 1f 00', 'reserved-nibble'],
    ['40 01 00 01 d0', 'option-truncated'],
    ['40 01 00 01 e0 00', 'option-truncated'],
    ['40 01 00 01 0d', 'option-truncated'],
    ['40 01 00 01 0e 00', 'option-truncated'],
    ['40 01 00 01 b4 74 65', 'option-truncated'],
    ['40 01 00 01 e0 ff ff', 'option-number'],
    [`40 01 00 01 ${'00'.repeat(65)}`, 'too-many-options'],
  ] as const) {
    const fault = parse(bytes(input))
    assert.ok(isMalformed(fault), input)
    assert.deepEqual([fault.malformed, fault.fatal], [reason, false], input)
  }
})

test('only confirmable messages of this version are rejected, with their message id', () => {
  const answer = (input: string) => {
    const fault = parse(bytes(input))
    assert.ok(isMalformed(fault))
    const reset = rejection(bytes(input), fault)
    return reset && hex(reset)
  }
  assert.equal(answer('49 01 ab cd'), '7000abcd')
  assert.equal(answer('59 01 ab cd'), undefined)
  assert.equal(answer('60 01 ab cd'), undefined)
  assert.equal(answer('c0 01 ab cd'), undefined)
  assert.equal(answer('40 01 ab'), undefined)
})

test('equal options are one object, and different ones are not', () => {
  const cache = new OptionCache(2)
  const message = (path: string) => parsed(serialize(NON, POST, 1, 'ab', [textOption(URI_PATH, path)], bytes('01')), cache)
  const first = message('one').options
  assert.equal(message('one').options, first)
  const second = message('two').options
  assert.deepEqual(second.texts(URI_PATH), ['two'])
  assert.equal(message('one').options, first)
  message('three')
  assert.deepEqual(message('one').options.texts(URI_PATH), ['one'])
})

const arbitraryMessage = fc.record({
  type: fc.constantFrom<MessageType>(CON, NON),
  code: fc.integer({ min: 1, max: 31 }),
  messageId: fc.integer({ min: 0, max: 0xffff }),
  token: fc.uint8Array({ maxLength: 8 }),
  options: fc.array(fc.record({ number: fc.integer({ min: 0, max: 3000 }), value: fc.uint8Array({ maxLength: 300 }) }), {
    maxLength: 12,
  }),
  payload: fc.uint8Array({ maxLength: 64 }),
})

test('every message comes back as it was written', () => {
  fc.assert(
    fc.property(arbitraryMessage, ({ type, code, messageId, token, options, payload }) => {
      const written = serialize(type, code, messageId, Buffer.from(token).toString('latin1'), options, payload)
      const message = parsed(written, new OptionCache())
      assert.deepEqual([message.type, message.code, message.messageId], [type, code, messageId])
      assert.deepEqual([...Buffer.from(message.token, 'latin1')], [...token])
      assert.deepEqual(
        message.options.list(),
        options.map(({ number, value }) => ({ number, value })).sort((a, b) => a.number - b.number),
      )
      assert.deepEqual(message.payload, payload)
      assert.deepEqual(serialize(type, code, messageId, message.token, message.options.list(), message.payload), written)
    }),
  )
})

test('arbitrary bytes never throw, and what parses is written back as it was', () => {
  const header = fc.tuple(fc.constantFrom(0x40, 0x41, 0x50, 0x60, 0x70, 0x48), fc.uint8Array({ maxLength: 80 }))
  const input = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    header.map(([first, rest]) => Uint8Array.of(first, ...rest)),
  )
  fc.assert(
    fc.property(input, (frame) => {
      const message = parse(frame)
      if (isMalformed(message)) return
      const { type, code, messageId, token, options, payload } = message
      assert.deepEqual(serialize(type, code, messageId, token, options.list(), payload), frame)
    }),
    { numRuns: 2000 },
  )
})

test('long tokens go around where they are allowed, at their boundaries', () => {
  for (const length of [0, 8, 9, 12, 13, 14, 268, 269, 270, 1000]) {
    const token = String.fromCharCode(...Array.from({ length }, (_, i) => i & 0xff))
    const bytes = serialize(CON, GET, 7, token, [textOption(URI_PATH, 'a')], Uint8Array.of(1))
    const message = parse(bytes, undefined, 1000)
    if (isMalformed(message)) assert.fail(message.malformed)
    assert.equal(message.token, token)
    assert.deepEqual([message.options.texts(URI_PATH), Array.from(message.payload)], [['a'], [1]])
    const refused = parse(bytes, undefined, length - 1)
    assert.ok(length === 0 || (isMalformed(refused) && refused.malformed === 'token-length'))
  }
})

test('the length of a long token is read as RFC 8974 writes it', () => {
  const header = (first: string) => `${first}010007`
  for (const [hex, length] of [
    [`${header('4d')}00${'aa'.repeat(13)}`, 13],
    [`${header('4e')}0000${'aa'.repeat(269)}`, 269],
  ] as const) {
    const message = parse(new Uint8Array(Buffer.from(hex, 'hex')), undefined, 300)
    if (isMalformed(message)) assert.fail(message.malformed)
    assert.equal(message.token.length, length)
  }
  for (const [hex, reason] of [
    [header('4d'), 'token-truncated'],
    [`${header('4e')}00`, 'token-truncated'],
    [`${header('4d')}00aa`, 'token-truncated'],
    [`${header('4f')}0000`, 'token-length'],
    [`${header('4e')}ffff`, 'token-length'],
  ] as const) {
    const message = parse(new Uint8Array(Buffer.from(hex, 'hex')), undefined, 300)
    assert.equal(isMalformed(message) && message.malformed, reason, hex)
  }
})
