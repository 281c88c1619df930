import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fnv1a, xor } from '#bytes/checksum'

test('xor of a range', () => {
  assert.equal(xor(Uint8Array.of(0x01, 0x02, 0x04)), 0x07)
  assert.equal(xor(Uint8Array.of(0x01, 0x02, 0x04), 1, 2), 0x02)
  assert.equal(xor(new Uint8Array(0)), 0)
})

test('fnv1a gives the published values', () => {
  assert.equal(fnv1a(new Uint8Array(0)), 0x811c9dc5)
  assert.equal(fnv1a(new TextEncoder().encode('a')), 0xe40c292c)
  assert.equal(fnv1a(new TextEncoder().encode('foobar')), 0xbf9cf968)
})

test('property: appending the xor of octets makes the xor zero', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.equal(xor(Uint8Array.of(...bytes, xor(bytes))), 0)))
})

test('property: fnv1a of a range is that of the copied range', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4 }), (bytes) =>
      assert.equal(fnv1a(bytes, 1, bytes.length - 1), fnv1a(bytes.slice(1, -1))),
    ),
  )
})
