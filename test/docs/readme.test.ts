/** What the documents tell people to type is typed here, and does what they say. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from '../support/process.ts'
import { inProject, readText } from '../support/project.ts'
import { deletedGateways, filesUnder, gatewayFolders } from '../support/source-tree.ts'
import { blocksOf, outputFault } from './blocks.ts'

const RUNNER_TIMEOUT_MS = 200_000

/** A network of its own, where the default ports are free; where the system allows it. */
const ISOLATED = ['unshare', '--map-root-user', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']

async function isolation(): Promise<string[]> {
  const [command = '', ...args] = [...ISOLATED, 'true']
  const probe = await run(command, args).catch(() => ({ code: 1 }))
  return probe.code === 0 ? ISOLATED : []
}

/** Programs that a reader has, and a machine that builds may not have. */
const PROGRAMS = ['mosquitto_sub', 'mosquitto_pub', 'coap-client-notls', 'openssl']

/** `<!-- gateways: mqtt coap -->` in a document names the folders that it needs. */
function absentGateways(markdown: string): string[] {
  const needed = /<!--\s*gateways:\s*([^>]*?)\s*-->/.exec(markdown)?.[1]?.split(/[\s,]+/) ?? []
  const present = gatewayFolders()
  return needed.filter((name) => !present.includes(name))
}

/** Why a document cannot be tried here; false when it can. CI installs the programs and skips nothing. */
async function missing(path: string): Promise<string | false> {
  const absent = absentGateways(readText(path))
  if (absent.length > 0) return `no gateway ${absent.join(', ')} on disk`
  if (process.env['OMNIGATE_REQUIRE_INTEROP'] === '1') return false
  const used = PROGRAMS.filter((program) => blocksOf(path, readText(path)).some(({ commands }) => commands.includes(program)))
  for (const program of used) {
    const { code } = await run('sh', ['-c', `command -v ${program}`])
    if (code !== 0) return `${program} is not installed`
  }
  return false
}

const documents = filesUnder('').filter((path) => path.endsWith('.md') && blocksOf(path, readText(path)).length > 0)

test('the README holds commands that are run', () => {
  assert.ok(documents.includes('README.md'))
})

for (const path of documents) {
  test(`${path} does what it says`, { skip: await missing(path) }, async () => {
    const [command = '', ...args] = [...(await isolation()), process.execPath, inProject('dist/test/docs/run-blocks.js'), path]
    const { code, stdout, stderr } = await run(command, args, { timeoutMs: RUNNER_TIMEOUT_MS })
    assert.equal(code, 0, stdout + stderr)
    assert.equal(stdout.trimEnd().split('\n').length, blocksOf(path, readText(path)).length)
  })
}

test('links between documents lead somewhere', () => {
  const known = new Set(filesUnder(''))
  const away = deletedGateways()
  const folders = new Set([...known].flatMap((path) => path.split('/').map((_, index, parts) => parts.slice(0, index).join('/'))))
  const dangling = [...known]
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) =>
      [
        ...readText(path)
          .replace(/^(`{3,})[\s\S]*?^\1/gm, '')
          .matchAll(/\]\(([^)\s]+)\)/g),
      ]
        .map((match) => match[1]?.split('#')[0] ?? '')
        .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
        .filter((target) => !away.some((gateway) => target.includes(`gateways/${gateway}/`)))
        .map((target) => new URL(target, `file:///${path}`).pathname.slice(1).replace(/\/$/, ''))
        .filter((target) => !known.has(target) && !folders.has(target))
        .map((target) => `${path}: ${target}`),
    )
  assert.deepEqual(dangling, [])
})

test('blocks are found by their marks', () => {
  const markdown = [
    '```sh',
    'rm -rf /',
    '```',
    '```sh run background',
    'omnigate',
    '```',
    '',
    '```text output',
    'ready ...',
    '```',
    '```sh run',
    'true',
    '```',
    'and then',
    '```sh run',
    'false',
    '```',
  ].join('\n')
  assert.deepEqual(blocksOf('a.md', markdown), [
    { place: 'a.md:4', commands: 'omnigate', background: true, output: 'ready ...' },
    { place: 'a.md:11', commands: 'true', background: false, output: undefined },
    { place: 'a.md:15', commands: 'false', background: false, output: undefined },
  ])
  for (const wrong of [
    '```text output\nx\n```',
    '```sh run\nx\n```\nprose\n```text output\ny\n```',
    '```sh run twice\nx\n```',
    '```sh run\nx',
    '```sh run background\nx\ny\n```',
  ]) {
    assert.throws(() => blocksOf('a.md', wrong), Error, wrong)
  }
})

test('a document that needs a gateway that was deleted is not tried', () => {
  assert.deepEqual(absentGateways('# x\n<!-- gateways: no-such-gateway -->'), ['no-such-gateway'])
  assert.deepEqual(absentGateways('# x'), [])
})

test('output is compared with its gaps', () => {
  const same: [string, string][] = [
    ['a\nb', 'a\nb\n'],
    ['a ... c', 'a b c'],
    ['...\nc', 'a\nb\nc'],
    ['a\n...', 'a\nb\nc'],
    ['a\n...\nd', 'a\nb\nc\nd'],
    ['{"ts":...}', '{"ts":1}'],
    ['(1+1)*2 = [4]?', '(1+1)*2 = [4]?'],
  ]
  for (const [expected, actual] of same) assert.equal(outputFault(expected, actual), undefined, expected)
  const other: [string, string][] = [
    ['a', 'b'],
    ['a', 'a\nb'],
    ['a\nb', 'a'],
    ['...\nc', 'a\nb'],
    ['a ... c', 'a b'],
    ['a.c', 'abc'],
  ]
  for (const [expected, actual] of other) assert.notEqual(outputFault(expected, actual), undefined, expected)
})
