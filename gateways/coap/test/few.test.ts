/** A few values behave as a map of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Few, fewDelete, fewGet, fewSet, fewSize, fewValues } from '../few.ts'

interface Entry {
  readonly key: string
  readonly step: number
}

const keyOf = ({ key }: Entry): string => key

test('every sequence of changes gives what a map gives', () => {
  let seed = 7
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return (seed >>> 16) % below
  }
  let few: Few<string, Entry>
  const map = new Map<string, Entry>()
  for (let step = 0; step < 5000; step++) {
    const entry = { key: `k${random(4)}`, step }
    if (random(2) === 0) {
      few = fewSet(few, entry, keyOf)
      map.set(entry.key, entry)
    } else {
      few = fewDelete(few, entry.key, keyOf)
      map.delete(entry.key)
    }
    assert.equal(fewSize(few), map.size)
    assert.deepEqual([...fewValues(few)], [...map.values()])
    for (let i = 0; i < 4; i++) assert.equal(fewGet(few, `k${i}`, keyOf), map.get(`k${i}`))
  }
})
