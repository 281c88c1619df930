import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromHex, toHex } from '#bytes/hex'

test('digits are lower case, two an octet', () => {
  assert.equal(toHex(Uint8Array.of(0, 0x0a, 0xff)), '000aff')
  assert.equal(toHex(Uint8Array.of(1, 2, 3, 4), 1, 3), '0203')
})

test('reads either case and white space between octets; refuses the rest', () => {
  assert.deepEqual(fromHex('7E 00\n0a'), Uint8Array.of(0x7e, 0, 0x0a))
  assert.deepEqual(fromHex(''), new Uint8Array(0))
  assert.equal(fromHex('7'), undefined)
  assert.equal(fromHex('0x7e'), undefined)
  assert.equal(fromHex('7g'), undefined)
})

test('property: there and back', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.deepEqual(fromHex(toHex(bytes)), bytes)))
})
