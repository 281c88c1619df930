/** Patterns agree with JavaScript's regular expressions, and take linear time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Pattern } from '../../../src/broker/pattern.ts'

function compiled(source: string): Pattern {
  const pattern = Pattern.compile(source)
  if (typeof pattern === 'string') throw new Error(`${source}: ${pattern}`)
  return pattern
}

/** What JavaScript finds. */
function oracle(source: string, text: string): (string | undefined)[] | undefined {
  return new RegExp(source, 'u').exec(text)?.slice(1)
}

test('what people write in rewrite rules', () => {
  const cases: [source: string, text: string][] = [
    ['^y/(.+)/z/(.+)$', 'y/a/z/b'],
    ['^y/(.+)/z/(.+)$', 'y/a/z/b/z/c'],
    ['^y/(.+?)/z/(.+)$', 'y/a/z/b/z/c'],
    ['^x/y/(.+)$', 'x/y/z'],
    ['^x/y/(\\d+)$', 'x/y/1'],
    ['^x/y/(\\d+)$', 'x/y/a'],
    ['([^/]+)/([^/]+)', 'site/room/lamp'],
    ['^(a|ab)(c|bcd)(d*)$', 'abcd'],
    ['^[A-Z]{2,3}-(\\w{2})\\.$', 'ABC-x1.'],
    ['^(?:eu|us)/(.*)$', 'us/'],
    ['(é|😀)[^a]', 'x😀y'],
    ['^$', ''],
    ['a||b', 'b'],
    ['[]', 'a'],
    ['[^]', '/'],
    ['[\\d\\-x]+', 'ab1-x'],
    ['x{0}y', 'xy'],
  ]
  for (const [source, text] of cases) assert.deepEqual(compiled(source).match(text), oracle(source, text), `${source} on ${text}`)
})

test('random patterns find what JavaScript finds', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^b]', '\\w', '/')
  const piece = fc
    .tuple(atom, fc.constantFrom('', '*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{1,}?'))
    .map((p) => p.join(''))
  const run = fc.array(piece, { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join(''))
  const group = fc
    .tuple(fc.constantFrom('(', '(?:'), run, fc.option(run, { nil: undefined }))
    .map(([open, one, two]) => `${open}${one}${two === undefined ? '' : `|${two}`})`)
  const source = fc
    .tuple(fc.constantFrom('', '^'), fc.array(fc.oneof(run, group), { minLength: 1, maxLength: 4 }), fc.constantFrom('', '$'))
    .map(([begin, parts, end]) => begin + parts.join('') + end)
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '/', '\n'), maxLength: 12 })
  fc.assert(
    fc.property(source, text, (pattern, input) => {
      assert.deepEqual(compiled(pattern).match(input), oracle(pattern, input))
    }),
    { numRuns: 3000 },
  )
})

test('what keeps a backtracking matcher busy for ever is done at once', () => {
  const hostile = `${'a'.repeat(5000)}\n`
  for (const source of ['^(a+)+$', '^(a|aa)+$', '(.*)(.*)(.*)(.*)(.*)x', `${'a?'.repeat(60)}${'a'.repeat(60)}$`])
    assert.equal(compiled(source).match(hostile), undefined, source)
})

test('what is not supported is said in words', () => {
  const cases: [source: string, words: RegExp][] = [
    ['(', /not closed/],
    [')', /closes nothing/],
    ['[a', /not closed/],
    ['a**', /cannot repeat/],
    ['+a', /repeats nothing/],
    ['^*', /cannot repeat/],
    ['(?=a)', /look-around/],
    ['(?<!a)', /look-around/],
    ['(a)\\1', /back-references/],
    ['\\bword', /not supported/],
    ['a{2,1}', /below/],
    ['a{x}', /brace/],
    ['a{9999}', /above 1000/],
    ['[b-a]', /no order/],
    ['[\\d-z]', /no order/],
    ['a\\', /ends with/],
    ['(a{100}){100}', /too long/],
    ['('.repeat(100), /too deeply/],
  ]
  for (const [source, words] of cases) {
    const fault = Pattern.compile(source)
    assert.ok(typeof fault === 'string' && words.test(fault), `${source}: ${String(fault)}`)
  }
})
