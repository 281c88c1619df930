import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { manifestFault } from '../../../src/runtime/manifest.ts'
import { Registry } from '../../../src/runtime/registry.ts'
import { resolvePackage } from '../../../src/runtime/resolve-package.ts'
import { modules, temporaryFolder } from './support.ts'

function write(folder: string, files: Record<string, string>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

const GATEWAY = `export default {
  name: 'gw-x', title: 'X', spec: 'x', transports: ['tcp'], listeners: [],
  config: { '~standard': { version: 1, vendor: 'hand', validate: (value) => ({ value }) } },
  create: () => ({ open: () => ({}) }),
}\n`

describe('discovery', () => {
  test('folders with an entry, sorted; nothing is imported for it', async () => {
    assert.deepEqual(await modules.names(), ['alpha', 'beta', 'broken', 'odd'])
  })

  test('no folder, no gateways', async () => {
    assert.deepEqual(await new Registry(join(temporaryFolder(), 'none')).names(), [])
  })

  test('the gateways that come with Omnigate have valid manifests', async () => {
    const installed = new Registry()
    for (const name of await installed.names()) {
      const { module, fault } = await installed.load(name, '/')
      assert.equal(fault, undefined, name)
      assert.equal(module?.name, name)
    }
  })
})

describe('loading', () => {
  test('a gateway by its name, once', async () => {
    const first = await modules.load('alpha', '/')
    assert.equal(first.module?.title, 'Alpha')
    assert.equal(await modules.load('alpha', '/'), first)
  })

  test('what cannot be imported, and what is no gateway', async () => {
    const broken = await modules.load('broken', '/')
    assert.equal(broken.fault?.code, 'gateway-load-failed')
    assert.equal(broken.fault?.message, 'the gateway "broken" cannot be loaded: no such cipher')
    const odd = await modules.load('odd', '/')
    assert.equal(odd.fault?.code, 'gateway-manifest-invalid')
    assert.match(odd.fault?.message ?? '', /`transports` holds "pigeon"; each must be one of tcp, tls/)
  })

  test('a package beside the config file, whatever its exports look like', async () => {
    const folder = write(temporaryFolder(), {
      'node_modules/@acme/gw-x/package.json': '{"name":"@acme/gw-x","type":"module","exports":{"import":"./lib/index.js"}}',
      'node_modules/@acme/gw-x/lib/index.js': GATEWAY,
      'node_modules/@acme/two/package.json':
        '{"name":"@acme/two","exports":{".":"./none.js","./gw":{"types":"./gw.d.ts","default":["./gw.mjs"]}}}',
      'node_modules/@acme/two/gw.mjs': GATEWAY,
      'node_modules/plain/package.json': '{"name":"plain","type":"module","main":"start.js"}',
      'node_modules/plain/start.js': GATEWAY,
      'node_modules/escape/package.json': '{"name":"escape","exports":"./../plain/start.js"}',
      'site/here': '',
    })
    for (const use of ['@acme/gw-x', '@acme/two/gw', 'plain']) {
      const { module, fault } = await modules.load(use, join(folder, 'site'))
      assert.equal(fault, undefined, use)
      assert.equal(module?.name, 'gw-x', use)
    }
    assert.equal(resolvePackage('escape', folder), undefined)
    assert.equal(resolvePackage('@acme/two/other', folder), undefined)
    assert.equal(resolvePackage('fs', folder), undefined)
    assert.equal(resolvePackage('', folder), undefined)
  })

  test('a package without a gateway, and none at all', async () => {
    const folder = write(temporaryFolder(), {
      'node_modules/tool/package.json': '{"name":"tool","type":"module","exports":"./index.js"}',
      'node_modules/tool/index.js': 'export const nothing = 1\n',
    })
    assert.match(
      (await modules.load('tool', folder)).fault?.message ?? '',
      /"tool" has no valid manifest: there is no default export/,
    )
    const missing = await modules.load('@acme/none', folder)
    assert.deepEqual([missing.fault?.code, missing.fault?.hint], ['gateway-unknown', `run "npm install @acme/none" in ${folder}`])
    assert.equal((await modules.load('none', folder)).fault?.message, 'no gateway is called "none"')
  })

  test('a path', async () => {
    const folder = write(temporaryFolder(), { 'package.json': '{"type":"module"}', 'mine/index.js': GATEWAY })
    assert.equal((await modules.load('./mine/index.js', folder)).module?.name, 'gw-x')
    assert.equal((await modules.load(join(folder, 'mine/index.js'), '/')).module?.name, 'gw-x')
    assert.equal((await modules.load('../none.js', folder)).fault?.code, 'gateway-unknown')
  })
})

test('a manifest is checked before anything relies on it', async () => {
  const { module } = await modules.load('alpha', '/')
  assert.ok(module !== undefined)
  assert.equal(manifestFault(module, 'alpha'), undefined)
  const taken = {
    '~standard': { version: 1, validate: () => ({}), jsonSchema: { input: () => ({ properties: { session: {} } }) } },
  }
  const cases: [value: unknown, fault: RegExp][] = [
    [undefined, /no default export/],
    ['alpha', /is no object/],
    [{ ...module, name: 'Alpha' }, /`name` must be lower-case/],
    [{ ...module, name: 'beta' }, /`name` is "beta", but the folder is "alpha"/],
    [{ ...module, title: '' }, /`title` must be a non-empty string/],
    [{ ...module, spec: 7 }, /`spec` must be/],
    [{ ...module, create: {} }, /`create` must be a function/],
    [{ ...module, transports: [] }, /`transports` must be a list that is not empty/],
    [{ ...module, transports: 'tcp' }, /`transports` must be a list/],
    [{ ...module, listeners: {} }, /`listeners` must be a list/],
    [{ ...module, listeners: [1] }, /`listeners\[0\]` must be \{ type, port \}/],
    [{ ...module, listeners: [{ type: 'udp', port: 1 }] }, /`listeners\[0\]`\.type must be one of `transports`/],
    [{ ...module, listeners: [{ type: 'tcp', port: 70_000 }] }, /\.port must be 0 to 65535/],
    [{ ...module, listeners: [{ type: 'ws', port: 1, path: 'x' }] }, /\.path must begin with/],
    [{ ...module, subprotocols: [1] }, /`subprotocols` must be a list of strings/],
    [{ ...module, config: undefined }, /`config` must be a Standard Schema/],
    [{ ...module, config: { '~standard': { version: 2, validate() {} } } }, /`config` must be a Standard Schema/],
    [{ ...module, config: taken }, /defines "session", which every gateway has already/],
  ]
  for (const [value, fault] of cases) assert.match(manifestFault(value, 'alpha') ?? 'accepted', fault)
})
