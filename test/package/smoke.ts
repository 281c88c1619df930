/**
 * The installed package, as a user has it: `node dist/test/package/smoke.js FOLDER`, where FOLDER is one in which
 * `npm install omnigate-x.y.z.tgz` was run. Versions, schemas, entry points, `check`, and a start and stop of every
 * gateway on free ports.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { GatewayModule } from '../../src/sdk.ts'
import { Daemon, run } from '../support/process.ts'
import { readJson } from '../support/project.ts'

const SECURE = ['tls', 'dtls', 'wss']

const app = resolve(process.argv[2] ?? '.')
const folder = join(app, 'node_modules', 'omnigate')
const omnigate = join(app, 'node_modules', '.bin', 'omnigate')
const { version } = readJson('package.json') as { version: string }

async function step(name: string, action: () => Promise<void>): Promise<void> {
  await action()
  console.log(`ok  ${name}`)
}

async function manifests(): Promise<GatewayModule[]> {
  const names = readdirSync(join(folder, 'dist', 'gateways'))
  const modules = await Promise.all(
    names.map(async (name) => {
      const url = pathToFileURL(join(folder, 'dist', 'gateways', name, 'index.js')).href
      return ((await import(url)) as { default: GatewayModule }).default
    }),
  )
  assert.ok(modules.length > 0, 'the package holds gateways')
  return modules
}

/** Every gateway on its default transports, each on a free port of the loopback. */
function configOf(modules: readonly GatewayModule[]): string {
  const gateways = modules.map(({ name, listeners }) => {
    const plain = listeners.filter(({ type }) => !SECURE.includes(type))
    return [name, { listeners: plain.map(({ type, path }) => ({ type, bind: '127.0.0.1:0', ...(path && { path }) })) }]
  })
  return JSON.stringify({ node: { name: 'smoke', dataDir: './data' }, gateways: Object.fromEntries(gateways) }, null, 2)
}

await step('npx omnigate --version', async () => {
  const { code, stdout } = await run('npx', ['--no-install', 'omnigate', '--version'], { cwd: app })
  assert.equal(code, 0)
  assert.ok(stdout.includes(version), stdout)
})

await step('the package holds no tests', async () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  assert.deepEqual(
    files.filter((path) => /(^|[\\/])test[\\/]|\.test\./.test(path) && !path.startsWith('node_modules')),
    [],
  )
})

await step('the entry points import', async () => {
  for (const entry of ['omnigate', 'omnigate/sdk', 'omnigate/schema', 'omnigate/testing', 'omnigate/jt808-parser']) {
    const code = `if (Object.keys(await import('${entry}')).length === 0) throw new Error('empty')`
    const result = await run(process.execPath, ['--input-type=module', '--eval', code], { cwd: app })
    assert.equal(result.code, 0, `${entry}: ${result.stderr}`)
  }
})

const modules = await manifests()

await step('omnigate schema prints JSON for all and for each', async () => {
  for (const name of ['', ...modules.map((module) => module.name)]) {
    const { code, stdout, stderr } = await run(omnigate, ['schema', name].filter(Boolean), { cwd: app })
    assert.equal(code, 0, `${name}: ${stderr}`)
    assert.equal(typeof JSON.parse(stdout), 'object')
  }
})

const work = mkdtempSync(join(tmpdir(), 'omnigate-smoke-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))
const file = join(work, 'omnigate.yaml')
writeFileSync(file, configOf(modules))

await step('omnigate check accepts a good file and names what is wrong in a bad one', async () => {
  const good = await run(omnigate, ['check', file])
  assert.equal(good.code, 0, good.stdout + good.stderr)
  const bad = join(work, 'bad.yaml')
  writeFileSync(bad, `gateways:\n  ${modules[0]?.name}:\n    lisseners: []\n`)
  const { code, stdout, stderr } = await run(omnigate, ['check', bad])
  assert.equal(code, 1)
  assert.match(stdout + stderr, /gateways\.\w[\w-]*\.?.*lisseners/s)
})

await step('omnigate start gets ready, and stops when asked', async () => {
  const daemon = new Daemon(omnigate, ['start', '--config', file], /^ready/, { cwd: work, timeoutMs: 20_000 })
  const line = await daemon.ready
  for (const { name } of modules) assert.ok(daemon.output.includes(name), `${name} is not in: ${line}`)
  assert.equal(await daemon.stop(), 0, daemon.output)
})
