/** The log on a real disk: its lock, a full device, a directory that cannot be written. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Log } from '../../../src/store/log.ts'
import { cannotMount, mountSmall } from '../../support/small-disk.ts'
import { append, contentOf } from './records.ts'

const OPTIONS = { segmentBytes: 64 * 1024, sync: false }

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'omnigate-store-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

for (const sync of [false, true]) {
  test(`records come back from a real disk, ${sync ? 'synced' : 'not synced'}`, (t) => {
    const path = join(directory(t), 'made', 'here')
    const log = Log.open(path, { ...OPTIONS, sync })
    const texts = Array.from({ length: 1000 }, (_, index) => `${index}${'.'.repeat(index % 300)}`)
    for (const [index, text] of texts.entries()) {
      append(log, text)
      if (index % 100 === 0) log.commit()
    }
    assert.ok(log.head > 2)
    log.close()
    const again = Log.open(path, { ...OPTIONS, sync })
    assert.deepEqual(contentOf(again).texts, texts)
    while (again.oldest < again.head) again.dropOldest()
    again.close()
    const files = readdirSync(path)
    assert.equal(files.length, 1)
    assert.equal(statSync(join(path, files[0] as string)).mode & 0o007, 0)
  })
}

test('a directory belongs to one process; what a dead one left is taken over', (t) => {
  const path = directory(t)
  const log = Log.open(path, OPTIONS)
  const [own = ''] = readdirSync(path)
  assert.throws(() => Log.open(path, OPTIONS), {
    code: 'locked',
    message: `${path} is in use by process ${process.pid}: stop that process, or give this one another node.dataDir`,
  })
  log.close()
  assert.deepEqual(readdirSync(path), [])
  const dead = spawnSync(process.execPath, ['--version']).pid
  for (const left of [`lock-${dead}-1`, `lock-${dead}`, `${own}0`]) writeFileSync(join(path, left), '')
  const next = Log.open(path, OPTIONS)
  assert.deepEqual(readdirSync(path), [own])
  next.close()
})

test('a process that lives keeps others out', async (t) => {
  const path = directory(t)
  const child = spawn('sleep', ['60'])
  t.after(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  const lock = join(path, `lock-${child.pid}`)
  writeFileSync(lock, '')
  assert.throws(() => Log.open(path, OPTIONS), { code: 'locked', message: new RegExp(`process ${child.pid}:`) })
  assert.deepEqual(readdirSync(path), [basename(lock)])
  child.kill('SIGKILL')
  await ended
  Log.open(path, OPTIONS).close()
})

test('a device that is full refuses, and goes on when there is room', { skip: cannotMount() }, (t) => {
  const path = mountSmall(t, 256 * 1024)
  let log = Log.open(path, OPTIONS)
  const texts: string[] = []
  const fill = () => {
    for (let index = 0; index < 1000; index++) {
      texts.push(`${texts.length}${'.'.repeat(500)}`)
      append(log, texts.at(-1) as string)
      log.commit()
    }
  }
  assert.throws(fill, { code: 'full', message: /segment-.*no space is left on the device \(ENOSPC\): free space/ })
  assert.throws(() => log.commit(), { code: 'full' })
  assert.throws(() => log.close(), { code: 'full' })
  log = Log.open(path, OPTIONS)
  append(log, 'one that finds no room'.padEnd(5000))
  assert.throws(() => log.commit(), { code: 'full' })
  texts.splice(contentOf(log).texts.length, texts.length, 'one that finds no room'.padEnd(5000))
  const first = contentOf(log).segments.filter((segment) => segment === log.oldest).length
  log.dropOldest()
  log.commit()
  log.close()
  const again = Log.open(path, OPTIONS)
  assert.deepEqual(contentOf(again), { texts: texts.slice(first), segments: contentOf(again).segments, damages: [] })
  again.close()
})

test('a device that cannot be written is refused at the start', { skip: cannotMount() }, (t) => {
  const path = mountSmall(t, 64 * 1024, 'ro')
  assert.throws(() => Log.open(join(path, 'some', 'where'), OPTIONS), {
    code: 'read-only',
    message: /^cannot make the directory .*where: the file system is read-only \(EROFS\): mount it/,
  })
  assert.throws(() => Log.open(path, OPTIONS), {
    code: 'read-only',
    message: `cannot lock ${path}: the file system is read-only (EROFS): mount it for writing, or set node.dataDir to a directory that can be written`,
  })
})
