/** Law 4: without any one gateway the system builds and finds the rest; a new folder is found without an edit elsewhere. */
import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { run } from '../support/process.ts'
import { inProject } from '../support/project.ts'
import { filesUnder, gatewayFolders } from '../support/source-tree.ts'

const SUITE_TIMEOUT_MS = 120_000

const gateways = gatewayFolders()
const copy = mkdtempSync(join(tmpdir(), 'omnigate-deletion-'))
const elsewhere = join(copy, '.elsewhere')

/** Lists what discovery finds, and loads each: a gateway that needed another would fail here. */
const DISCOVER = `
import { Registry } from './dist/src/runtime/registry.js'
const registry = new Registry()
const found = {}
for (const name of await registry.names()) found[name] = (await registry.load(name, '.')).fault?.message ?? 'loads'
console.log(JSON.stringify(found))
`

before(() => {
  for (const path of filesUnder('')) {
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    cpSync(inProject(path), join(copy, path))
  }
  symlinkSync(inProject('node_modules'), join(copy, 'node_modules'))
  writeFileSync(join(copy, 'discover.mjs'), DISCOVER)
  mkdirSync(elsewhere)
})

after(() => rmSync(copy, { recursive: true, force: true }))

/** Compiles the copy from nothing; a folder that is gone must not live on in the output. */
async function build(): Promise<void> {
  rmSync(join(copy, 'dist'), { recursive: true, force: true })
  const { code, stdout } = await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], { cwd: copy })
  assert.equal(code, 0, stdout)
}

/** Name to `loads`, or to what is wrong. */
async function discovered(): Promise<Record<string, string>> {
  const { code, stdout, stderr } = await run(process.execPath, ['discover.mjs'], { cwd: copy })
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as Record<string, string>
}

function allLoad(names: readonly string[]): Record<string, string> {
  return Object.fromEntries([...names].sort().map((name) => [name, 'loads']))
}

test('the build holds no gateway whose folder is gone', () => {
  const built = inProject('dist/gateways')
  const leftOver = existsSync(built) ? readdirSync(built).filter((name) => !existsSync(inProject(`gateways/${name}`))) : []
  assert.deepEqual(leftOver, [], 'build from an empty dist')
})

test('every gateway is found and loads', async () => {
  assert.ok(gateways.length > 1, 'a deletion needs something that remains')
  await build()
  assert.deepEqual(await discovered(), allLoad(gateways))
})

for (const name of gateways) {
  test(`without ${name} everything compiles, and the others load`, async () => {
    const folder = join(copy, 'gateways', name)
    renameSync(folder, join(elsewhere, name))
    try {
      await build()
      assert.deepEqual(await discovered(), allLoad(gateways.filter((other) => other !== name)))
    } finally {
      renameSync(join(elsewhere, name), folder)
    }
  })
}

test('without any gateway the unit tests pass', async () => {
  const folder = join(copy, 'gateways')
  renameSync(folder, join(elsewhere, 'all'))
  try {
    await build()
    assert.deepEqual(await discovered(), {})
    const { code, stdout } = await run(process.execPath, ['dist/test/run.js', 'test/unit/'], {
      cwd: copy,
      timeoutMs: SUITE_TIMEOUT_MS,
    })
    const failed = stdout.split('\n').filter((line) => line.startsWith('failed: '))
    assert.deepEqual({ code, failed }, { code: 0, failed: [] })
  } finally {
    renameSync(join(elsewhere, 'all'), folder)
  }
})

test('a new folder is a new gateway', async () => {
  const example = join(copy, 'examples', 'custom-gateway')
  const name = /\bname:\s*'([^']+)'/.exec(readFileSync(join(example, 'index.ts'), 'utf8'))?.[1]
  assert.ok(name !== undefined && !gateways.includes(name), 'the example has a name of its own')
  const folder = join(copy, 'gateways', name)
  cpSync(example, folder, { recursive: true })
  try {
    await build()
    assert.deepEqual(await discovered(), allLoad([...gateways, name]))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a tree that does not compile is seen', async () => {
  const broken = join(copy, 'src', 'broken.ts')
  writeFileSync(broken, "import gone from '../gateways/gone/index.ts'\nexport const name = gone.name\n")
  await assert.rejects(build(), /gateways\/gone/)
  rmSync(broken)
  assert.ok(!existsSync(broken))
})
