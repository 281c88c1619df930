import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseConfig } from '../../../src/config/document.ts'
import { formatProblem } from '../../../src/config/errors.ts'
import { interpolate } from '../../../src/config/interpolate.ts'
import { editDistance, nearest } from '../../../src/config/nearest.ts'
import { overrideValue } from '../../../src/config/overrides.ts'
import { formatPath } from '../../../src/config/path.ts'

describe('interpolation', () => {
  const environment = { PORT: '1883', EMPTY: '', HOST: 'a:b' }

  test('variables, defaults, placeholders and escapes', () => {
    const cases: Record<string, string> = {
      plain: 'plain',
      'x${PORT}y': 'x1883y',
      '${HOST}/${PORT}': 'a:b/1883',
      '${NOPE:fallback}': 'fallback',
      '${NOPE:}': '',
      '${NOPE:127.0.0.1:1883}': '127.0.0.1:1883',
      '${PORT:9}': '1883',
      '${EMPTY:9}': '',
      '${clientid}/${username}': '${clientid}/${username}',
      '$${PORT}': '${PORT}',
      '$PORT ${': '$PORT ${',
    }
    for (const [text, wanted] of Object.entries(cases)) {
      const { text: got, missing } = interpolate(text, environment)
      assert.deepEqual([got, missing], [wanted, []], text)
    }
  })

  test('names every variable that is missing', () => {
    assert.deepEqual(interpolate('${A}-${PORT}-${B_2}', environment).missing, ['A', 'B_2'])
  })
})

describe('YAML', () => {
  test('a plain value gets the type of what a variable holds, a quoted one stays text', () => {
    const { data, problems } = parseConfig('a: ${N}\nb: "${N}"\nc: ${T}\nd: ${S}\ne: [ "${N}" ]\nf: ${P:yes # no}\n', 'x.yaml', {
      N: '12',
      T: 'true',
      S: 'a: b',
    })
    assert.deepEqual(problems, [])
    assert.deepEqual(data, { a: 12, b: '12', c: true, d: 'a: b', e: ['12'], f: '${P:yes' })
  })

  test('a missing variable is named with its place', () => {
    const { problems } = parseConfig('a:\n  - b: { c: "${NOPE}" }\n', 'dir/x.yaml', {})
    assert.deepEqual(problems.map(formatProblem), [
      'x.yaml:2:13 a[0].b.c: the environment variable NOPE is not set. Set NOPE, or give a default: ${NOPE:value}.',
    ])
  })

  test('places of values, keys, and of what is not there', () => {
    const { locate } = parseConfig('a:\n  b: 1\n  list:\n    - x\n    - { y: 2 }\nanchor: &k { z: 3 }\nalias: *k\n', 'x.yaml', {})
    assert.equal(locate(['a', 'b']), 'x.yaml:2:6')
    assert.equal(locate(['a', 'b'], 'key'), 'x.yaml:2:3')
    assert.equal(locate(['a', 'list', 1, 'y']), 'x.yaml:5:12')
    assert.equal(locate(['a', 'list', 1, 'missing', 'deeper']), 'x.yaml:5:7')
    assert.equal(locate(['a', 'missing']), 'x.yaml:1:1')
    assert.equal(locate(['alias', 'z']), 'x.yaml:6:17')
    assert.equal(locate(['missing']), 'x.yaml')
  })

  test('syntax errors: one line, with a hint for the usual slips', () => {
    const cases: Record<string, RegExp> = {
      'a: {b: ${X}}': /^x\.yaml:1:9: this is no YAML: .*put quotes round a value/i,
      'bind: [::1]:1883': /quotes round an address with brackets/,
      'a: 1\n\tb: 2': /indent with spaces/,
      'a: "unclosed': /check the indentation and the quotes/,
      'a: 1\na: 2': /stands twice in the same map\. Remove one/,
      '- a\n- b': /no map of keys and values/,
      'just text': /no map of keys and values/,
      'a: *nowhere': /write the values out instead of the alias/,
      'a: 1\n---\nb: 2': /this is no YAML/,
    }
    for (const [text, wanted] of Object.entries(cases)) {
      const { problems } = parseConfig(text, 'x.yaml', {})
      assert.equal(problems.length, 1, text)
      const [problem] = problems
      assert.ok(problem !== undefined)
      assert.equal(problem.code, 'config-syntax')
      const line = formatProblem(problem)
      assert.ok(!line.includes('\n'))
      assert.match(line, new RegExp(wanted.source, 'i'), text)
    }
  })

  test('an empty file is an empty config', () => {
    assert.deepEqual(parseConfig('# nothing\n', 'x.yaml', {}).data, {})
  })

  test('a bomb of aliases is a problem, not a crash', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
    for (let i = 1; i < 9; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      )
    const { problems, data } = parseConfig(lines.join('\n'), 'x.yaml', {})
    assert.equal(problems[0]?.code, 'config-syntax')
    assert.deepEqual(data, {})
  })
})

test('override values are scalars, flow lists and flow maps, or text', () => {
  const text = { type: 'string' }
  assert.equal(overrideValue('12', undefined), 12)
  assert.equal(overrideValue('12', text), '12')
  assert.equal(overrideValue('"12"', undefined), '12')
  assert.equal(overrideValue('true', undefined), true)
  assert.equal(overrideValue('', undefined), '')
  assert.equal(overrideValue('a: b', undefined), 'a: b')
  assert.equal(overrideValue('- a', undefined), '- a')
  assert.equal(overrideValue('a #b', undefined), 'a #b')
  assert.equal(overrideValue('[::1]:1883', undefined), '[::1]:1883')
  assert.equal(overrideValue('127.0.0.1:1883', undefined), '127.0.0.1:1883')
  assert.deepEqual(overrideValue('[a, 2]', undefined), ['a', 2])
  assert.deepEqual(overrideValue('[{type: udp, bind: ":0"}]', undefined), [{ type: 'udp', bind: ':0' }])
})

test('paths read like JavaScript', () => {
  assert.equal(formatPath(['gateways', 'coap', 'listeners', 0, 'bind']), 'gateways.coap.listeners[0].bind')
  assert.equal(formatPath(['gateways', 'a.b', 'x-y']), 'gateways["a.b"].x-y')
  assert.equal(formatPath([]), '')
})

describe('nearest name', () => {
  test('counts edits', () => {
    assert.equal(editDistance('', 'abc'), 3)
    assert.equal(editDistance('kitten', 'sitting'), 3)
    assert.equal(editDistance('mqtt', 'mtqt'), 1)
    assert.equal(editDistance('same', 'same'), 0)
  })

  test('suggests slips of the pen only', () => {
    const names = ['listeners', 'mountpoint', 'session', 'use']
    assert.equal(nearest('listener', names), 'listeners')
    assert.equal(nearest('mountPoint', names), 'mountpoint')
    assert.equal(nearest('sesion', names), 'session')
    assert.equal(nearest('port', names), undefined)
    assert.equal(nearest('x', ['y']), undefined)
  })
})
