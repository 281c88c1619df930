/** Messages as people write them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hex, unhex } from '#testing'
import { notation } from '../codec/notation.ts'
import { vectors } from './vectors.ts'

const { encode, decode } = notation()

for (const [text, octets] of [
  ['CONNECT clientId=c1 duration=60 clean', '0804040100' + '3c6331'],
  ['CONNACK code=0', '030500'],
  ['WILLTOPIC topic=w qos=1', '04072077'],
  ['WILLTOPIC qos=0', '0207'],
  ['WILLMSG "bye"', '0509627965'],
  ['REGISTER topicId=0 messageId=1 topic=a/b', '090a00000001612f62'],
  ['PUBLISH qos=1 topicId=1 messageId=2 "hi"', '090c20000100026869'],
  ['PUBLISH qos=-1 topicType=predefined topicId=5 messageId=0 "x"', '080c610005000078'],
  ['PUBLISH qos=0 topicId=1 messageId=0 hex:ff00', '090c0000010000ff00'],
  ['SUBSCRIBE qos=1 messageId=4 topic=a/# topicId=0', '0812200004612f23'],
  ['DISCONNECT', '0218'],
  ['DISCONNECT duration=300', '0418012c'],
  ['DISCONNECT duration=0', '04180000'],
  ['FORWARDER node=0a0b | PINGREQ clientId=c1', '05fe000a0b04166331'],
] as const) {
  test(text, () => {
    assert.equal(hex(encode(text)), octets)
    assert.equal(decode(unhex(octets)), text)
  })
}

test('every frame of the vectors can be written, and means the same', () => {
  for (const { hex: digits, kind, canonical } of vectors()) {
    if (kind === 'frame' && canonical !== false) assert.equal(hex(encode(decode(unhex(digits)))), digits)
  }
})

test('what is left out is 0, empty or unset; what there is not is refused', () => {
  assert.equal(hex(encode('PUBLISH topicId=1 "x"')), '080c000001000078')
  assert.equal(decode(encode('REGISTER messageId=1 topic="a b"')), 'REGISTER topicId=0 messageId=1 topic="a b"')
  assert.throws(() => encode('PUBLISH qso=1'), /qso/)
  assert.throws(() => encode('HELLO'), /HELLO/)
  assert.throws(() => encode('FORWARDER node=0a'), /FORWARDER/)
})
