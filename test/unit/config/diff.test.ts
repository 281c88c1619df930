import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ChangedGateway, type ConfigDiff, diffConfigs } from '../../../src/config/diff.ts'
import { valid } from './support.ts'

const BASE = 'mode: plain, listeners: [ { type: tcp, bind: 1 }, { type: ws, bind: 2 } ]'

async function diff(before: string, after: string): Promise<ConfigDiff> {
  // Both from the same path, so that absolute paths do not differ.
  const [previous, next] = [await valid(before), await valid(after)]
  return diffConfigs(previous, { ...next, node: { ...next.node, dataDir: previous.node.dataDir } })
}

async function change(before: string, after: string): Promise<ChangedGateway> {
  const { gateways } = await diff(`gateways: { alpha: { ${before} } }`, `gateways: { alpha: { ${after} } }`)
  const [found] = gateways
  assert.equal(gateways.length, 1)
  assert.ok(found?.kind === 'changed')
  return found
}

test('the same config twice changes nothing, moved lines included', async () => {
  const text = `gateways: { beta: {}, alpha: { ${BASE} } }`
  assert.deepEqual(await diff(text, `\n\n${text}`), { common: [], gateways: [] })
  assert.deepEqual(await diff('gateways: { alpha: {} }', 'gateways: { alpha: { mode: plain } }'), { common: [], gateways: [] })
})

test('gateways come and go; enabling is coming', async () => {
  const { gateways } = await diff(
    'gateways: { alpha: {}, b: { use: beta, enabled: false } }',
    'gateways: { alpha: { enabled: false }, b: { use: beta } }',
  )
  assert.deepEqual(
    gateways.map(({ kind, name }) => [kind, name]),
    [
      ['removed', 'alpha'],
      ['added', 'b'],
    ],
  )
})

test('a key with x-reload live needs no more than live', async () => {
  const { keys, reload, listeners } = await change(BASE, BASE.replace('plain', 'strict'))
  assert.deepEqual([keys, reload], [['mode'], 'live'])
  assert.deepEqual(listeners, { added: [], removed: [], changed: [] })
})

test('keys inside a map count on their own', async () => {
  const live = await change(BASE, `${BASE}, retry: { interval: 9s }`)
  assert.deepEqual([live.keys, live.reload], [['retry.interval'], 'live'])
  const unsaid = await change(BASE, `${BASE}, retry: { count: 9, interval: 9s }`)
  assert.deepEqual([unsaid.keys, unsaid.reload], [['retry.count', 'retry.interval'], 'gateway'])
})

test('a map with free keys is one value', async () => {
  assert.deepEqual((await change(BASE, `${BASE}, users: { ann: x }`)).keys, ['users'])
})

test('common keys', async () => {
  const { keys, reload } = await change(BASE, `${BASE}, mountpoint: a/, session: { maxQueued: 5 }`)
  assert.deepEqual([keys, reload], [['mountpoint', 'session.maxQueued'], 'gateway'])
})

test('listeners are told apart by name', async () => {
  const { listeners, reload, keys } = await change(
    'listeners: [ { type: tcp, bind: 1 }, { type: ws, bind: 2, name: web }, { type: tcp, bind: 3 } ]',
    'listeners: [ { type: ws, bind: 8, name: web }, { type: tcp, bind: 3 }, { type: tcp, bind: 4 } ]',
  )
  assert.deepEqual(
    listeners.added.map(({ name }) => name),
    ['tcp-4'],
  )
  assert.deepEqual(
    listeners.removed.map(({ name }) => name),
    ['tcp-1'],
  )
  assert.deepEqual(
    listeners.changed.map(({ previous, next }) => [previous.port, next.port]),
    [[2, 8]],
  )
  assert.deepEqual([keys, reload], [[], 'listener'])
})

test('the strongest need wins', async () => {
  const { reload } = await change(BASE, `${BASE.replace('plain', 'strict').replace('bind: 2', 'bind: 3')}`)
  assert.equal(reload, 'listener')
})

test('another protocol under the same name', async () => {
  const { gateways } = await diff('gateways: { x: { use: alpha } }', 'gateways: { x: { use: beta } }')
  const [found] = gateways
  assert.ok(found?.kind === 'changed')
  assert.equal(found.reload, 'gateway')
  assert.ok(found.keys.includes('use'))
})

test('node keys, and which of them take a restart of the process', async () => {
  const { common } = await diff(
    'gateways: { alpha: {} }',
    'node: { name: b, logLevel: debug, drainTimeout: 1s, sysInterval: 1s }\ngateways: { alpha: {} }',
  )
  assert.deepEqual(common, [
    { path: 'node.name', reload: 'process' },
    { path: 'node.logLevel', reload: 'live' },
    { path: 'node.sysInterval', reload: 'process' },
    { path: 'node.drainTimeout', reload: 'live' },
  ])
})
