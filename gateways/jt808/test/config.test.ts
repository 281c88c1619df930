/** What an operator may write, and what a reload does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { config } from '../config.ts'
import { Credentials } from '../credentials.ts'
import module from '../index.ts'

test('everything has a default', () => {
  assert.deepEqual(config.parse({}), {
    auth: { mode: 'open', maxIssued: 100_000, timeout: 30_000 },
    idleTimeout: 300_000,
    sessionExpiry: 7_200_000,
    foreignPhone: 'ignore',
    udpRebind: true,
    duplicates: 32,
    retry: { interval: 10_000, attempts: 3 },
    parts: {
      maxParts: 1024,
      maxBytes: 1_048_576,
      maxAssemblies: 4,
      maxTotalBytes: 67_108_864,
      askAfter: 5_000,
      asks: 3,
      acknowledge: 'except-media',
    },
    frame: { maxBytes: 2092, maxFaults: 16 },
    topics: ['unified', 'emqx'],
    maxMediaBytes: 524_288,
    native: true,
  })
})

test('what is wrong is refused with its path', () => {
  for (const [input, path] of [
    [{ autth: {} }, ''],
    [{ auth: { mode: 'static' } }, 'auth.code'],
    [{ auth: { mode: 'none' } }, 'auth.mode'],
    [{ idleTimeout: '300' }, 'idleTimeout'],
    [{ frame: { maxBytes: 2092 } }, 'frame.maxBytes'],
    [{ retry: { attempts: -1 } }, 'retry.attempts'],
  ] as const) {
    const parsed = config.safeParse(input)
    assert.equal(parsed.success, false)
    assert.equal(parsed.error?.issues[0]?.path.join('.'), path)
  }
})

test('the JSON Schema can be made', () => {
  const schema = module.config['~standard'].jsonSchema?.input({ target: 'draft-2020-12' })
  assert.deepEqual(Object.keys((schema?.['properties'] ?? {}) as object).sort(), Object.keys(config.parse({})).sort())
})

test('a reload applies in place, to codes too', () => {
  const link = { random: (octets: number) => new Uint8Array(octets), count() {} } as never
  const credentials = new Credentials(config.parse({ auth: { mode: 'issued' } }).auth)
  for (const phone of ['1', '2', '3']) credentials.issue(phone, link)
  credentials.policy = config.parse({ auth: { mode: 'issued', maxIssued: 1 } }).auth
  assert.deepEqual(
    ['1', '2', '3'].map((phone) => credentials.accepts(phone, '0000000000000000')),
    [false, false, true],
  )
  credentials.policy = config.parse({}).auth
  assert.equal(credentials.accepts('1', 'anything'), true)
})
