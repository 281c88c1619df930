/** Files that gateways keep: whole or not there, bounded in octets and age, on a real disk. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Files } from '../../../src/runtime/files.ts'
import type { FileLimits, SaveOutcome } from '../../../src/sdk.ts'

const LIMITS: FileLimits = { maxTotalBytes: 10, maxAgeMs: 60_000 }

interface Scene {
  readonly folder: string
  readonly counted: string[]
  now: number
  files: Files
  save(path: readonly string[], bytes: number, limits?: FileLimits): Promise<SaveOutcome>
  names(): Promise<string[]>
  /** As after a restart of the process. */
  reopen(): void
}

async function scene(t: TestContext): Promise<Scene> {
  const root = await mkdtemp(join(tmpdir(), 'omnigate-files-'))
  t.after(() => rm(root, { recursive: true }))
  const folder = join(root, 'trucks')
  const counted: string[] = []
  const made: Scene = {
    folder,
    counted,
    now: Date.now(),
    files: undefined as never,
    save: (path, bytes, limits = LIMITS) =>
      new Promise((resolve) => made.files.save(limits, path, new Uint8Array(bytes).fill(bytes), resolve)),
    names: async () =>
      (await readdir(folder, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name)
        .sort(),
    reopen() {
      made.files = new Files(folder, 'media/trucks', { now: () => made.now, count: (name) => void counted.push(name) })
    },
  }
  made.reopen()
  return made
}

test('a file is kept under its path, in folders of its own', async (t) => {
  const { save, folder, counted } = await scene(t)
  assert.deepEqual(await save(['0138', '7-1.jpeg'], 3), { ok: true, path: 'media/trucks/0138/7-1.jpeg' })
  assert.deepEqual([...(await readFile(join(folder, '0138', '7-1.jpeg')))], [3, 3, 3])
  assert.deepEqual(counted, [])
})

test('a peer cannot leave its folder', async (t) => {
  const { save, names } = await scene(t)
  assert.deepEqual(await save(['..', '../../etc/x\0y'], 1), {
    ok: true,
    path: 'media/trucks/_/__.._etc_x_y',
  })
  assert.equal((await names()).length, 1)
  assert.deepEqual(await save(['', '.hidden'], 1), { ok: true, path: 'media/trucks/_/_hidden' })
})

test('the oldest gives way to what is new, also after a restart', async (t) => {
  const place = await scene(t)
  for (const name of ['a', 'b']) await place.save([name], 4)
  await place.save(['c'], 4)
  assert.deepEqual(await place.names(), ['b', 'c'])
  // Their order on the disk is that of their times.
  await utimes(join(place.folder, 'b'), 1000, 2000)
  place.reopen()
  await place.save(['d'], 4, { maxTotalBytes: 10, maxAgeMs: 1e15 })
  assert.deepEqual(await place.names(), ['c', 'd'])
  assert.deepEqual(place.counted, ['file-deleted', 'file-deleted'])
})

test('what is too old is deleted', async (t) => {
  const place = await scene(t)
  await place.save(['a'], 1)
  place.now += 60_001
  await place.save(['b'], 1)
  assert.deepEqual(await place.names(), ['b'])
})

test('a file that is written again counts once', async (t) => {
  const { save, names } = await scene(t)
  for (let i = 0; i < 5; i++) await save(['a'], 6)
  await save(['b'], 4)
  assert.deepEqual(await names(), ['a', 'b'])
})

test('what is larger than everything is refused, and deletes nothing', async (t) => {
  const { save, names, counted } = await scene(t)
  await save(['a'], 4)
  assert.deepEqual(await save(['b'], 11), { ok: false, reason: 'too-large' })
  assert.deepEqual(await names(), ['a'])
  assert.deepEqual(counted, ['file-too-large'])
})

test('more than may wait to be written is refused', async (t) => {
  const { save, counted } = await scene(t)
  const large = { maxTotalBytes: 1e12, maxAgeMs: 60_000 }
  const outcomes = await Promise.all(Array.from({ length: 3 }, (_, i) => save([`${i}`], 30 * 1024 * 1024, large)))
  assert.deepEqual(
    outcomes.map(({ ok }) => ok),
    [true, true, false],
  )
  assert.deepEqual(counted, ['file-busy'])
})

test('a disk that fails is an outcome, and leaves no half of a file', async (t) => {
  const place = await scene(t)
  await place.save(['a'], 1)
  // A file where a folder belongs.
  assert.deepEqual(await place.save(['a', 'b'], 1), { ok: false, reason: 'failed' })
  assert.deepEqual(await place.names(), ['a'])
  assert.deepEqual(place.counted, ['file-failed'])
  assert.deepEqual(await place.save(['c'], 1), { ok: true, path: 'media/trucks/c' }, 'the next is saved')
})

test('halves that a crash left are deleted', async (t) => {
  const place = await scene(t)
  await place.save(['a'], 1)
  await writeFile(join(place.folder, 'b.partial'), 'half')
  place.reopen()
  await place.save(['c'], 1)
  assert.deepEqual(await place.names(), ['a', 'c'])
})
