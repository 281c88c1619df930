import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeGbk, encodeGbk, wellFormed } from '#bytes/gbk'
import { fromHex, toHex } from '#bytes/hex'

const decode = (hex: string): string => decodeGbk(fromHex(hex) as Uint8Array)
const encode = (text: string): string => toHex(encodeGbk(text))

test('ASCII, GB 2312, GBK and GB 18030 characters', () => {
  assert.equal(decode('d4c1423132333435'), '粤B12345')
  assert.equal(encode('粤B12345'), 'd4c1423132333435')
  assert.equal(decode('8140'), '丂', 'the first code of GBK, outside GB 2312')
  assert.equal(encode('镕'), 'e946')
  assert.equal(encode('€'), 'a2e3')
  assert.equal(encode('é'), 'a8a6')
  assert.equal(decode('81308130'), '\u0080')
  assert.equal(encode('😀'), '9439fc36')
  assert.equal(decode('9439fc36'), '😀')
})

test('agrees with the platform on every character that has one code', () => {
  const platform = new TextDecoder('gb18030')
  for (let unit = 0x80; unit < 0x10000; unit++) {
    if (unit >= 0xd800 && unit < 0xe000) continue
    const text = String.fromCharCode(unit)
    const bytes = encodeGbk(text)
    if (bytes.length === 1) continue
    assert.equal(platform.decode(bytes), text)
    assert.equal(decodeGbk(bytes), text)
  }
})

test('an octet that is no character is kept, and shown as a replacement character', () => {
  assert.equal(decode('41ff42'), 'A\udcffB')
  assert.equal(wellFormed(decode('41ff42')), 'A\ufffdB')
  assert.equal(encode(decode('41ff42')), '41ff42')
  assert.equal(wellFormed(decode('d4')), '\ufffd', 'cut in the middle of a character')
  assert.equal(wellFormed('粤😀'), '粤😀')
})

test('what has no code becomes a question mark', () => {
  assert.equal(encode('\ud800x'), '3f78')
  assert.equal(encode('\udc00'), '3f')
})

test('decodes a range', () => {
  assert.equal(decodeGbk(Uint8Array.of(0x41, 0xd4, 0xc1, 0x42), 1, 3), '粤')
})

test('property: any octets come back as they were', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => assert.deepEqual(encodeGbk(decodeGbk(bytes)), bytes)))
})

test('property: octets that look like codes come back as they were', () => {
  const lead = fc.integer({ min: 0x80, max: 0xff })
  const code = fc.oneof(
    fc.tuple(lead, fc.integer({ min: 0x3f, max: 0xff })),
    fc.tuple(lead, fc.integer({ min: 0x30, max: 0x39 }), lead, fc.integer({ min: 0x30, max: 0x39 })),
  )
  fc.assert(
    fc.property(fc.array(code, { maxLength: 16 }), (codes) => {
      const bytes = Uint8Array.from(codes.flat())
      assert.deepEqual(encodeGbk(decodeGbk(bytes)), bytes)
    }),
  )
})

test('property: well-formed text of Chinese and astral characters comes back as it was', () => {
  const character = fc.oneof(
    fc.integer({ min: 0x4e00, max: 0x9fa5 }),
    fc.integer({ min: 0x10000, max: 0x10ffff }),
    fc.integer({ min: 0, max: 0x7f }),
  )
  fc.assert(
    fc.property(fc.array(character), (points) => {
      const text = String.fromCodePoint(...points)
      assert.equal(decodeGbk(encodeGbk(text)), text)
    }),
  )
})
