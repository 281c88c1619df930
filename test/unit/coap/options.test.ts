/** The option registry and option values: RFC 7252 sections 3.2, 5.4, 5.10. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMalformed } from '#sdk'
import { CON, GET } from '#stacks/coap/codes'
import { contentFormat, contentFormatOf } from '#stacks/coap/content-formats'
import { parse, serialize } from '#stacks/coap/message'
import type { OptionSet } from '#stacks/coap/option-set'
import {
  decodeUint,
  encodeUint,
  isCritical,
  isNoCacheKey,
  isUnsafe,
  OPTIONS,
  type Option,
  opaqueOption,
  optionDefinition,
  textOption,
  uintOption,
} from '#stacks/coap/options'

function setOf(...options: Option[]): OptionSet {
  const message = parse(serialize(CON, GET, 1, '', options))
  if (isMalformed(message)) return assert.fail(message.malformed)
  return message.options
}

const ALL = new Set(OPTIONS.map(({ number }) => number))

test('the number says critical, unsafe and no cache key', () => {
  const flags = (number: number) => [isCritical(number), isUnsafe(number), isNoCacheKey(number)]
  assert.deepEqual(flags(1), [true, false, false])
  assert.deepEqual(flags(6), [false, true, false])
  assert.deepEqual(flags(9), [true, false, false])
  assert.deepEqual(flags(11), [true, true, false])
  assert.deepEqual(flags(28), [false, false, true])
  assert.deepEqual(flags(60), [false, false, true])
  assert.deepEqual(flags(252), [false, false, true])
  assert.deepEqual(flags(292), [false, false, false])
})

test('numbers are unique and names too', () => {
  assert.equal(new Set(OPTIONS.map(({ name }) => name)).size, OPTIONS.length)
  assert.equal(ALL.size, OPTIONS.length)
  assert.ok(OPTIONS.every(({ minLength, maxLength }) => minLength <= maxLength))
})

test('uints are minimal, and leading zeros are tolerated', () => {
  for (const [value, digits] of [
    [0, ''],
    [1, '01'],
    [255, 'ff'],
    [256, '0100'],
    [65_536, '010000'],
    [0xffff_ffff, 'ffffffff'],
  ] as const) {
    assert.equal(Buffer.from(encodeUint(value)).toString('hex'), digits)
    assert.equal(decodeUint(encodeUint(value)), value)
  }
  assert.equal(decodeUint(Uint8Array.of(0, 0, 5)), 5)
})

test('every registered option is accepted at its shortest and longest, and refused beyond', () => {
  for (const { number, format, minLength, maxLength, name } of OPTIONS) {
    const value = (length: number) => opaqueOption(number, new Uint8Array(length).fill(0x61))
    for (const length of [minLength, maxLength]) {
      const set = setOf(value(length))
      assert.equal(set.has(number), true, `${name} of ${length} bytes`)
      assert.equal(set.unacceptable(ALL), undefined)
    }
    for (const length of [minLength - 1, maxLength + 1].filter((bad) => bad >= 0)) {
      const set = setOf(value(length))
      assert.equal(set.has(number), false, `${name} of ${length} bytes`)
      assert.equal(set.opaque(number), undefined)
      assert.equal(set.unacceptable(ALL), isCritical(number) ? number : undefined)
    }
    assert.ok(['empty', 'opaque', 'uint', 'string'].includes(format))
  }
})

test('repetition is an error only where it is not allowed and the option is critical', () => {
  for (const { number, minLength, repeatable } of OPTIONS) {
    const value = opaqueOption(number, new Uint8Array(minLength).fill(0x61))
    const twice = setOf(value, value)
    assert.equal(twice.unacceptable(ALL), isCritical(number) && repeatable === 'no' ? number : undefined)
  }
})

test('what the receiver does not support is named, the first one', () => {
  const set = setOf(uintOption(17, 50), opaqueOption(9, new Uint8Array(1)), opaqueOption(65_001, new Uint8Array(0)))
  assert.equal(set.unacceptable(ALL), 65_001)
  assert.equal(set.unacceptable(new Set([9])), 17)
  assert.equal(set.unacceptable(new Set()), 9)
  assert.equal(setOf(opaqueOption(65_000, new Uint8Array(3))).unacceptable(new Set()), undefined)
})

test('a critical string that is not UTF-8 is refused, an elective one not seen', () => {
  const broken = Uint8Array.of(0xc3, 0x28)
  assert.equal(setOf(opaqueOption(11, broken)).unacceptable(ALL), 11)
  const elective = setOf(opaqueOption(8, broken), textOption(8, 'ok'))
  assert.equal(elective.unacceptable(ALL), undefined)
  assert.deepEqual(elective.texts(8), ['ok'])
  assert.equal(elective.text(8), undefined)
  assert.deepEqual(setOf(textOption(8, 'U+FFFD is \ufffd')).texts(8), ['U+FFFD is \ufffd'])
})

test('values are found by number', () => {
  const set = setOf(
    textOption(11, 'a'),
    textOption(11, ''),
    textOption(11, 'ü'),
    uintOption(12, 50),
    opaqueOption(4, Uint8Array.of(1)),
  )
  assert.deepEqual(set.texts(11), ['a', '', 'ü'])
  assert.equal(set.text(11), 'a')
  assert.equal(set.uint(12), 50)
  assert.deepEqual(set.opaques(4), [Uint8Array.of(1)])
  assert.equal(set.uint(60), undefined)
  assert.equal(set.size, 5)
  assert.equal(optionDefinition(12)?.name, 'Content-Format')
})

test('content formats and media types translate both ways', () => {
  assert.equal(contentFormat(50)?.mediaType, 'application/json')
  assert.equal(contentFormatOf('application/json')?.id, 50)
  assert.equal(contentFormatOf('Application/JSON; charset=UTF-8')?.id, 50)
  assert.equal(contentFormatOf('text/plain')?.id, 0)
  assert.equal(contentFormatOf('text/plain; charset=utf-8')?.id, 0)
  assert.equal(contentFormatOf('text/plain;charset=gbk'), undefined)
  assert.equal(contentFormatOf('application/cbor;charset=utf-8'), undefined)
  assert.equal(contentFormatOf('application/vnd.oma.lwm2m+tlv')?.id, 11_542)
  assert.equal(contentFormat(65_000), undefined)
})
