/** What package.json promises to importers and to `npx` is there, in the source and in the build. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { inProject, readJson, readText } from '../support/project.ts'
import { gatewayFolders } from '../support/source-tree.ts'

type Targets = string | { readonly [condition: string]: Targets }

interface Manifest {
  readonly name: string
  readonly version: string
  readonly bin: Record<string, string>
  readonly exports: Record<string, Targets>
  readonly imports: Record<string, Targets>
  readonly files: readonly string[]
}

const written = readJson('package.json') as Manifest

/** A gateway that was deleted took its entry points along; package.json may still name them. */
function isAway(targets: Targets): boolean {
  const [, gateway] = /(?:^|\/)gateways\/([^/]+)\//.exec(targetsOf(targets).join(' ')) ?? []
  return gateway !== undefined && !gatewayFolders().includes(gateway)
}

const manifest: Manifest = {
  ...written,
  exports: Object.fromEntries(Object.entries(written.exports).filter(([, targets]) => !isAway(targets))),
}

/** One name that each entry point must have, so that an empty module is no success. */
const PROMISED: Readonly<Record<string, string>> = {
  '.': 'defineGateway',
  './sdk': 'defineGateway',
  './schema': 'duration',
  './mqttsn-packet': 'parse',
  './testing': 'World',
  './jt808-parser': 'decode',
}

function targetsOf(value: Targets): string[] {
  return typeof value === 'string' ? [value] : Object.values(value).flatMap(targetsOf)
}

/** `./dist/src/sdk.d.ts` to `src/sdk.ts`: the source that a built file is made from. */
function sourceOf(target: string): string {
  const path = target.replace(/^\.\//, '')
  return path.startsWith('dist/') ? path.slice('dist/'.length).replace(/(\.d\.ts|\.js)$/, '.ts') : path
}

test('every target of exports, imports and bin has a source', () => {
  const targets = [manifest.exports, manifest.imports, manifest.bin].flatMap(targetsOf)
  assert.ok(targets.length > 0)
  const missing = targets.filter((target) => !existsSync(inProject(sourceOf(target).replace(/\/\*\.ts$/, ''))))
  assert.deepEqual(missing, [])
})

test('every target is in the package', () => {
  const shipped = (target: string) => manifest.files.some((folder) => target.replace(/^\.\//, '').startsWith(folder))
  const targets = [manifest.exports, manifest.bin].flatMap(targetsOf).filter((target) => target !== './package.json')
  assert.deepEqual(
    targets.filter((target) => !shipped(target)),
    [],
  )
})

test('every entry point can be imported by the name of the package', async () => {
  for (const [entry, name] of Object.entries(PROMISED)) {
    if (!(entry in manifest.exports) && entry in written.exports) continue
    const specifier = entry.replace(/^\./, manifest.name)
    const module = (await import(specifier)) as Record<string, unknown>
    assert.ok(name in module, `${specifier} exports ${name}`)
  }
  const promised = new Set([...Object.keys(PROMISED), './package.json'])
  assert.deepEqual(
    Object.keys(manifest.exports).filter((entry) => !promised.has(entry)),
    [],
    'an entry point without a row in this test',
  )
})

test('the command starts with a line that says how to run it', () => {
  const line = /^#!\/usr\/bin\/env (node|-S node( --[a-z0-9=-]+)+)\n/
  for (const target of Object.values(manifest.bin)) assert.match(readText(sourceOf(target)), line)
})

test('the way from a target to its source', () => {
  assert.equal(sourceOf('./dist/src/sdk.d.ts'), 'src/sdk.ts')
  assert.equal(sourceOf('dist/src/main.js'), 'src/main.ts')
  assert.equal(sourceOf('./package.json'), 'package.json')
})
