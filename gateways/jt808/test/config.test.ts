/** What an operator may write, and what a reload does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { config } from '../config.ts'
import { Credentials } from '../credentials.ts'
import module from '../index.ts'

test('everything has a default', () => {
  assert.deepEqual(config.parse({}), {
    role: 'terminals',
    attachments: { maxFileBytes: 67_108_864, maxTotalBytes: 268_435_456 },
    auth: { mode: 'open', maxDeregistered: 100_000, maxAttempts: 16, timeout: 30_000 },
    leadingZeros: 'keep',
    coordinates: 'wgs84',
    idleTimeout: 300_000,
    sessionExpiry: 7_200_000,
    foreignPhone: 'ignore',
    udpRebind: true,
    duplicates: 32,
    answers: { replies: false, unknown: 'unsupported', mediaList: false },
    retry: { interval: 10_000, backoff: 'standard', attempts: 3 },
    parts: {
      maxParts: 1024,
      maxBytes: 1_048_576,
      maxAssemblies: 4,
      maxTotalBytes: 67_108_864,
      askAfter: 5_000,
      asks: 3,
      acknowledge: 'except-media',
    },
    frame: { length: 'strict', maxBytes: 2092, maxFaults: 16 },
    rsa: { enabled: false, reply: false },
    vendor: { messages: [], extras: [] },
    topics: ['unified', 'emqx'],
    maxInflatedBytes: 262_144,
    maxMediaBytes: 524_288,
    files: { enabled: true, maxTotalBytes: 1_073_741_824, maxAge: 2_592_000_000 },
    native: true,
  })
})

test('what is wrong is refused with its path', () => {
  for (const [input, path] of [
    [{ autth: {} }, ''],
    [{ auth: { mode: 'static' } }, 'auth.code'],
    [{ auth: { mode: 'none' } }, 'auth.mode'],
    [{ auth: { mode: 'http' } }, 'auth.registry'],
    [{ auth: { mode: 'http', registry: { url: 'ftp://x' } } }, 'auth.registry.url'],
    [{ auth: { secret: 'short' } }, 'auth.secret'],
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
  const keys = { mac: (secret: string, text: string) => new TextEncoder().encode(`${secret.slice(0, 4)}${text}`) } as never
  const credentials = new Credentials(config.parse({ auth: { mode: 'issued' } }).auth, keys)
  const code = credentials.issue('0138', link)
  assert.equal(code, '3030303030313338')
  assert.deepEqual([credentials.accepts('0138', code), credentials.accepts('0139', code)], [true, false])
  credentials.policy = config.parse({ auth: { mode: 'issued', secret: 'a secret of the fleet' } }).auth
  assert.equal(credentials.accepts('0138', code), false)
  for (const phone of ['0138', '0139']) credentials.forget(phone, link)
  credentials.policy = config.parse({ auth: { mode: 'issued', maxDeregistered: 1 } }).auth
  assert.deepEqual([credentials.accepts('0138', code), credentials.accepts('0139', '3030303030313339')], [true, false])
  credentials.policy = config.parse({}).auth
  assert.equal(credentials.accepts('0139', 'anything'), true)
})
