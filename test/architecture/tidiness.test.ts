/** Nothing is left for later, nothing is switched off, and nothing knows the machine that it was written on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readText } from '../support/project.ts'
import type { SourceFile } from '../support/source-tree.ts'
import { at, filesUnder } from '../support/source-tree.ts'

interface Rule {
  readonly pattern: RegExp
  readonly why: string
}

const RULES: readonly Rule[] = [
  { pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/g, why: 'left for later' },
  { pattern: /\b(?:test|it|describe|suite)\s*\.\s*(?:only|skip|todo)\s*\(/g, why: 'switched off' },
  { pattern: /@ts-(?:ignore|nocheck)/g, why: 'hidden from the compiler' },
  { pattern: /(?<![\w.-])\/(?:root|work|home\/\w+|Users\/\w+)\//g, why: 'a path of one machine' },
]

const TEXT = /\.(ts|js|mjs|json|md|ya?ml|sh|script|c|html|css)$|^\.ci\/run$/

/** Its own patterns, and a lock file whose addresses npm writes. */
const EXEMPT = new Set(['test/architecture/tidiness.test.ts', 'package-lock.json'])

function faults(file: SourceFile): string[] {
  return RULES.flatMap(({ pattern, why }) =>
    [...file.text.matchAll(pattern)].map((match) => `${at(file, match.index)} ${match[0]}: ${why}`),
  )
}

test('nothing is left for later, switched off or bound to a machine', () => {
  const files = filesUnder('').filter((path) => TEXT.test(path) && !EXEMPT.has(path))
  assert.ok(files.length > 0)
  assert.deepEqual(
    files.flatMap((path) => faults({ path, text: readText(path) })),
    [],
  )
})

test('what is forbidden is seen', () => {
  const seen = (text: string) => faults({ path: 'x.ts', text }).length
  assert.equal(seen('// TODO: later'), 1)
  assert.equal(seen("test.only('x', f)"), 1)
  assert.equal(seen("describe.skip('x', f)"), 1)
  assert.equal(seen('// @ts-ignore'), 1)
  assert.equal(seen("readFileSync('/root/x')"), 1)
  assert.equal(seen("link.close('done')\nconst todos = list.skip(1)\nGET /home/../x"), 0)
})
