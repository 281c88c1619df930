/** The codec as a library of its own: `omnigate/mqttsn-packet`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hex, unhex } from '#testing'
import {
  generate,
  isMalformed,
  type Message,
  MessageType,
  PacketType,
  parse,
  Reason,
  ReturnCode,
  shortTopicId,
  TopicKind,
  TopicType,
  versionOf,
} from '../packet.ts'
import { vectors } from './vectors.ts'

test('a message there and back, typed', () => {
  const message: Message = {
    type: 'publish',
    dup: false,
    qos: 1,
    retain: false,
    topicType: TopicType.short,
    topicId: shortTopicId('ab') ?? 0,
    messageId: 7,
    payload: Buffer.from('21.5'),
  }
  const datagram = generate(message)
  assert.equal(hex(datagram), '0b0c226162000732312e35')
  const parsed = parse(datagram)
  assert.ok(!isMalformed(parsed) && parsed.type === 'publish')
  assert.equal(Buffer.from(parsed.payload).toString(), '21.5')
})

test('what a forwarder carries is parsed like a message of its own', () => {
  const outer = parse(unhex('05 fe 00 0a 0b 02 16'))
  assert.ok(!isMalformed(outer) && outer.type === 'forwarder')
  assert.deepEqual(parse(outer.message), { type: 'pingreq', clientId: '' })
})

test('broken octets are a value that says what and where', () => {
  assert.deepEqual(parse(unhex('02 18 00')), { malformed: 'trailing-octets', offset: 2, fatal: false })
  assert.deepEqual(parse(unhex('02 11')), { malformed: 'reserved-type', offset: 1, fatal: false })
})

test('every vector parses, and generates its octets again', () => {
  for (const { kind, hex: digits, canonical } of vectors()) {
    const message = parse(unhex(digits))
    assert.equal(isMalformed(message), kind === 'malformed')
    if (!isMalformed(message) && canonical !== false) assert.equal(hex(generate(message)), digits)
  }
})

test('packets of version 2.0, there and back', () => {
  const packet = parse(unhex('09 03 20 00 03 00 01 68 69'), '2.0')
  assert.ok(!isMalformed(packet) && packet.type === 'publish')
  assert.equal(packet.alias, 1)
  assert.equal(hex(generate(packet, '2.0')), '090320000300016869')
  for (const { kind, hex: digits } of vectors('wire2'))
    assert.equal(isMalformed(parse(unhex(digits), '2.0')), kind === 'malformed')
  const connect = unhex('0c 01 01 00 01 02 00 3c 00 00 6d 31')
  const parsed = parse(connect, versionOf(connect))
  assert.ok(!isMalformed(parsed) && parsed.type === 'connect' && parsed.clientId === 'm1')
  assert.deepEqual([PacketType.pubwos, Reason.unknownAlias, TopicKind.name], [0x12, 0xf0, 3])
})

test('the numbers of the standard have names', () => {
  assert.equal(MessageType.forwarder, 0xfe)
  assert.equal(ReturnCode.invalidTopicId, 2)
})
