import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { instance, load, problemsOf, valid } from './support.ts'

const ALPHA =
  'gateways:\n  alpha: { mode: strict, users: { Ann: a } }\n  field-bus: { use: alpha, listeners: [ { type: tcp, bind: "127.0.0.1:1" } ] }\n'

describe('overrides', () => {
  test('common, own, nested and listener keys, whatever the case', async () => {
    const config = await valid(ALPHA, {
      OMNIGATE_GATEWAYS__ALPHA__MOUNTPOINT: 'a/',
      OMNIGATE_gateways__alpha__MODE: 'plain',
      OMNIGATE_GATEWAYS__ALPHA__RETRY__COUNT: '7',
      OMNIGATE_GATEWAYS__ALPHA__SESSION__MAX_QUEUED: '9',
      OMNIGATE_GATEWAYS__ALPHA__USERS__ANN: 'b',
      OMNIGATE_GATEWAYS__ALPHA__USERS__BOB: '12',
      OMNIGATE_GATEWAYS__FIELD_BUS__LISTENERS__0__BIND: '[::1]:5',
      OMNIGATE_GATEWAYS__FIELD_BUS__LISTENERS__1: '{ type: tcp, bind: 6 }',
      OMNIGATE_NODE__NAME: '42',
      OMNIGATE_NODE__LOGLEVEL: 'debug',
      OMNIGATE_HOME: '/not/ours',
      PATH: '/bin',
    })
    const alpha = instance(config, 'alpha')
    assert.equal(alpha.mountpoint, 'a/')
    assert.equal(alpha.session.maxQueued, 9)
    const own = alpha.own as { mode: string; retry: { count: number }; users: Record<string, string> }
    assert.equal(own.mode, 'plain')
    assert.equal(own.retry.count, 7)
    assert.deepEqual(own.users, { Ann: 'b', bob: '12' })
    assert.deepEqual(
      instance(config, 'field-bus').listeners.map(({ host, port }) => [host, port]),
      [
        ['::1', 5],
        ['0.0.0.0', 6],
      ],
    )
    assert.equal(config.node.name, '42')
    assert.equal(config.node.logLevel, 'debug')
  })

  test('an installed gateway that the file does not mention is enabled by one', async () => {
    const config = await valid('gateways: { alpha: {} }', { OMNIGATE_GATEWAYS__BETA__MOUNTPOINT: 'b/' })
    assert.equal(instance(config, 'beta').mountpoint, 'b/')
  })

  test('own keys of a gateway without JSON Schema are found only where the file has them', async () => {
    const environment = { OMNIGATE_GATEWAYS__BETA__LEVEL: '4' }
    assert.deepEqual(instance(await valid('gateways: { beta: { level: 1 } }', environment), 'beta').own, { level: 4 })
    assert.match(
      (await problemsOf('gateways: { beta: {} }', environment))[0] ?? '',
      /^OMNIGATE_GATEWAYS__BETA__LEVEL gateways\.beta\.level: unknown key "level"/,
    )
  })

  test('`use` and `enabled` are read before the modules are', async () => {
    const config = await valid('gateways:\n  bus: { use: nothing }\n  broken:\n', {
      OMNIGATE_GATEWAYS__BUS__USE: 'alpha',
      OMNIGATE_GATEWAYS__BUS__MODE: 'strict',
      OMNIGATE_GATEWAYS__BROKEN__ENABLED: 'false',
    })
    assert.equal((instance(config, 'bus').own as { mode: string }).mode, 'strict')
    assert.equal(instance(config, 'broken').module, undefined)
  })

  test('a standard listener can be changed on its own', async () => {
    const config = await valid('gateways: { alpha: {} }', { OMNIGATE_GATEWAYS__ALPHA__LISTENERS__0__BIND: '127.0.0.1:0' })
    assert.deepEqual(
      instance(config, 'alpha').listeners.map(({ type, port, path }) => [type, port, path]),
      [
        ['tcp', 0, undefined],
        ['ws', 21002, '/alpha'],
      ],
    )
  })

  test('problems name the variable', async () => {
    const lines = await problemsOf(ALPHA, {
      OMNIGATE_GATEWAYS__ALPHA__MOED: 'x',
      OMNIGATE_GATEWAYS__ALPHA__MODE: 'fancy',
      OMNIGATE_GATEWAYS__ALPHA__MODE__X: '1',
      OMNIGATE_GATEWAYS__GAMMA__MODE: 'x',
      OMNIGATE_GATEWAYS__FIELD_BUS__LISTENERS__4__BIND: '1',
      OMNIGATE_NOD__NAME: 'x',
    })
    assert.deepEqual(lines, [
      'OMNIGATE_GATEWAYS__ALPHA__MODE__X gateways.alpha.mode.x: unknown key "x". Put the key into the config file.',
      'OMNIGATE_GATEWAYS__ALPHA__MOED gateways.alpha.moed: unknown key "moed". Did you mean MODE?',
      'OMNIGATE_GATEWAYS__FIELD_BUS__LISTENERS__4__BIND gateways.field-bus.listeners: "4" is no element of gateways.field-bus.listeners. Write a number from 0 to 1.',
      'OMNIGATE_GATEWAYS__GAMMA__MODE gateways.gamma: unknown key "gamma". Known keys here are alpha, beta, broken, odd, field-bus.',
      'OMNIGATE_NOD__NAME nod: unknown key "nod". Did you mean NODE?',
      'OMNIGATE_GATEWAYS__ALPHA__MODE gateways.alpha.mode: "fancy" is not valid here. Write "plain" or "strict".',
    ])
  })

  test('a plain value in the way', async () => {
    const lines = await problemsOf('gateways: { alpha: { retry: 3 } }', { OMNIGATE_GATEWAYS__ALPHA__RETRY__COUNT: '7' })
    assert.match(lines[0] ?? '', /gateways\.alpha\.retry is a plain value and has no keys\. Remove gateways\.alpha\.retry/)
  })
})

test('variables in values, and all of them that are missing', async () => {
  const text =
    'gateways:\n  alpha:\n    mountpoint: "${SITE:plant}/${clientid}/"\n    retry: { count: "${N:2}" }\n    sequence: ${SEQ}\n'
  const { config, problems } = await load(text.replace('"${N:2}"', '2'), { SEQ: '17' })
  assert.deepEqual(problems, [])
  assert.ok(config !== undefined)
  assert.equal(instance(config, 'alpha').mountpoint, 'plant/${clientid}/')
  assert.equal((instance(config, 'alpha').own as { sequence: number }).sequence, 17)
  assert.deepEqual(await problemsOf('gateways:\n  alpha:\n    mountpoint: ${A}\n    mode: "${B}"\n'), [
    'omnigate.yaml:3:17 gateways.alpha.mountpoint: the environment variable A is not set. Set A, or give a default: ${A:value}.',
    'omnigate.yaml:4:11 gateways.alpha.mode: the environment variable B is not set. Set B, or give a default: ${B:value}.',
    'omnigate.yaml:4:11 gateways.alpha.mode: "" is not valid here. Write "plain" or "strict".',
  ])
})
