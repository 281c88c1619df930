import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { packageRoot } from '../../../src/cli/package.ts'
import { errorCatalogue, explainFailure, formatProblem, GatewayError } from '../../../src/config/errors.ts'
import { ListenError } from '../../../src/transport/listen-error.ts'

const catalogue = errorCatalogue()

function sources(): string[] {
  const root = join(packageRoot(), 'src')
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(root, name), 'utf8'))
}

test('the catalogue is sorted, and every entry says cause and remedy in sentences', () => {
  const codes = Object.keys(catalogue)
  assert.deepEqual(codes, codes.toSorted())
  for (const [code, { cause, remedy }] of Object.entries(catalogue)) {
    assert.match(code, /^[a-z]+(-[a-z]+)+$/)
    for (const text of [cause, remedy]) assert.match(text, /^[A-Z].*\.$/, code)
  }
})

test('every code that is thrown is in the catalogue, and every entry is in use', () => {
  const text = sources().join('\n')
  const thrown = [...text.matchAll(/new GatewayError\(\s*'([^']+)'/g)].map(([, code = '']) => code)
  assert.ok(thrown.length > 0)
  for (const code of thrown) assert.ok(Object.hasOwn(catalogue, code), code)
  for (const code of Object.keys(catalogue)) assert.ok(text.includes(`'${code}'`), `nothing uses ${code}`)
})

test('an error carries the remedy of the catalogue unless it has a better one', () => {
  assert.equal(new GatewayError('cli-usage', 'no').hint, catalogue['cli-usage']?.remedy)
  const own = new GatewayError('cli-usage', 'no', { hint: 'yes', path: 'a.b', cause: 7 })
  assert.deepEqual([own.hint, own.path, own.cause, own.name], ['yes', 'a.b', 7, 'GatewayError'])
  assert.ok(own instanceof Error)
})

test('failures of the system and of listeners get codes', () => {
  const system = (code: string) => Object.assign(new Error(`${code}: refused\nmore`), { code })
  const cases: [error: unknown, code: string][] = [
    [system('EADDRINUSE'), 'address-in-use'],
    [system('EACCES'), 'permission-denied'],
    [system('EADDRNOTAVAIL'), 'address-not-available'],
    [system('ENOTFOUND'), 'host-not-found'],
    [system('ENOENT'), 'file-unreadable'],
    [system('EMFILE'), 'too-many-open-files'],
    [system('ESOMETHING'), 'gateway-start-failed'],
    [new ListenError('in-use', 'taken'), 'address-in-use'],
    [new ListenError('tls', 'no key'), 'tls-material-invalid'],
    ['just text', 'gateway-start-failed'],
  ]
  for (const [error, code] of cases) {
    const explained = explainFailure(error, 'gateways.x')
    assert.equal(explained.code, code)
    assert.equal(explained.path, 'gateways.x')
    assert.ok(!explained.message.includes('\n'))
  }
  const own = new GatewayError('cli-usage', 'no')
  assert.equal(explainFailure(own, 'elsewhere'), own)
})

test('a problem is one line', () => {
  const base = { code: 'config-syntax', path: '', source: '', message: 'it is\n  wrong', hint: '' } as const
  assert.equal(formatProblem(base), 'it is wrong.')
  assert.equal(formatProblem({ ...base, source: 'x:1:2' }), 'x:1:2: it is wrong.')
  assert.equal(
    formatProblem({ ...base, source: 'x:1:2', path: 'a.b', hint: 'did you mean c?' }),
    'x:1:2 a.b: it is wrong. Did you mean c?',
  )
})
