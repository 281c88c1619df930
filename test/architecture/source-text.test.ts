/** The scanner behind the architecture tests: a test that reads sources is worth what its scanner is worth. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOnly, importsOf, pieces, withoutComments } from '../support/source-text.ts'
import { sourcesUnder } from '../support/source-tree.ts'

const spaces = (count: number) => ' '.repeat(count)

test('comments and literals become spaces, and nothing moves', () => {
  assert.equal(codeOnly("a // b\n'c' d"), `a ${spaces(4)}\n${spaces(3)} d`)
  assert.equal(codeOnly('/* x\n y */z'), `${spaces(4)}\n${spaces(5)}z`)
  assert.equal(withoutComments("'// no' // yes"), `'// no' ${spaces(6)}`)
})

/** What is left of a line of code, in words. */
const words = (text: string) => codeOnly(text).trim().split(/\s+/).join(' ')

test('the code inside a template is code', () => {
  assert.equal(words('`a${ b + `c${d}` }e` + f'), 'b + d + f')
  assert.equal(words('`${ { a: 1 } }`.b'), '{ a: 1 } .b')
})

test('a pattern is no comment, a division is no pattern', () => {
  assert.equal(words(`x = /[/'"]/g; y`), 'x = g; y')
  assert.equal(words('return /x/'), 'return')
  assert.equal(words('a / b / c // d'), 'a / b / c')
  assert.equal(words('(a) / 2 // /'), '(a) / 2')
})

test('escapes do not end a literal', () => {
  assert.equal(words(String.raw`'a\'b' c`), 'c')
  assert.equal(words(String.raw`/a\/b/ c`), 'c')
})

test('imports of every form are found, those in comments and strings are not', () => {
  const source = [
    "import a from './a.ts'",
    "import type { B } from './b.ts'",
    "import {\n  c,\n  type D,\n} from './c.ts'",
    "import './e.ts'",
    "export * from './f.ts'",
    "export type { G } from './g.ts'",
    "const h = await import('./h.ts')",
    "// import './no.ts'",
    "const text = `import './no.ts'`",
    'const other = "import(\'./no.ts\')"',
    "import * as i from './i.ts'",
  ].join('\n')
  const found = importsOf(source)
  assert.deepEqual(
    found.map((one) => one.specifier),
    ['./a.ts', './b.ts', './c.ts', './e.ts', './f.ts', './g.ts', './h.ts', './i.ts'],
  )
  assert.deepEqual(
    found.filter((one) => one.typeOnly).map((one) => one.specifier),
    ['./b.ts', './g.ts'],
  )
  assert.deepEqual(
    found.filter((one) => one.dynamic).map((one) => one.specifier),
    ['./h.ts'],
  )
})

test('every source of the project is covered without gaps', () => {
  for (const { path, text } of sourcesUnder('src', 'gateways', 'test', 'examples')) {
    let end = 0
    for (const piece of pieces(text)) {
      assert.equal(piece.start, end, path)
      end = piece.end
    }
    assert.equal(end, text.length, path)
    assert.equal(codeOnly(text).length, text.length, path)
  }
})
