/** What a gateway notes for itself is there after a restart, and after the log was cleaned. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import * as z from 'zod'
import { defineGateway, type Notebook, type Session } from '#sdk'
import { Notebooks } from '../../../src/store/notebooks.ts'
import { World } from '../../../src/testing.ts'

const SILENT: Session = { onBytes() {}, onTimer() {}, onConnect() {}, onDeliver() {}, onClose() {} }

/** The notebook that a gateway instance of this name is given. */
async function notebookIn(world: World, name: string): Promise<Notebook> {
  let given: Notebook | undefined
  const module = defineGateway({
    name,
    title: name,
    spec: name,
    transports: ['udp'],
    listeners: [],
    config: z.strictObject({}),
    create: ({ notebook }) => {
      given = notebook
      return { open: () => SILENT }
    },
  })
  await world.gateway(module)
  return given ?? assert.fail('no notebook')
}

function history(t: TestContext): () => World {
  const dataDir = mkdtempSync(join(tmpdir(), 'omnigate-notes-'))
  let world: World | undefined
  t.after(() => {
    world?.close()
    rmSync(dataDir, { recursive: true })
  })
  return () => {
    world?.close()
    world = new World({ dataDir })
    return world
  }
}

test('what is written, overwritten and erased is so after a restart, for each gateway alone', async (t) => {
  const next = history(t)
  const before = await notebookIn(next(), 'one')
  assert.ok(before.isDurable)
  for (const [key, value] of [
    ['a', '1'],
    ['b', '2'],
    ['c', '3'],
    ['b', 'zwei "2"'],
  ] as const) {
    before.write(key, value)
  }
  before.erase('c')
  before.erase('never there')
  const after = next()
  assert.deepEqual(
    [...(await notebookIn(after, 'one')).entries()],
    [
      ['a', '1'],
      ['b', 'zwei "2"'],
    ],
  )
  assert.equal((await notebookIn(after, 'other')).read('a'), undefined)
})

test('cleaning the log keeps the notes, and what changes meanwhile', async (t) => {
  const next = history(t)
  const world = next()
  const notebook = await notebookIn(world, 'one')
  for (let i = 0; i < 5000; i++) notebook.write(`key ${i}`, 'x'.repeat(100))
  world.store?.gate.open()
  let steps = 0
  while (world.store?.clean() === true) {
    notebook.write('key 1', `step ${++steps}`)
    notebook.erase('key 2')
    world.store.gate.open()
  }
  assert.ok(steps > 1)
  const kept = await notebookIn(next(), 'one')
  assert.deepEqual([[...kept.entries()].length, kept.read('key 1'), kept.read('key 2')], [4999, `step ${steps}`, undefined])
})

test('without a store it lives as long as the process', () => {
  const notebooks = new Notebooks()
  const notebook = notebooks.of('one')
  notebook.write('a', '1')
  assert.deepEqual([notebook.isDurable, notebooks.of('one').read('a'), [...notebooks.notes()].length], [false, '1', 1])
})
