import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isDecimal, readBcd, writeBcd } from '#bytes/bcd'
import { Reader } from '#bytes/reader'
import { Writer } from '#bytes/writer'

test('digits come high nibble first', () => {
  assert.equal(readBcd(new Reader(Uint8Array.of(0x01, 0x38, 0x12)), 3), '013812')
})

test('nibbles above 9 are kept and told apart', () => {
  const digits = readBcd(new Reader(Uint8Array.of(0x1f, 0xa0)), 2)
  assert.equal(digits, '1fa0')
  assert.equal(isDecimal(digits), false)
  assert.equal(isDecimal('013812345678'), true)
})

test('too few octets fail the reader', () => {
  const reader = new Reader(Uint8Array.of(0x12))
  assert.equal(readBcd(reader, 2), '')
  assert.equal(reader.ok, false)
})

test('short numbers are padded on the left; what does not fit is a fault of the caller', () => {
  const writer = new Writer()
  writeBcd(writer, '13800', 4)
  assert.deepEqual(writer.finish(), Uint8Array.of(0x00, 0x01, 0x38, 0x00))
  assert.throws(() => writeBcd(new Writer(), '12345', 2), RangeError)
  assert.throws(() => writeBcd(new Writer(), '12 4', 2), RangeError)
})

test('property: any octets come back as they were', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      const writer = new Writer()
      writeBcd(writer, readBcd(new Reader(bytes), bytes.length), bytes.length)
      assert.deepEqual(writer.finish(), bytes)
    }),
  )
})
