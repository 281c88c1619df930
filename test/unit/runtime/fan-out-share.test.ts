/** A turn hands out its share of copies; who wants more goes on in later turns, in order, and nobody is forgotten. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FanOutShare } from '../../../src/runtime/fan-out-share.ts'

/** With turns that the test grants, one at a time. */
function shareOf(copies: number) {
  const due: (() => void)[] = []
  const share = new FanOutShare((work) => void due.push(work), copies)
  return { share, due, turn: () => due.shift()?.() }
}

test('the share is used up by copies, not by messages', () => {
  const { share } = shareOf(10)
  for (let i = 0; i < 9; i++) assert.equal(share.spend(1), true)
  assert.equal(share.spend(0), true)
  assert.equal(share.spend(1), false)
  assert.equal(share.spend(0), false, 'until somebody rested')
})

test('those that rest go on in turns of their own: as many as a share serves, first come first', () => {
  const { share, due, turn } = shareOf(10)
  const served: string[] = []
  const publish = (name: string): void => {
    served.push(name)
    if (!share.spend(6) && served.length < 12) share.rest(() => publish(name))
  }
  for (const name of ['a', 'b', 'c', 'd']) publish(name)
  assert.equal(served.join(''), 'abcd', 'what has begun is handed out')
  const turns: string[] = []
  while (due.length > 0) {
    assert.equal(due.length, 1, 'one turn is asked for at a time')
    const before = served.length
    turn()
    turns.push(served.slice(before).join(''))
  }
  assert.ok(turns.every((names) => names.length <= 2))
  assert.equal(turns.join('').slice(0, 3), 'bcd')
})
