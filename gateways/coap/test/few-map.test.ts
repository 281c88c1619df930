/** A map of mostly one entry behaves as a map. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FewMap } from '../few-map.ts'

test('every sequence of changes gives what a map gives', () => {
  let seed = 7
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return (seed >>> 16) % below
  }
  const few = new FewMap<string, number>()
  const map = new Map<string, number>()
  for (let step = 0; step < 5000; step++) {
    const key = `k${random(4)}`
    if (random(2) === 0) {
      few.set(key, step)
      map.set(key, step)
    } else {
      assert.equal(few.delete(key), map.delete(key))
    }
    assert.equal(few.size, map.size)
    assert.deepEqual([...few.values()].sort(), [...map.values()].sort())
    for (let i = 0; i < 4; i++) {
      assert.equal(few.get(`k${i}`), map.get(`k${i}`))
      assert.equal(few.has(`k${i}`), map.has(`k${i}`))
    }
  }
})
