/** Every packet of specs/jt808/vectors: decoded, compared with what it should say, and encoded again octet for octet. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex as hex } from '#bytes/hex'
import type { Malformed } from '#sdk'
import { isMalformed } from '#sdk'
import type { Header } from '../codec/header.ts'
import { MAX_BODY_BYTES } from '../codec/header.ts'
import { decode, encode, FlagFramer, nativeOf } from '../codec/index.ts'
import type { Message } from '../codec/messages.ts'
import { readMessage, writeBody } from '../codec/messages.ts'
import type { Native, Vector } from './vectors.ts'
import { vectors } from './vectors.ts'

const all = vectors()

function unhex(digits: string): Uint8Array {
  const bytes = fromHex(digits)
  assert.ok(bytes)
  return bytes
}

function only<K extends Vector['kind']>(kind: K): Extract<Vector, { kind: K }>[] {
  return all.filter((vector): vector is Extract<Vector, { kind: K }> => vector.kind === kind)
}

/** What `message` says, as JSON would carry it, reduced to the members that `expected` names. */
function said(message: Message, expected: Native): unknown {
  return pick(JSON.parse(JSON.stringify(nativeOf(message))), expected)
}

function pick(actual: unknown, expected: unknown): unknown {
  if (!isObject(expected) || !isObject(actual)) return actual
  return Object.fromEntries(Object.keys(expected).map((key) => [key, pick(actual[key], expected[key])]))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

test('the vectors are there', () => {
  assert.ok(only('frame').length > 250)
  assert.ok(only('stream').length > 10)
  assert.ok(only('malformed').length > 15)
})

for (const { name, hex: digits, expect } of only('frame')) {
  test(`frame ${name}`, () => {
    const message = decode(unhex(digits))
    assert.ok(!isMalformed(message), JSON.stringify(message))
    if (expect !== undefined) assert.deepEqual(said(message, expect), expect)
    assert.equal(hex(encode(message)), digits)
  })
}

for (const { name, hex: digits, id, form, expect } of only('body')) {
  test(name, () => {
    const bytes = unhex(digits)
    const header: Header = {
      id,
      form,
      length: bytes.length & MAX_BODY_BYTES,
      protocol: form === '2019' ? 1 : 0,
      phone: '1',
      sn: 0,
      encryption: 0,
      reserved: 0,
      part: undefined,
    }
    const message = readMessage(header, bytes, 0, bytes.length)
    if (expect !== undefined) assert.deepEqual(said(message, expect), expect)
    if (message.type !== 'opaque') assert.equal(hex(writeBody(message, form)), digits)
    else assert.equal(hex(message.body), digits)
  })
}

for (const { name, hex: digits, expect } of only('malformed')) {
  test(name, () => {
    const error = decode(unhex(digits))
    assert.ok(isMalformed(error))
    assert.equal(error.malformed, expect.malformed)
  })
}

for (const { name, hex: chunks, expect } of only('stream')) {
  test(name, () => {
    const framer = new FlagFramer()
    const frames: string[] = []
    const faults: Malformed[] = []
    for (const chunk of chunks) {
      framer.push(unhex(chunk), {
        frame: (bytes) => void frames.push(hex(bytes)),
        malformed: (error) => void faults.push(error),
      })
    }
    assert.deepEqual(frames, expect.frames)
    assert.deepEqual(
      faults.map((error) => error.malformed),
      expect.malformed,
    )
    assert.equal(framer.buffered, expect.buffered)
  })
}
