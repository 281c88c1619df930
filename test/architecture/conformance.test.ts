/** Every requirement that a conformance row calls done names a test that exists. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { inProject, readJson, readText } from '../support/project.ts'
import { foldersIn, gatewayFolders } from '../support/source-tree.ts'

const files = foldersIn('specs')
  .map((folder) => `specs/${folder}/conformance.json`)
  .filter((path) => existsSync(inProject(path)))

/** Reads a source, or undefined when there is none. */
type ReadSource = (path: string) => string | undefined

const readSource: ReadSource = (path) => (existsSync(inProject(path)) ? readText(path) : undefined)

const MEMBERS = new Set(['id', 'clause', 'text', 'status', 'test', 'note'])

/** A gateway that was deleted took its tests along; its rows wait for it. */
function isAway(path: string): boolean {
  const [folder, name] = path.split('/')
  return folder === 'gateways' && name !== undefined && !gatewayFolders().includes(name)
}

function holdsTest(source: string, name: string): boolean {
  const plain = source.replace(/\\(['"`])/g, '$1')
  return [`'${name}'`, `"${name}"`, `\`${name}\``].some((literal) => plain.includes(literal))
}

/** A script's scenarios are tests: `test/conformance/scripts.test.ts` performs each of them. */
const SCRIPT = /^specs\/[^/]+\/scripts\/[^/]+\.script$/

function holdsScenario(source: string, title: string): boolean {
  return source.split('\n').some((line) => line.trim() === `== ${title}`)
}

function testFault(reference: unknown, read: ReadSource): string | undefined {
  if (typeof reference !== 'string') return 'a test is written `file :: name`'
  const [path = '', name = '', ...rest] = reference.split(' :: ')
  if (path === '' || name === '' || rest.length > 0) return `\`${reference}\` is not \`file :: name\``
  const isScript = SCRIPT.test(path)
  if (!isScript && !path.endsWith('.test.ts')) return `${path} is no test`
  if (isAway(path)) return undefined
  const source = read(path)
  if (source === undefined) return `${path} does not exist`
  const holds = isScript ? holdsScenario(source, name) : holdsTest(source, name)
  return holds ? undefined : `${path} holds no test '${name}'`
}

function rowFaults(row: unknown, read: ReadSource): string[] {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return ['a row is an object']
  const { id, clause, text, status, test: tests } = row as Record<string, unknown>
  const faults: string[] = []
  if (typeof id !== 'string' || !/^[a-z0-9]+([.-][a-z0-9]+)*$/i.test(id)) faults.push('id is missing or not kebab-case')
  if (typeof clause !== 'string' || clause === '') faults.push('clause is missing')
  if (typeof text !== 'string' || text.length < 10) faults.push('text is missing')
  if (status !== 'done' && status !== 'planned') faults.push(`status is ${String(status)}: write done or planned`)
  for (const member of Object.keys(row)) if (!MEMBERS.has(member)) faults.push(`unknown member ${member}`)
  const references = Array.isArray(tests) ? tests : tests === undefined ? [] : [tests]
  if (status === 'done' && references.length === 0) faults.push('done, but names no test')
  for (const reference of references) faults.push(...[testFault(reference, read) ?? []].flat())
  return faults.map((fault) => `${String(id)}: ${fault}`)
}

for (const path of files) {
  test(`${path}: every row that is done names a test that exists`, () => {
    const rows = readJson(path)
    assert.ok(Array.isArray(rows) && rows.length > 0, 'an array of rows')
    assert.deepEqual(
      rows.flatMap((row) => rowFaults(row, readSource)),
      [],
    )
    const ids = rows.map((row) => row.id)
    assert.deepEqual(
      ids.filter((id, index) => ids.indexOf(id) !== index),
      [],
      'ids are unique',
    )
  })
}

test('every gateway has conformance rows where its manifest says', () => {
  const missing = gatewayFolders().filter((name) => {
    const spec = /\bspec:\s*'([^']+)'/.exec(readText(`gateways/${name}/index.ts`))?.[1]
    return spec === undefined || !files.includes(`specs/${spec}/conformance.json`)
  })
  assert.deepEqual(missing, [])
})

test('a row that claims too much is seen', () => {
  const source = "test('it\\'s sent again', () => {})"
  const read: ReadSource = (path) => (path === 'test/a.test.ts' ? source : undefined)
  const row = {
    id: 'a-b',
    clause: 'RFC 7252 4.2',
    text: 'a requirement in words',
    status: 'done',
    test: "test/a.test.ts :: it's sent again",
  }
  assert.deepEqual(rowFaults(row, read), [])
  assert.deepEqual(rowFaults({ ...row, status: 'planned', test: undefined }, read), [])
  const script: ReadSource = (path) => (path === 'specs/a/scripts/b.script' ? '== one thing\n' : undefined)
  assert.deepEqual(rowFaults({ ...row, test: 'specs/a/scripts/b.script :: one thing' }, script), [])
  assert.equal(rowFaults({ ...row, test: 'specs/a/scripts/b.script :: another' }, script).length, 1)
  const wrong: Record<string, unknown>[] = [
    { ...row, test: undefined },
    { ...row, test: 'test/a.test.ts' },
    { ...row, test: 'test/a.test.ts :: it is sent twice' },
    { ...row, test: 'test/b.test.ts :: x' },
    { ...row, test: 'test/a.ts :: x' },
    { ...row, status: 'partly' },
    { ...row, status: undefined },
    { ...row, clause: '' },
    { ...row, tset: 'x' },
  ]
  for (const one of wrong) assert.equal(rowFaults(one, read).length, 1, JSON.stringify(one))
})
