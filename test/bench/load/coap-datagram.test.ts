/** RFC 7252 3: the hand-built datagram says what it should. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSuccess, MAX_MESSAGES, PublishDatagram } from './coap-datagram.ts'

test('NON POST /ps/dev/100/up?clientid=100, message id and token count up', () => {
  const datagram = new PublishDatagram(0, 'dev/100/up', '100')
  assert.equal(
    datagram.next(0).subarray(0, datagram.payloadAt).toString('hex'),
    '52020000' + // version 1, NON, token of 2 bytes; 0.02; message id 0
      '0000' + // token
      'b27073' + // Uri-Path ps
      '03646576' + // Uri-Path dev
      '03313030' + // Uri-Path 100
      '027570' + // Uri-Path up
      '4c636c69656e7469643d313030' + // Uri-Query clientid=100
      'ff',
  )
  assert.equal(datagram.next(0).subarray(0, 6).toString('hex'), '520200010001')
  assert.equal(datagram.next(0).length, datagram.payloadAt + 64)
})

test('an option longer than 12 bytes takes an extended length', () => {
  const datagram = new PublishDatagram(0, 'a', 'abcdefgh')
  const head = datagram.next(0).subarray(6, datagram.payloadAt)
  assert.equal(head.toString('latin1'), '\xb2ps\x01a\x4d\x04clientid=abcdefgh\xff')
})

test('message ids run out before one is used twice', () => {
  const datagram = new PublishDatagram(0, 'a', 'b')
  for (let i = 0; i < MAX_MESSAGES; i++) {
    assert.equal(datagram.exhausted, false)
    datagram.next(0)
  }
  assert.equal(datagram.exhausted, true)
})

test('only class 2 is success', () => {
  assert.equal(isSuccess(Buffer.from('5244000a', 'hex')), true)
  assert.equal(isSuccess(Buffer.from('5284000a', 'hex')), false)
  assert.equal(isSuccess(Buffer.from('52', 'hex')), false)
})
