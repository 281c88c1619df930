/** Law 2: gateways, bytes, stacks, broker and the SDK hold no socket, file, clock, timer, process or promise. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTest, sourcesUnder } from '../support/source-tree.ts'
import { PURE } from './layers.ts'
import { promiseFaults, worldFaults } from './purity-rules.ts'

/** The contract of a config schema lets a foreign library validate with a promise; the runtime awaits it. */
const MAY_NAME_PROMISES = new Set(['src/sdk/gateway.ts'])

const sources = sourcesUnder(...PURE).filter(({ path }) => !isTest(path))

test('pure folders do not reach for the world', () => {
  assert.ok(sources.length > 0)
  assert.deepEqual(sources.flatMap(worldFaults), [])
})

test('no promise in a codec, session, stack or core', () => {
  assert.deepEqual(sources.filter(({ path }) => !MAY_NAME_PROMISES.has(path)).flatMap(promiseFaults), [])
})

test('the purity rules see what they forbid', () => {
  const world = [
    "import net from 'node:net'",
    "import { readFileSync } from 'fs'",
    "export { setTimeout } from 'node:timers/promises'",
    "const dgram = await import('node:dgram')",
    'setTimeout(() => {}, 1)',
    'const later = setImmediate',
    'globalThis.setInterval(f, 1)',
    'const t = Date.now()',
    'const t = new Date()',
    'const r = Math.random()',
    'const id = crypto.randomUUID()',
    'if (process.env.DEBUG) x()',
    'const p = process.hrtime',
    "console.log('x')",
    "const answer = fetch('x')",
    'performance.now()',
    'const x = `${Date.now()}`',
  ]
  for (const text of world) assert.notDeepEqual(worldFaults({ path: 'gateways/x/session.ts', text }), [], text)
  const promises = [
    'async function f() {}',
    'export const f = async () => 1',
    'class A { async onBytes(bytes: Uint8Array) {} }',
    'const a = await b',
    'function f(): Promise<void> {}',
    'Promise.resolve(1)',
    'p.then(f)',
  ]
  for (const text of promises) assert.notDeepEqual(promiseFaults({ path: 'gateways/x/codec/index.ts', text }), [], text)
})

test('the purity rules leave what is pure alone', () => {
  const pure = [
    '// setTimeout, Date.now() and process.env are for the runtime',
    "const text = 'process.env.HOME'",
    'const date = new Date(ms).toISOString()',
    'const t = link.now()',
    'this.process.handle(x)',
    'readonly timer: { setTimeout?: boolean }',
    'Date.UTC(1, 2, 3)',
    'function processFrame() {}',
    'const asynchronous = 1',
    'Buffer.from(bytes)',
  ]
  for (const text of pure) {
    assert.deepEqual(worldFaults({ path: 'gateways/x/session.ts', text }), [], text)
    assert.deepEqual(promiseFaults({ path: 'gateways/x/session.ts', text }), [], text)
  }
})
