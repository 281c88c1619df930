import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromHex, toHex } from '#bytes/hex'
import { layout } from '#bytes/layout'
import { Writer } from '#bytes/writer'

const everything = layout((f) => ({
  small: f.u8(),
  word: f.u16(),
  long: f.u32(),
  signed: f.i16(),
  digits: f.bcd(3),
  padded: f.text(6),
  counted: f.text8(),
  raw: f.take(2),
  surplus: f.surplus(),
}))

const value = {
  small: 1,
  word: 0x1234,
  long: 0xfffffffe,
  signed: -2,
  digits: '012345',
  padded: '粤B1',
  counted: 'ok',
  raw: Uint8Array.of(0xaa, 0xbb),
  surplus: undefined,
}

function encode<T>(struct: { encode(writer: Writer, value: T): void }, value: T): Uint8Array {
  const writer = new Writer()
  struct.encode(writer, value)
  return writer.finish()
}

test('one declaration encodes and decodes every kind of field', () => {
  const bytes = encode(everything, value)
  assert.equal(toHex(bytes), '01' + '1234' + 'fffffffe' + 'fffe' + '012345' + 'd4c142310000' + '026f6b' + 'aabb')
  assert.deepEqual(everything.decode(bytes), value)
})

test('members decode in the order of the declaration', () => {
  assert.deepEqual(Object.keys(everything.decode(encode(everything, value)) ?? {}), Object.keys(value))
})

test('every shorter input is refused as a value', () => {
  const bytes = encode(everything, value)
  for (let end = 0; end < bytes.length; end++) assert.equal(everything.decode(bytes, 0, end), undefined, `${end} octets`)
})

test('what follows the last field is kept as hex and written back', () => {
  const decoded = everything.decode(Uint8Array.of(...encode(everything, value), 0xca, 0xfe))
  assert.equal(decoded?.surplus, 'cafe')
  assert.ok(decoded)
  assert.equal(toHex(encode(everything, decoded)).slice(-4), 'cafe')
})

test('a layout without a surplus ignores what follows', () => {
  const short = layout((f) => ({ id: f.u16() }))
  assert.deepEqual(short.decode(Uint8Array.of(1, 2, 3)), { id: 0x0102 })
})

test('the rest of the input as text or as octets', () => {
  const text = layout((f) => ({ kind: f.u8(), text: f.textRest() }))
  assert.deepEqual(text.decode(fromHex('01d4c1') as Uint8Array), { kind: 1, text: '粤' })
  const raw = layout((f) => ({ kind: f.u8(), raw: f.rest() }))
  assert.deepEqual(raw.decode(Uint8Array.of(1)), { kind: 1, raw: new Uint8Array(0) })
  assert.equal(toHex(encode(raw, { kind: 1, raw: Uint8Array.of(2, 3) })), '010203')
})

test('decodes a range of a larger buffer', () => {
  const short = layout((f) => ({ id: f.u16(), rest: f.rest() }))
  assert.deepEqual(short.decode(Uint8Array.of(9, 1, 2, 3, 9), 1, 4), { id: 0x0102, rest: Uint8Array.of(3) })
})

test('values that do not fit their field are a fault of the caller', () => {
  assert.throws(() => encode(everything, { ...value, padded: '粤粤粤粤' }), RangeError)
  assert.throws(() => encode(everything, { ...value, counted: 'x'.repeat(256) }), RangeError)
  assert.throws(() => encode(everything, { ...value, digits: '1234567' }), RangeError)
  assert.throws(() => encode(everything, { ...value, raw: new Uint8Array(3) }), RangeError)
  assert.throws(
    () =>
      encode<{ surplus: string | undefined }>(
        layout((f) => ({ surplus: f.surplus() })),
        { surplus: 'xy' },
      ),
    RangeError,
  )
})

test('a literal that computes, drops or reorders fields is refused at load', () => {
  assert.throws(() => layout((f) => ({ speed: f.u16() / 10 })), TypeError)
  assert.throws(() => {
    return layout((f) => {
      f.u8()
      return { id: f.u16() }
    })
  }, TypeError)
  assert.throws(() => {
    return layout((f) => {
      const first = f.u8()
      return { second: f.u8(), first }
    })
  }, TypeError)
})

test('property: encode after decode gives the same octets, for any octets that decode', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const decoded = everything.decode(bytes)
      if (decoded !== undefined) assert.deepEqual(encode(everything, decoded), bytes)
    }),
  )
})
