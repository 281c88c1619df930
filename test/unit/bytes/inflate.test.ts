import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { fromHex } from '#bytes/hex'
import { inflate } from '#bytes/inflate'

const ROOM = 1 << 20

/** Octets as messages have them: runs, repetitions, and noise. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(fc.nat(255), fc.nat(2000)).map(([octet, length]) => new Uint8Array(length).fill(octet)),
      fc.constantFrom('31.230416,121.473701;', '沪B12345').map((text) => new TextEncoder().encode(text)),
    ),
    { maxLength: 30 },
  )
  .map((parts) => Uint8Array.from(Buffer.concat(parts)))

const options = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  strategy: fc.constantFrom(
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
    constants.Z_FIXED,
    constants.Z_FILTERED,
  ),
})

test('property: what zlib compressed comes out as it was, by gzip and by zlib, whatever the level', () => {
  fc.assert(
    fc.property(content, options, (bytes, settings) => {
      for (const compress of [gzipSync, deflateSync]) {
        const out = inflate(compress(bytes, settings), ROOM)
        assert.ok(out instanceof Uint8Array, String(out))
        assert.ok(Buffer.from(bytes).equals(out))
      }
    }),
    { numRuns: 150 },
  )
})

test('distances and lengths up to the largest', () => {
  const far = Buffer.concat([Buffer.alloc(300, 'abc'), Buffer.alloc(32_768 - 300, 0), Buffer.alloc(300, 'abc')])
  assert.ok(far.equals(inflate(gzipSync(far, { level: 9 }), ROOM) as Uint8Array))
})

test('a gzip head with optional fields, several members, and zeros behind them', () => {
  const raw = deflateRawSync('hello')
  const trailer = gzipSync('hello').subarray(-8)
  const head = fromHex('1f8b081c0000000000030200abcd6e616d6500636f6d6d656e7400') as Uint8Array
  const whole = Buffer.concat([head, raw, trailer, gzipSync(' world'), Buffer.from([0, 0, 0])])
  assert.equal(Buffer.from(inflate(whole, ROOM) as Uint8Array).toString(), 'hello world')
})

test('no more octets than there may be', () => {
  const bomb = gzipSync(Buffer.alloc(1 << 20))
  assert.equal(inflate(bomb, (1 << 20) - 1), 'too-long')
  assert.equal((inflate(bomb, 1 << 20) as Uint8Array).length, 1 << 20)
  assert.equal(inflate(gzipSync('abc', { level: 0 }), 2), 'too-long')
  assert.equal(inflate(Buffer.concat([gzipSync('ab'), gzipSync('cd')]), 3), 'too-long')
})

test('what is no DEFLATE is malformed', () => {
  const gzip = '1f8b0800000000000003'
  for (const hex of [
    '',
    '1f',
    '1f8b',
    'abcdef',
    '1f8b0700000000000003 0300 00000000 00000000', // another method
    '1f8b08e000000000 0003 0300 00000000 00000000', // reserved flags
    '78bb 01234567 0300 00000001', // a preset dictionary
    `${gzip} 07 00`, // a block of the reserved kind
    `${gzip} 01 0100 0000 61`, // a stored length that its complement denies
    `${gzip} 0300 01000000 00000000`, // a wrong check code
    `${gzip} 0300 00000000 01000000`, // a wrong length
    '789c 0300 00000002', // a wrong Adler-32
    `${gzip} 4b04 0d 00`, // it breaks off
    `${gzip} 63 18 05 00`, // a distance beyond the beginning, or none
  ]) {
    assert.equal(inflate(fromHex(hex.replaceAll(' ', '')) as Uint8Array, ROOM), 'malformed', hex)
  }
})

test('property: octets of any kind are answered, and soon', () => {
  const zlib = Uint8Array.of(0x78, 0x9c)
  const gzip = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3)
  fc.assert(
    fc.property(fc.constantFrom(zlib, gzip), fc.uint8Array({ maxLength: 1000 }), (head, bytes) => {
      const out = inflate(Uint8Array.of(...head, ...bytes), 4096)
      if (out instanceof Uint8Array) assert.ok(out.length <= 4096)
    }),
    { numRuns: 1000 },
  )
})
