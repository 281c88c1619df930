/** Law 5: no file over 400 lines without a row that says why. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readText } from '../support/project.ts'
import { filesUnder } from '../support/source-tree.ts'

const MAX_LINES = 400

/** Files that are longer, and why they are not cut. */
const EXCEPTIONS: Readonly<Record<string, string>> = {}

const CODE = /\.(ts|tsx|js|mjs|c|css|html|sh|script)$/

function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
}

const lines = new Map(
  ['src', 'gateways', 'examples', 'test', '.ci']
    .flatMap(filesUnder)
    .filter((path) => CODE.test(path) || path === '.ci/run')
    .map((path) => [path, lineCount(readText(path))]),
)

test('no file is longer than 400 lines without a reason', () => {
  assert.ok(lines.size > 0)
  const long = [...lines].filter(([path, count]) => count > MAX_LINES && EXCEPTIONS[path] === undefined)
  assert.deepEqual(
    long.map(([path, count]) => `${path} has ${count} lines`),
    [],
  )
})

test('every exception is still needed and has a reason', () => {
  for (const [path, reason] of Object.entries(EXCEPTIONS)) {
    assert.ok((lines.get(path) ?? 0) > MAX_LINES, `${path} needs no exception`)
    assert.ok(reason.length >= 20, `${path}: say why`)
  }
})

test('lines are counted as people count them', () => {
  assert.equal(lineCount('a\nb\n'), 2)
  assert.equal(lineCount('a\nb'), 2)
})
