import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 as reference } from 'node:zlib'
import fc from 'fast-check'
import { crc32 } from '../../../src/store/crc32.ts'

test('the check value of CRC-32', () => {
  assert.equal(crc32(Buffer.from('123456789'), 0, 9) >>> 0, 0xcbf43926)
})

test('property: the same as zlib for any range, in one piece or in two', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(600), (bytes, cut) => {
      const middle = Math.min(cut, bytes.length)
      const first = crc32(bytes, 0, middle)
      assert.equal(first >>> 0, reference(bytes.subarray(0, middle)))
      assert.equal(crc32(bytes, middle, bytes.length, first) >>> 0, reference(bytes))
    }),
  )
})
