import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { packageVersion } from '../../../src/cli/package.ts'
import { configFile, temporaryFolder } from '../config/support.ts'
import { finished, fixture, lineFrom, omnigate, run } from './support.ts'

describe('omnigate', () => {
  test('--version and --help', async () => {
    assert.deepEqual(await run(['--version']), { code: 0, out: `${packageVersion()}\n`, err: '' })
    const help = await run(['-h'])
    assert.equal(help.code, 0)
    for (const word of ['start', 'check FILE', 'schema [GATEWAY]', '--config', 'SIGHUP', 'OMNIGATE_'])
      assert.ok(help.out.includes(word), word)
  })

  test('a command line that means nothing', async () => {
    const { code, out, err } = await run(['chekc', 'x.yaml'])
    assert.deepEqual([code, out, err], [2, '', 'omnigate: unknown command "chekc". Did you mean "check"?\n'])
  })
})

describe('omnigate check', () => {
  test('a valid file: what would listen, and warnings', async () => {
    const file = configFile(`gateways:
  one: { use: "${fixture('alpha')}", listeners: [ { type: tcp, bind: "127.0.0.1:1" }, { type: ws, bind: ":2" } ], mountpoint: "a/" }
  two: { use: "${fixture('beta')}", enabled: false }
`)
    const { code, out, err } = await run(['check', file])
    assert.equal(code, 0)
    assert.equal(
      out,
      `${file} is valid\n  one (alpha): tcp 127.0.0.1:1, ws 0.0.0.0:2/alpha, topics under a/\n  two (${fixture('beta')}): disabled\n`,
    )
    assert.match(
      err,
      /^warning: omnigate\.yaml:2:\d+ gateways\.one\.listeners\[1\]\.bind: ws 0\.0\.0\.0:2 is open to other machines.*\n$/,
    )
  })

  test('a file with problems: each on a line of its own', async () => {
    const file = configFile(`gateways:\n  one: { use: "${fixture('alpha')}", moed: x, retry: { count: many } }\nextra: 1\n`)
    const { code, out, err } = await run(['check', file])
    assert.deepEqual([code, out], [1, ''])
    const lines = err.trimEnd().split('\n')
    assert.equal(lines.length, 4)
    assert.match(lines[0] ?? '', /^omnigate\.yaml:2:\d+ gateways\.one\.moed: unknown key "moed"\. Did you mean "mode"\?$/)
    assert.match(
      lines[1] ?? '',
      /gateways\.one\.retry\.count: "many" is not valid here\. Write a whole number from 0 to 9, such as 3\.$/,
    )
    assert.match(lines[2] ?? '', /^omnigate\.yaml:3:1 extra: unknown key/)
    assert.equal(lines[3], `${file}: 3 problems`)
  })

  test('gateways that cannot be loaded and certificates that are not there', async () => {
    const file = configFile(`gateways:
  bad: { use: "${fixture('broken')}" }
  one: { use: "${fixture('alpha')}", listeners: [ { type: tls, bind: "127.0.0.1:1", tls: { cert: none.pem, key: none.key } } ] }
`)
    const { code, err } = await run(['check', file])
    assert.equal(code, 1)
    assert.match(err, /omnigate\.yaml:2:3 gateways\.bad: the gateway ".*" cannot be loaded: no such cipher/)
    assert.match(err, /omnigate\.yaml:3:\d+ gateways\.one\.listeners\[0\]\.tls\.cert: ENOENT.*none\.pem.*Check the path/)
    assert.match(err, /tls\.key: ENOENT/)
    assert.match(err, /: 3 problems\n$/)
  })

  test('overrides of the environment count', async () => {
    const file = configFile(`gateways: { one: { use: "${fixture('alpha')}" } }\n`)
    const { code, err } = await run(['check', file], { environment: { OMNIGATE_GATEWAYS__ONE__MODE: 'fancy' } })
    assert.equal(code, 1)
    assert.match(err, /^OMNIGATE_GATEWAYS__ONE__MODE gateways\.one\.mode: "fancy" is not valid here/)
  })
})

describe('omnigate schema', () => {
  test('of the whole config', async () => {
    const { code, out, err } = await run(['schema'])
    assert.deepEqual([code, err], [0, ''])
    const schema = JSON.parse(out) as { $schema: string; properties: object }
    assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema')
    assert.deepEqual(Object.keys(schema.properties), ['node', 'broker', 'gateways', 'api'])
  })

  test('of one gateway, and of none', async () => {
    const { code, out } = await run(['schema', fixture('alpha')])
    assert.equal(code, 0)
    assert.equal((JSON.parse(out) as { title: string }).title, 'Alpha')
    const unknown = await run(['schema', 'no-such-gateway'])
    assert.deepEqual([unknown.code, unknown.out], [1, ''])
    assert.match(unknown.err, /^no gateway is called "no-such-gateway"\. /)
  })
})

describe('omnigate start', () => {
  test('ready, reload, stop', async () => {
    const text = (mode: string) => `gateways:
  one: { use: "${fixture('alpha')}", mode: ${mode}, listeners: [ { type: tcp, bind: "127.0.0.1:0" } ] }
  bad: { use: "${fixture('broken')}" }
`
    const file = configFile(text('plain'))
    const child = omnigate(['--config', file])
    const whole = finished(child)
    assert.match(await lineFrom(child, 'ready'), /^ready one tcp 127\.0\.0\.1:\d+; failed: bad$/)
    const reloaded = new Promise<void>((resolve) =>
      child.stderr?.on('data', (text: string) => text.includes('config reloaded') && resolve()),
    )
    writeFileSync(file, text('strict'))
    child.kill('SIGHUP')
    await reloaded
    child.kill('SIGTERM')
    const { code, out, err } = await whole
    assert.equal(code, 0)
    assert.equal(out.split('\n').filter((line) => line.startsWith('ready')).length, 1)
    const lines = err
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.ok(
      lines.some(
        ({ level, gateway, reason }) => level === 'error' && gateway === 'bad' && String(reason).includes('no such cipher'),
      ),
    )
    assert.ok(lines.some(({ msg, keys }) => msg === 'gateway changed' && String(keys) === 'mode'))
    assert.equal(lines.at(-1)?.['msg'], 'stopped')
  })

  test('./omnigate.yaml is read where there is one', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'omnigate.yaml'), 'gateways: { x: { use: nothing } }\n')
    const { code, err } = await run([], { directory: folder })
    assert.equal(code, 1)
    assert.match(err, /omnigate\.yaml:1:\d+ gateways\.x\.use: no gateway is called \\"nothing\\"/)
  })

  test('when no gateway can run, the process ends', async () => {
    const { code, out, err } = await run(['start', '-c', configFile(`gateways: { bad: { use: "${fixture('broken')}" } }`)])
    assert.deepEqual([code, out], [1, ''])
    assert.match(err, /"code":"start-nothing-runs".*no gateway could be started/)
  })
})
