/** Law 6: what is generated under `specs` is what the code generates today; `specs/generated` holds no more and no less. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../support/process.ts'
import { inProject } from '../support/project.ts'
import { deletedGateways } from '../support/source-tree.ts'

const GENERATED = join('specs', 'generated')

/** Path to text, of every file below a folder. */
function contentsOf(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]),
  )
}

/** Names of files that are missing, left over, or different. */
function differences(committed: Map<string, string>, fresh: Map<string, string>): string[] {
  const names = new Set([...committed.keys(), ...fresh.keys()])
  return [...names].sort().filter((name) => committed.get(name) !== fresh.get(name))
}

const deleted = deletedGateways()

test('generating again changes nothing', { skip: deleted.length > 0 && `deleted: ${deleted.join(', ')}` }, async () => {
  const copy = mkdtempSync(join(tmpdir(), 'omnigate-generated-'))
  try {
    for (const path of ['package.json', 'specs', 'dist']) cpSync(inProject(path), join(copy, path), { recursive: true })
    rmSync(join(copy, GENERATED), { recursive: true, force: true })
    symlinkSync(inProject('node_modules'), join(copy, 'node_modules'))
    const { code, stderr } = await run(process.execPath, ['dist/src/cli/generate.js'], { cwd: copy })
    assert.equal(code, 0, stderr)
    assert.ok(contentsOf(join(copy, GENERATED)).size > 0, 'something is generated')
    const fresh = contentsOf(join(copy, 'specs'))
    assert.deepEqual(differences(contentsOf(inProject('specs')), fresh), [], 'run `npm run generate`')
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
})

test('a file that is missing, left over or different is seen', () => {
  const committed = new Map([
    ['a', '1'],
    ['b', '1'],
  ])
  const fresh = new Map([
    ['b', '2'],
    ['c', '1'],
  ])
  assert.deepEqual(differences(committed, fresh), ['a', 'b', 'c'])
  assert.deepEqual(differences(committed, new Map(committed)), [])
})

test('the files below a folder are found', () => {
  const folder = mkdtempSync(join(tmpdir(), 'omnigate-contents-'))
  try {
    writeFileSync(join(folder, 'a.json'), '{}')
    assert.deepEqual([...contentsOf(folder)], [['a.json', '{}']])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
