import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { formatProblem } from '../../../src/config/errors.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { configFile, instance, load, modules, problemsOf, temporaryFolder, valid } from './support.ts'

describe('defaults', () => {
  test('an empty section is filled in', async () => {
    const config = await valid('gateways:\n  alpha:\n')
    const alpha = instance(config, 'alpha')
    assert.equal(alpha.use, 'alpha')
    assert.equal(alpha.enabled, true)
    assert.equal(alpha.mountpoint, '')
    assert.equal(alpha.module?.name, 'alpha')
    assert.deepEqual(alpha.session, {
      maxInflight: 128,
      maxQueued: 10_000,
      maxQueuedBytes: 4 * 1024 ** 2,
      dropPolicy: 'drop-oldest',
      queueQos0Offline: false,
      maxSubscriptions: 1000,
      maxPublishRate: 0,
      maxPublishBurst: 0,
      maxPublishByteRate: 0,
      maxPublishByteBurst: 0,
    })
    assert.deepEqual(alpha.own, {
      idleTimeout: 30_000,
      maxFrame: 4096,
      mode: 'plain',
      retry: { count: 3, interval: 2000 },
      users: {},
      sequence: 0,
    })
  })

  test('standard listeners are on loopback, without those that need a certificate', async () => {
    const config = await valid('gateways: { alpha: {}, beta: {} }')
    const places = config.gateways.map(({ listeners }) =>
      listeners.map(({ name, type, host, port, path }) => [name, type, host, port, path]),
    )
    assert.deepEqual(places, [
      [
        ['tcp-21001', 'tcp', '127.0.0.1', 21001, undefined],
        ['ws-21002', 'ws', '127.0.0.1', 21002, '/alpha'],
      ],
      [['udp-22001', 'udp', '127.0.0.1', 22001, undefined]],
    ])
  })

  test('node: units are converted, paths made absolute', async () => {
    const file = configFile(
      'node: { dataDir: state, drainTimeout: "1.5s", sysInterval: "0s", maxQueuedBytes: "2MiB" }\ngateways: { alpha: {} }',
    )
    const { config } = await loadConfig({ file, directory: '/', environment: {}, modules })
    assert.equal(config?.file, file)
    assert.equal(config?.node.name, 'omnigate')
    assert.equal(config?.node.dataDir, join(dirname(file), 'state'))
    assert.equal(config?.node.drainTimeoutMs, 1500)
    assert.equal(config?.node.sysIntervalMs, 0)
    assert.equal(config?.node.maxQueuedBytes, 2 * 1024 ** 2)
    assert.equal(config?.api, undefined)
  })
})

describe('sections', () => {
  test('the key names the instance, `use` the protocol', async () => {
    const config = await valid(
      'gateways:\n  one: { use: alpha, listeners: [ { type: tcp, bind: "127.0.0.1:0" } ] }\n  two: { use: alpha, mode: strict }\n',
    )
    assert.deepEqual(
      config.gateways.map(({ name, use, module }) => [name, use, module?.name]),
      [
        ['one', 'alpha', 'alpha'],
        ['two', 'alpha', 'alpha'],
      ],
    )
    assert.deepEqual((instance(config, 'two').own as { mode: string }).mode, 'strict')
  })

  test('a disabled gateway is not imported, and its common keys are still checked', async () => {
    const config = await valid('gateways: { alpha: {}, broken: { enabled: false, anything: 1 } }')
    assert.equal(instance(config, 'broken').enabled, false)
    assert.equal(instance(config, 'broken').module, undefined)
    assert.equal(instance(config, 'broken').fault, undefined)
    assert.deepEqual(await problemsOf('gateways: { alpha: {}, broken: { enabled: false, mountpoint: 7 } }'), [
      'omnigate.yaml:1:62 gateways.broken.mountpoint: 7 is not valid here. Write text.',
    ])
  })

  test('a gateway that cannot be imported is a fault of that gateway only', async () => {
    const config = await valid('gateways: { broken: {}, odd: {}, alpha: {} }')
    assert.deepEqual(instance(config, 'broken').fault?.code, 'gateway-load-failed')
    assert.equal(instance(config, 'broken').fault?.reason, 'the gateway "broken" cannot be loaded: no such cipher')
    assert.equal(instance(config, 'odd').fault?.code, 'gateway-manifest-invalid')
    assert.equal(instance(config, 'alpha').fault, undefined)
  })

  test('unknown gateways, with the nearest name', async () => {
    assert.deepEqual(
      await problemsOf(
        'gateways:\n  alpa: {}\n  x: { use: betta }\n  thing: {}\n  p: { use: "@acme/none" }\n  f: { use: ./none.js }\n',
      ).then((all) => all.slice(0, 3)),
      [
        'omnigate.yaml:2:3 gateways.alpa: no gateway is called "alpa". Did you mean "alpha"? Or add use: alpha.',
        'omnigate.yaml:3:13 gateways.x.use: no gateway is called "betta". Did you mean "beta"?',
        'omnigate.yaml:4:3 gateways.thing: no gateway is called "thing". Name the protocol with `use`; installed are alpha, beta, broken, odd.',
      ],
    )
    const [missing] = await problemsOf('gateways: { f: { use: ./none.js } }')
    assert.match(missing ?? '', /gateways\.f\.use: there is no file .*none\.js\. Give the path of a JavaScript module/)
    const [uninstalled] = await problemsOf('gateways: { p: { use: "@acme/none" } }')
    assert.match(uninstalled ?? '', /the package "@acme\/none" is not installed\. Run "npm install @acme\/none" in /)
  })

  test('what is no section', async () => {
    assert.match((await problemsOf('gateways: [alpha]'))[0] ?? '', /gateways: this is no map of gateways/)
    assert.match((await problemsOf('gateways: { alpha: 7 }'))[0] ?? '', /gateways\.alpha: this is no section with keys/)
    assert.match((await problemsOf('gateways: { "a b": { use: alpha } }'))[0] ?? '', /is no name for a gateway/)
    assert.match((await problemsOf('node: {}'))[0] ?? '', /gateways: no gateway is enabled\. Add a section/)
    assert.match((await problemsOf('gateways: { alpha: { enabled: false } }'))[0] ?? '', /no gateway is enabled/)
  })
})

describe('problems', () => {
  test('all at once, in the order of the file, each with place, path and remedy', async () => {
    const text = [
      'node: { maxClient: 3, drainTimeout: 8, logLevel: loud }',
      'gateways:',
      '  alpha:',
      '    mountpont: x',
      '    retry: { count: 10, intervall: "1s" }',
      '    mode: fancy',
      '    session: { maxInflight: 1.5, dropPolicy: none }',
      '    users: { a: 5 }',
      '  beta: { level: high }',
      'apii: {}',
    ]
    assert.deepEqual(await problemsOf(text.join('\n')), [
      'omnigate.yaml:1:9 node.maxClient: unknown key "maxClient". Did you mean "maxClients"?',
      'omnigate.yaml:1:37 node.drainTimeout: 8 is not valid here. Write a duration in quotes ("500ms", "8s", "15m", "2h", "7d"), such as "10s".',
      'omnigate.yaml:1:50 node.logLevel: "loud" is not valid here. Write "debug", "info", "warn" or "error".',
      'omnigate.yaml:4:5 gateways.alpha.mountpont: unknown key "mountpont". Did you mean "mountpoint"?',
      'omnigate.yaml:5:21 gateways.alpha.retry.count: 10 is not valid here. Write a whole number from 0 to 9, such as 3.',
      'omnigate.yaml:5:25 gateways.alpha.retry.intervall: unknown key "intervall". Did you mean "interval"?',
      'omnigate.yaml:6:11 gateways.alpha.mode: "fancy" is not valid here. Write "plain" or "strict".',
      'omnigate.yaml:7:29 gateways.alpha.session.maxInflight: 1.5 is not valid here. Write a whole number from 1 to 65535, such as 128.',
      'omnigate.yaml:7:46 gateways.alpha.session.dropPolicy: "none" is not valid here. Write "drop-oldest" or "drop-newest".',
      'omnigate.yaml:8:17 gateways.alpha.users.a: 5 is not valid here. Write text.',
      'omnigate.yaml:9:18 gateways.beta.level: "high" is not valid here. Level must be a number.',
      'omnigate.yaml:10:1 apii: unknown key "apii". Did you mean "api"?',
    ])
  })

  test('durations and sizes keep the advice of their schema', async () => {
    assert.deepEqual(await problemsOf('gateways: { alpha: { idleTimeout: "8 seconds", maxFrame: "4KB" } }'), [
      'omnigate.yaml:1:35 gateways.alpha.idleTimeout: "8 seconds" is not valid here. Write a duration such as "8s", "500ms" or "2h".',
      'omnigate.yaml:1:58 gateways.alpha.maxFrame: "4KB" is not valid here. Write a size such as "512B", "64KiB" or "1MiB".',
    ])
  })

  test('secrets stay out of messages', async () => {
    const [line] = await problemsOf('gateways: { alpha: { users: { password: [hunter2] } } }')
    assert.match(line ?? '', /users\.password: this value is not valid here/)
  })

  test('a schema that crashes is a problem of its gateway', async () => {
    assert.deepEqual(await problemsOf('gateways:\n  beta: { level: crash }\n'), [
      'omnigate.yaml:2:3 gateways.beta: the config schema of beta failed: the schema crashed. Report it to the author of this gateway.',
    ])
  })

  test('mountpoints know their placeholders', async () => {
    await valid('gateways: { alpha: { mountpoint: "a/${clientid}/${username}/${endpoint_name}/${peerhost}/${gateway}/" } }')
    const lines = await problemsOf('gateways: { alpha: { mountpoint: "a/${client}/+/" } }')
    assert.match(lines[0] ?? '', /no placeholder \$\{client\}\. Use \$\{clientid\}/)
    assert.match(lines[1] ?? '', /holds no wildcard/)
  })

  test('a file that is not there', async () => {
    const { config, problems } = await loadConfig({ file: 'none.yaml', directory: temporaryFolder(), environment: {}, modules })
    assert.equal(config, undefined)
    assert.equal(problems.length, 1)
    assert.match(problems.map(formatProblem)[0] ?? '', /none\.yaml: the config file cannot be read: ENOENT.*Check the path/)
  })
})

describe('api', () => {
  test('its section is checked, and a warning says that nothing listens yet', async () => {
    const { config, warnings } = await load('gateways: { alpha: {} }\napi: { bind: "127.0.0.1:18083" }')
    assert.deepEqual(config?.api, { host: '127.0.0.1', port: 18083 })
    assert.deepEqual(
      warnings.map(({ code, source }) => [code, source]),
      [['api-unavailable', 'omnigate.yaml:2:1']],
    )
    assert.match(
      (await problemsOf('gateways: { alpha: {} }\napi: { bind: nowhere }'))[0] ?? '',
      /api\.bind: nowhere: is no address/,
    )
    assert.match((await problemsOf('gateways: { alpha: {} }\napi: { port: 1 }'))[0] ?? '', /api\.port: unknown key "port"/)
  })
})

describe('without a file', () => {
  test('everything installed runs on its standard ports, and that is said', async () => {
    const { config, notices, problems } = await loadConfig({
      file: undefined,
      directory: temporaryFolder(),
      environment: {},
      modules,
    })
    assert.deepEqual(problems, [])
    assert.equal(config?.file, undefined)
    assert.deepEqual(
      config?.gateways.map(({ name, enabled }) => [name, enabled]),
      [
        ['alpha', true],
        ['beta', true],
        ['broken', true],
        ['odd', true],
      ],
    )
    assert.deepEqual(notices, [
      'no config file: alpha listens on tcp 127.0.0.1:21001, ws 127.0.0.1:21002 and admits every device without credentials',
      'no config file: beta listens on udp 127.0.0.1:22001 and admits every device without credentials',
    ])
  })

  test('the environment still overrides', async () => {
    const environment = {
      OMNIGATE_GATEWAYS__ALPHA__LISTENERS__1__BIND: '127.0.0.1:0',
      OMNIGATE_GATEWAYS__BROKEN__ENABLED: 'false',
    }
    const { config } = await loadConfig({ file: undefined, directory: temporaryFolder(), environment, modules })
    assert.ok(config !== undefined)
    assert.deepEqual(
      instance(config, 'alpha').listeners.map(({ type, port }) => [type, port]),
      [
        ['tcp', 21001],
        ['ws', 0],
      ],
    )
    assert.equal(instance(config, 'broken').enabled, false)
  })
})

test('a path is relative to the config file', async () => {
  const folder = temporaryFolder()
  writeFileSync(
    join(folder, 'mine.js'),
    `export default {
      name: 'mine', title: 'Mine', spec: 'mine', transports: ['udp'], listeners: [{ type: 'udp', port: 23001 }],
      config: { '~standard': { version: 1, vendor: 'hand', validate: (value) => ({ value }) } },
      create: () => ({ open: () => ({}) }),
    }\n`,
  )
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(folder, 'omnigate.yaml'), 'gateways: { field: { use: ./mine.js, colour: red } }\n')
  const { config, problems } = await loadConfig({ file: join(folder, 'omnigate.yaml'), directory: '/', environment: {}, modules })
  assert.deepEqual(problems, [])
  assert.deepEqual(
    config?.gateways.map(({ name, module, own }) => [name, module?.name, own]),
    [['field', 'mine', { colour: 'red' }]],
  )
})
