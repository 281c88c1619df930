/** Branches are a set, whatever form they have. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allBranches, type Branches, withBranch, withoutBranch } from '../../../src/runtime/branches.ts'

test('branches come and go, one or many', () => {
  const [a, b, c] = [{}, {}, {}]
  let branches: Branches<object>
  branches = withBranch(branches, a)
  assert.deepEqual(allBranches(branches), [a])
  assert.equal(withoutBranch(branches, b), a, 'another one')
  branches = withBranch(withBranch(branches, b), c)
  branches = withBranch(branches, b)
  assert.equal(allBranches(branches).length, 3)
  const before = allBranches(branches)
  for (const host of before) branches = withoutBranch(branches, host)
  assert.equal(branches, undefined)
  assert.deepEqual(allBranches(branches), [])
  assert.equal(withoutBranch(withBranch(undefined, a), a), undefined)
})
