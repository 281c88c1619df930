/** What failing calls do: nothing that was acknowledged is lost, and the error says what to do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Log, StoreError } from '../../../src/store/log.ts'
import { MemoryFiles } from './memory-files.ts'
import { append, contentOf, DIRECTORY } from './records.ts'

const OPTIONS = { segmentBytes: 1 << 20, sync: false }
const SYNCED = { segmentBytes: 1 << 20, sync: true }

function restarted(files: MemoryFiles, options = OPTIONS): string[] {
  files.kill()
  const { texts, damages } = contentOf(Log.open(DIRECTORY, options, files))
  assert.deepEqual(damages, [])
  return texts
}

test('a full device keeps records pending, says what to do, and loses none once there is room', () => {
  const files = new MemoryFiles()
  const log = Log.open(DIRECTORY, OPTIONS, files)
  append(log, 'one')
  log.commit()
  files.free = 20
  append(log, 'two')
  append(log, 'three')
  const { pending } = log
  for (let attempt = 0; attempt < 3; attempt++) {
    assert.throws(() => log.commit(), {
      name: 'StoreError',
      code: 'full',
      message: `cannot write ${files.segments()[0]}: no space is left on the device (ENOSPC): free space there, or set node.dataDir to a larger device`,
    })
  }
  assert.equal(log.pending, pending)
  append(log, 'four')
  files.free = Number.POSITIVE_INFINITY
  log.commit()
  assert.deepEqual(restarted(files), ['one', 'two', 'three', 'four'])
})

test('a process that is killed on a full device leaves whole records only', () => {
  const files = new MemoryFiles()
  const log = Log.open(DIRECTORY, OPTIONS, files)
  append(log, 'one')
  log.commit()
  files.free = 20
  append(log, 'two')
  append(log, 'three')
  assert.throws(() => log.commit(), StoreError)
  assert.deepEqual(restarted(files), ['one', 'two'])
})

test('a new segment that cannot be made leaves its number as it was told', () => {
  const files = new MemoryFiles()
  const log = Log.open(DIRECTORY, { segmentBytes: 200, sync: false }, files)
  append(log, 'x'.repeat(150))
  log.commit()
  files.faults.push({ operation: 'open', code: 'EMFILE' })
  const segments = [append(log, 'y'.repeat(150)), append(log, 'z'.repeat(150))]
  assert.throws(() => log.commit(), { code: 'failed', message: /too many files are open \(EMFILE\): raise the limit/ })
  log.commit()
  assert.deepEqual(contentOf(log).segments, [1, ...segments])
})

test('after a failed sync the page cache is not trusted: the file is written anew under its own number', () => {
  const files = new MemoryFiles()
  const log = Log.open(DIRECTORY, SYNCED, files)
  append(log, 'one')
  log.commit()
  files.faults.push({ operation: 'sync', code: 'EIO' })
  const segment = append(log, 'two')
  assert.throws(() => log.commit(), { code: 'io', message: /input\/output error \(EIO\): look at the kernel log/ })
  append(log, 'three')
  log.commit()
  append(log, 'four')
  log.commit()
  files.cutPower()
  const content = contentOf(Log.open(DIRECTORY, SYNCED, files))
  assert.deepEqual(content, { texts: ['one', 'two', 'three', 'four'], segments: [1, segment, 1, 1], damages: [] })
  assert.equal(files.segments().length, 1)
})

test('what a killed process left in the page cache is on the device before it counts', () => {
  const files = new MemoryFiles()
  const unsynced = Log.open(DIRECTORY, OPTIONS, files)
  append(unsynced, 'one')
  unsynced.commit()
  assert.deepEqual(restarted(files, SYNCED), ['one'])
  files.cutPower()
  assert.deepEqual(contentOf(Log.open(DIRECTORY, SYNCED, files)).texts, ['one'])
})

test('each failure while a file is written anew is survived, too', () => {
  for (const operation of ['open', 'truncate', 'openToRead', 'read', 'write', 'sync', 'rename', 'syncDirectory'] as const) {
    const files = new MemoryFiles()
    const log = Log.open(DIRECTORY, SYNCED, files)
    append(log, 'one')
    log.commit()
    append(log, 'two')
    files.faults.push({ operation: 'sync', code: 'EIO' })
    assert.throws(() => log.commit(), StoreError)
    files.faults.push({ operation, code: 'EIO' })
    assert.throws(() => log.commit(), StoreError, operation)
    log.commit()
    assert.equal(files.openFiles, 1, operation)
    files.cutPower()
    assert.deepEqual(contentOf(Log.open(DIRECTORY, SYNCED, files)).texts, ['one', 'two'], operation)
  }
})

test('a directory that cannot be used says so and what to do', () => {
  const cases = [
    ['makeDirectory', 'EACCES', /^cannot make the directory \/data: permission denied \(EACCES\): let the user/],
    ['create', 'EROFS', /^cannot lock \/data: the file system is read-only \(EROFS\): mount it for writing/],
    ['list', 'EIO', /^cannot lock \/data: the device reported/],
  ] as const
  for (const [operation, code, message] of cases) {
    const files = new MemoryFiles()
    files.faults.push({ operation, code })
    assert.throws(() => Log.open(DIRECTORY, OPTIONS, files), { name: 'StoreError', message })
    Log.open(DIRECTORY, OPTIONS, files).close()
  }
})

test('what is thrown while a record is looked at is no fault of the disk', () => {
  const files = new MemoryFiles()
  const log = Log.open(DIRECTORY, OPTIONS, files)
  append(log, 'one')
  log.commit()
  const look = (): never => {
    throw new RangeError('not understood')
  }
  assert.throws(() => log.replay(look, look), RangeError)
  assert.equal(files.openFiles, 1)
})

test('a log that cannot be stored at the end still lets others have the directory', () => {
  const files = new MemoryFiles()
  const log = Log.open(DIRECTORY, OPTIONS, files)
  append(log, 'one')
  files.free = 0
  assert.throws(() => log.close(), { code: 'full' })
  assert.equal(files.openFiles, 0)
  Log.open(DIRECTORY, OPTIONS, files)
})

test('property: whatever fails, every record of a commit that returned is there after a power cut, in order', () => {
  const fault = fc.record({
    operation: fc.constantFrom('write', 'sync', 'open', 'syncDirectory', 'rename', 'read'),
    code: fc.constantFrom('EIO', 'ENOSPC', 'EDQUOT'),
    afterBytes: fc.nat(300),
  })
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ append: fc.nat(300) }) },
    { weight: 3, arbitrary: fc.constant('commit' as const) },
    { weight: 2, arbitrary: fault },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, hasPower) => {
      const files = new MemoryFiles()
      const options = { segmentBytes: 600, sync: true }
      const log = Log.open(DIRECTORY, options, files)
      const texts: string[] = []
      let stored = 0
      for (const what of steps) {
        if (typeof what === 'object' && 'append' in what) {
          texts.push(`${texts.length}${'.'.repeat(what.append)}`)
          append(log, texts.at(-1) as string)
        } else if (what === 'commit') {
          try {
            log.commit()
            stored = texts.length
          } catch (error) {
            assert.ok(error instanceof StoreError)
          }
        } else {
          files.faults.push(what)
        }
      }
      if (hasPower) files.kill()
      else files.cutPower()
      const found = contentOf(Log.open(DIRECTORY, options, files)).texts
      assert.ok(found.length >= stored)
      assert.deepEqual(found, texts.slice(0, found.length))
    }),
    { numRuns: 500 },
  )
})
