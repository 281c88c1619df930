import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Reader } from '#bytes/reader'

test('reads big-endian fields in order', () => {
  const reader = new Reader(Uint8Array.of(0x7f, 0x12, 0x34, 0xff, 0xff, 0xff, 0xfe, 0x80, 0x00, 1, 2, 3))
  assert.equal(reader.u8(), 0x7f)
  assert.equal(reader.u16(), 0x1234)
  assert.equal(reader.u32(), 0xfffffffe)
  assert.equal(reader.i16(), -32768)
  assert.deepEqual(reader.take(2), Uint8Array.of(1, 2))
  assert.equal(reader.remaining, 1)
  assert.deepEqual(reader.rest(), Uint8Array.of(3))
  assert.equal(reader.remaining, 0)
  assert.equal(reader.ok, true)
})

test('a read that does not fit fails, and everything after it fails too', () => {
  const reader = new Reader(Uint8Array.of(1, 2, 3))
  assert.equal(reader.u8(), 1)
  assert.equal(reader.u32(), 0)
  assert.equal(reader.ok, false)
  assert.equal(reader.offset, 1, 'the offset stays at the field that did not fit')
  assert.equal(reader.u8(), 0)
  assert.equal(reader.u16(), 0)
  assert.equal(reader.i16(), 0)
  assert.equal(reader.take(1).length, 0)
  assert.equal(reader.rest().length, 0)
  assert.equal(reader.remaining, 0)
  assert.equal(reader.ok, false)
})

test('a range outside the bytes is a failure, not an exception', () => {
  assert.equal(new Reader(new Uint8Array(4), 2, 9).ok, false)
  assert.equal(new Reader(new Uint8Array(4), 3, 2).ok, false)
  assert.equal(new Reader(new Uint8Array(4), -1).ok, false)
  assert.equal(new Reader(new Uint8Array(4), -1).u8(), 0)
})

test('negative counts fail', () => {
  const taking = new Reader(new Uint8Array(4))
  assert.equal(taking.take(-1).length, 0)
  assert.equal(taking.ok, false)
  const skipping = new Reader(new Uint8Array(4), 2)
  skipping.skip(-2)
  assert.equal(skipping.ok, false)
})

function number(view: DataView, kind: 'u8' | 'u16' | 'u32' | 'i16', at: number): number {
  if (kind === 'u8') return view.getUint8(at)
  if (kind === 'u16') return view.getUint16(at)
  return kind === 'u32' ? view.getUint32(at) : view.getInt16(at)
}

test('property: any sequence of reads agrees with a DataView as long as it fits, and never throws', () => {
  const read = fc.constantFrom('u8' as const, 'u16' as const, 'u32' as const, 'i16' as const, 'take' as const, 'skip' as const)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 24 }), fc.array(fc.tuple(read, fc.nat(6)), { maxLength: 12 }), (bytes, reads) => {
      const reader = new Reader(bytes)
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      let at = 0
      let fits = true
      for (const [kind, count] of reads) {
        const width = { u8: 1, u16: 2, u32: 4, i16: 2, take: count, skip: count }[kind]
        fits &&= at + width <= bytes.length
        if (kind === 'skip') reader.skip(count)
        else if (kind === 'take') assert.deepEqual(reader.take(count), fits ? bytes.subarray(at, at + count) : new Uint8Array(0))
        else assert.equal(reader[kind](), fits ? number(view, kind, at) : 0)
        if (fits) at += width
        assert.equal(reader.ok, fits)
        assert.equal(reader.offset, at)
      }
    }),
  )
})
