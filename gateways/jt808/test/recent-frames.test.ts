/** Recognising a frame that the terminal repeats. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentFrames } from '../recent-frames.ts'

const KEY = 0x0200_0005

test('a frame is new, then open, then accepted', () => {
  const recent = new RecentFrames(4)
  assert.equal(recent.note(KEY, 77), 'new')
  assert.equal(recent.note(KEY, 77), 'pending')
  recent.settle(KEY, true)
  assert.equal(recent.note(KEY, 77), 'accepted')
})

test('a frame that was not accepted may come again', () => {
  const recent = new RecentFrames(4)
  recent.note(KEY, 77)
  recent.settle(KEY, false)
  assert.equal(recent.note(KEY, 77), 'new')
})

test('the same number with another content is another frame', () => {
  const recent = new RecentFrames(4)
  recent.note(KEY, 0x80000002)
  recent.settle(KEY, true)
  assert.equal(recent.note(KEY, 0x80000004), 'new')
  assert.equal(recent.note(KEY, 0x80000002), 'accepted')
})

test('the oldest gives way', () => {
  const recent = new RecentFrames(2)
  for (const key of [KEY, KEY + 1, KEY + 2]) recent.note(key, 1)
  assert.equal(recent.note(KEY + 2, 1), 'pending')
  assert.equal(recent.note(KEY + 1, 1), 'pending')
  assert.equal(recent.note(KEY, 1), 'new')
})

test('a size of 0 recognises nothing', () => {
  const recent = new RecentFrames(0)
  recent.note(KEY, 77)
  recent.settle(KEY, true)
  assert.equal(recent.note(KEY, 77), 'new')
})
