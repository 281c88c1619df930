import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Reader } from '#bytes/reader'
import { Writer } from '#bytes/writer'

test('writes big-endian fields and grows as needed', () => {
  const writer = new Writer(1)
  writer.u8(0x1ff).u16(0x1234).u32(0xfffffffe).put(Uint8Array.of(9, 8)).fill(7, 2)
  assert.deepEqual(writer.finish(), Uint8Array.of(0xff, 0x12, 0x34, 0xff, 0xff, 0xff, 0xfe, 9, 8, 7, 7))
})

test('negative numbers are written in two’s complement', () => {
  assert.deepEqual(new Writer().u8(-1).u16(-2).u32(-3).finish(), Uint8Array.of(0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xfd))
})

test('finish is a copy of the exact size; the writer is used again', () => {
  const writer = new Writer()
  const first = writer.u16(0x0102).finish()
  const second = writer.reset().u8(0xff).finish()
  assert.deepEqual(first, Uint8Array.of(1, 2))
  assert.deepEqual(second, Uint8Array.of(0xff))
  assert.equal(first.buffer.byteLength, 2)
})

test('view shows what is written without a copy', () => {
  const writer = new Writer().u8(5)
  assert.deepEqual(writer.view(), Uint8Array.of(5))
  assert.equal(writer.view().buffer, writer.bytes.buffer)
})

test('property: a reader gets back what a writer wrote, whatever the initial capacity', () => {
  const item = fc.oneof(
    fc.record({ kind: fc.constant('u8' as const), value: fc.nat(0xff) }),
    fc.record({ kind: fc.constant('u16' as const), value: fc.nat(0xffff) }),
    fc.record({ kind: fc.constant('u32' as const), value: fc.nat(0xffffffff) }),
  )
  fc.assert(
    fc.property(fc.array(item), fc.integer({ min: 0, max: 9 }), fc.uint8Array(), (items, capacity, tail) => {
      const writer = new Writer(capacity)
      for (const { kind, value } of items) writer[kind](value)
      const reader = new Reader(writer.put(tail).finish())
      for (const { kind, value } of items) assert.equal(reader[kind](), value)
      assert.deepEqual(reader.rest(), tail)
      assert.equal(reader.ok, true)
    }),
  )
})
