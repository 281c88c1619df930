/** The append log: what is committed comes back, segment by segment. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Log } from '../../../src/store/log.ts'
import { MemoryFiles } from './memory-files.ts'
import { append, contentOf, DIRECTORY } from './records.ts'

const OPTIONS = { segmentBytes: 1024, sync: false }

function reopened(files: MemoryFiles, options = OPTIONS): Log {
  files.kill()
  return Log.open(DIRECTORY, options, files)
}

test('committed records come back in order, whatever their length', () => {
  const files = new MemoryFiles()
  const log = Log.open(DIRECTORY, { segmentBytes: 1 << 20, sync: false }, files)
  const texts = [0, 1, 7, 8, 9, 200, 255, 256, 257, 5000, 300_000].map((length) => 'x'.repeat(length))
  for (const text of texts) append(log, text)
  assert.ok(log.pending > 300_000)
  log.commit()
  assert.equal(log.pending, 0)
  assert.deepEqual(contentOf(log), { texts, segments: texts.map(() => 1), damages: [] })
  assert.deepEqual(contentOf(reopened(files)).texts, texts)
})

test('what is pending is one write', () => {
  const files = new MemoryFiles()
  const log = Log.open(DIRECTORY, OPTIONS, files)
  for (const text of ['a', 'b', 'c']) append(log, text)
  files.calls.length = 0
  log.commit()
  log.commit()
  assert.deepEqual(files.calls, ['open', 'write'])
})

test('what was not committed does not come back', () => {
  const files = new MemoryFiles()
  const log = Log.open(DIRECTORY, OPTIONS, files)
  append(log, 'kept')
  log.commit()
  append(log, 'lost')
  assert.deepEqual(contentOf(reopened(files)).texts, ['kept'])
})

test('a segment that is full is followed by another', () => {
  const files = new MemoryFiles()
  const log = Log.open(DIRECTORY, OPTIONS, files)
  const segments = Array.from({ length: 30 }, (_, index) => append(log, String(index).padStart(100, '.')))
  log.commit()
  assert.equal(log.oldest, 1)
  assert.equal(log.head, segments.at(-1))
  assert.ok(log.head > 2)
  const sizes = files.segments().map((path) => files.bytesOf(path).length)
  assert.ok(sizes.every((size) => size <= OPTIONS.segmentBytes))
  assert.equal(sizes.length, log.head)
  assert.equal(
    log.bytes,
    sizes.reduce((sum, size) => sum + size),
  )
  assert.equal(files.openFiles, 1)
  assert.deepEqual(contentOf(reopened(files)).segments, segments)
})

test('a record larger than a segment has one alone', () => {
  const log = Log.open(DIRECTORY, OPTIONS, new MemoryFiles())
  assert.deepEqual([append(log, 'small'), append(log, 'x'.repeat(2000)), append(log, 'small')], [1, 2, 3])
})

test('a log that was closed goes on where it ended', () => {
  const files = new MemoryFiles()
  const first = Log.open(DIRECTORY, OPTIONS, files)
  append(first, 'one')
  first.close()
  const second = Log.open(DIRECTORY, OPTIONS, files)
  assert.equal(append(second, 'two'), 1)
  second.close()
  assert.deepEqual(contentOf(Log.open(DIRECTORY, OPTIONS, files)).texts, ['one', 'two'])
})

test('the oldest segment goes, and its number does not come back', () => {
  const files = new MemoryFiles()
  const log = Log.open(DIRECTORY, OPTIONS, files)
  for (let index = 0; index < 20; index++) append(log, String(index).padStart(100, '.'))
  log.commit()
  const { head, bytes } = log
  const dropped = files.bytesOf(files.segments()[0] as string).length
  log.dropOldest()
  assert.deepEqual([log.oldest, log.bytes], [2, bytes - dropped])
  while (log.oldest < head) log.dropOldest()
  assert.throws(() => log.dropOldest(), RangeError)
  const again = reopened(files)
  assert.deepEqual([again.oldest, again.head], [head, head])
})

test('the oldest segment goes even when nothing can be written', () => {
  const files = new MemoryFiles()
  const log = Log.open(DIRECTORY, OPTIONS, files)
  for (let index = 0; index < 20; index++) append(log, String(index).padStart(100, '.'))
  log.commit()
  files.free = 0
  append(log, 'waits')
  assert.throws(() => log.commit(), { code: 'full' })
  log.dropOldest()
  log.commit()
  assert.equal(contentOf(log).texts.at(-1), 'waits')
})

test('a reservation may be larger than the record, and may be given up', () => {
  const log = Log.open(DIRECTORY, OPTIONS, new MemoryFiles())
  log.reserve(500)
  const at = log.reserve(100)
  log.buffer.write('abc', at)
  log.finish(3)
  log.commit()
  assert.deepEqual(contentOf(log).texts, ['abc'])
  log.reserve(3)
  assert.throws(() => log.finish(4), RangeError)
})

test('the buffer grows with a burst and shrinks after it', () => {
  const log = Log.open(DIRECTORY, { segmentBytes: 1 << 24, sync: false }, new MemoryFiles())
  const usual = log.buffer.length
  for (let index = 0; index < 100; index++) append(log, 'x'.repeat(20_000))
  assert.ok(log.buffer.length >= 2_000_000)
  for (let index = 0; index < 10; index++) {
    log.commit()
    append(log, 'x')
  }
  assert.equal(log.buffer.length, usual)
})

test('property: after any appends, commits, drops and kills the log holds what a list would', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ append: fc.nat(400) }) },
    { weight: 3, arbitrary: fc.constant('commit' as const) },
    { weight: 1, arbitrary: fc.constantFrom('kill' as const, 'drop' as const) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.boolean(), fc.nat(64), (steps, sync, writeAtMost) => {
      const files = new MemoryFiles()
      files.writeAtMost = writeAtMost + 1
      let log = Log.open(DIRECTORY, { segmentBytes: 700, sync }, files)
      let stored: { text: string; segment: number }[] = []
      let pending: typeof stored = []
      let count = 0
      for (const what of steps) {
        if (typeof what === 'object') {
          const text = `${count++}${'.'.repeat(what.append)}`
          pending.push({ text, segment: append(log, text) })
        } else if (what === 'commit') {
          log.commit()
          stored.push(...pending)
          pending = []
        } else if (what === 'drop') {
          if (log.oldest === log.head) continue
          const { oldest } = log
          if (pending.some(({ segment }) => segment === oldest)) {
            stored.push(...pending)
            pending = []
          }
          log.dropOldest()
          stored = stored.filter(({ segment }) => segment !== oldest)
        } else {
          if (sync) files.cutPower()
          else files.kill()
          pending = []
          log = Log.open(DIRECTORY, { segmentBytes: 700, sync }, files)
        }
      }
      files.kill()
      const content = contentOf(Log.open(DIRECTORY, { segmentBytes: 700, sync }, files))
      assert.deepEqual(content.damages, [])
      assert.deepEqual(
        content.texts.map((text, index) => ({ text, segment: content.segments[index] })),
        stored,
      )
    }),
    { numRuns: 300 },
  )
})
