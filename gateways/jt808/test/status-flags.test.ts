/** Names of the status flags of a location report. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statusNames } from '../codec/bodies/status-flags.ts'

test('every flag of the standard has a name; those that it reserves have none', () => {
  const names = Array.from({ length: 32 }, (_, bit) => statusNames((2 ** bit) | 0))
  for (const [bit, name] of names.entries()) assert.equal(name.length, bit > 22 || bit === 9 ? 0 : 1, `bit ${bit}`)
  assert.equal(new Set(names.flat()).size, 22)
  assert.deepEqual(statusNames(0), [])
  assert.deepEqual(statusNames(0x0040_0003), ['acc-on', 'positioned', 'moving'])
})

test('the load is a number of two bits', () => {
  assert.deepEqual(
    [0x000, 0x100, 0x200, 0x300].map((flags) => statusNames(flags)),
    [[], ['half-loaded'], [], ['loaded']],
  )
})

test('more states than are remembered are named all the same', () => {
  for (let flags = 0; flags < 5000; flags++) assert.equal(statusNames(flags).includes('acc-on'), (flags & 1) === 1)
})
