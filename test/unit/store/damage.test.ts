/** What damaged files cost: the record that was damaged, and a report. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from '../../../src/store/crc32.ts'
import { Log } from '../../../src/store/log.ts'
import { MemoryFiles } from './memory-files.ts'
import { append, type Content, contentOf, DIRECTORY } from './records.ts'

const OPTIONS = { segmentBytes: 1 << 20, sync: false }
const FILE_HEADER = 16
const RECORD_HEADER = 12

/** A log of these records in one segment, as its file. */
function written(texts: readonly string[]): { files: MemoryFiles; path: string; bytes: Buffer } {
  const files = new MemoryFiles()
  const log = Log.open(DIRECTORY, OPTIONS, files)
  for (const text of texts) append(log, text)
  log.commit()
  files.kill()
  const [path] = files.segments()
  assert.ok(path !== undefined)
  return { files, path, bytes: Buffer.from(files.bytesOf(path)) }
}

/** What a restart finds; a record that is appended then must come back too. */
function restarted(files: MemoryFiles): Content {
  files.kill()
  const log = Log.open(DIRECTORY, OPTIONS, files)
  const content = contentOf(log)
  append(log, 'new')
  log.commit()
  files.kill()
  const again = contentOf(Log.open(DIRECTORY, OPTIONS, files))
  assert.deepEqual(again.texts, [...content.texts, 'new'])
  assert.deepEqual(again.damages, content.damages)
  return content
}

/** The offsets at which records begin, and the end. */
function bounds(texts: readonly string[]): number[] {
  const offsets = [FILE_HEADER]
  for (const text of texts) offsets.push((offsets.at(-1) as number) + RECORD_HEADER + Buffer.byteLength(text))
  return offsets
}

const TEXTS = ['first', '', 'third record', 'x', 'last']

test('a tail torn at any octet is cut off, and is no damage', () => {
  const { files, path, bytes } = written(TEXTS)
  const offsets = bounds(TEXTS)
  assert.equal(offsets.at(-1), bytes.length)
  for (let length = 0; length <= bytes.length; length++) {
    files.put(path, Buffer.from(bytes.subarray(0, length)))
    const whole = Math.max(0, offsets.filter((offset) => offset <= length).length - 1)
    assert.deepEqual(restarted(files), {
      texts: TEXTS.slice(0, whole),
      segments: TEXTS.slice(0, whole).map(() => 1),
      damages: [],
    })
  }
})

test('a tail of zeros, which a power cut leaves, is cut off, and is no damage', () => {
  const { files, path, bytes } = written(TEXTS)
  for (const zeros of [1, RECORD_HEADER, 5000]) {
    files.put(path, Buffer.concat([bytes, Buffer.alloc(zeros)]))
    assert.deepEqual(restarted(files).damages, [])
    assert.ok(files.bytesOf(path).length < bytes.length + 100)
  }
})

test('any single changed bit costs at most its record, and is reported', () => {
  const { files, path, bytes } = written(TEXTS)
  const offsets = bounds(TEXTS)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const at = bit >>> 3
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] as number) ^ (1 << (bit & 7))
    files.put(path, changed)
    const touched = offsets.filter((offset) => offset <= at).length - 1
    const { texts, damages } = restarted(files)
    assert.deepEqual(
      texts,
      TEXTS.filter((_, index) => index !== touched),
      `bit ${bit}`,
    )
    const [start, end] = touched < 0 ? [0, FILE_HEADER] : [offsets[touched], offsets[touched + 1]]
    assert.deepEqual(
      damages.map((damage) => [damage.path, damage.segment, damage.start, damage.end]),
      [[path, 1, start, end]],
      `bit ${bit}`,
    )
  }
})

test('any overwritten stretch costs the records that it touches', () => {
  const texts = Array.from({ length: 40 }, (_, index) => `${index}:${'.'.repeat((index * 37) % 90)}`)
  const { files, path, bytes } = written(texts)
  const offsets = bounds(texts)
  for (let from = 0; from < bytes.length; from += 13) {
    const to = Math.min(bytes.length, from + ((from * 7) % 300) + 1)
    const changed = Buffer.from(bytes)
    for (let at = from; at < to; at++) changed[at] = (changed[at] as number) ^ 0x5a
    files.put(path, changed)
    const whole = texts.filter((_, index) => (offsets[index + 1] as number) <= from || (offsets[index] as number) >= to)
    const { texts: found, damages } = restarted(files)
    assert.deepEqual(found, whole)
    assert.ok(damages.length > 0)
  }
})

test('a block that the device does not give costs the records in it, at the end of the file too', () => {
  const texts = Array.from({ length: 60 }, (_, index) => `${index}`.padEnd(200, '.'))
  const { files } = written(texts)
  const log = Log.open(DIRECTORY, OPTIONS, files)
  files.faults.push({ operation: 'read', code: 'EIO' })
  const { texts: found, damages } = contentOf(log)
  const first = texts.findIndex((_, index) => (bounds(texts)[index] as number) >= 4096)
  assert.deepEqual(found, texts.slice(first))
  assert.equal(damages.length, 2)

  const short = written(['one', 'two'])
  short.files.faults.push({ operation: 'read', code: 'EIO' })
  const again = Log.open(DIRECTORY, OPTIONS, short.files)
  assert.deepEqual(contentOf(again), { texts: ['one', 'two'], segments: [1, 1], damages: [] }, 'nothing was cut off')
})

test('octets of a payload never pass for a record', () => {
  const inner = written(['forged']).bytes.subarray(FILE_HEADER)
  const { files, path, bytes } = written(['a', inner.toString('latin1').repeat(20), 'b'])
  const changed = Buffer.from(bytes)
  const second = FILE_HEADER + RECORD_HEADER + 1
  changed[second] = 0xff
  files.put(path, changed)
  assert.deepEqual(restarted(files).texts, ['a', 'b'])
})

test('a record in the place of another does not count', () => {
  const { files, path, bytes } = written(['one', 'two', 'end'])
  const [first, second, third] = bounds(['one', 'two', 'end'])
  const changed = Buffer.from(bytes)
  bytes.copy(changed, second, first, second)
  files.put(path, changed)
  const { texts, damages } = restarted(files)
  assert.deepEqual(texts, ['one', 'end'])
  assert.deepEqual(
    damages.map(({ start, end }) => [start, end]),
    [[second, third]],
  )
})

test('a closed segment that was cut short is damage, and the others are whole', () => {
  const files = new MemoryFiles()
  const options = { segmentBytes: 200, sync: false }
  const log = Log.open(DIRECTORY, options, files)
  const texts = Array.from({ length: 9 }, (_, index) => `${index}`.padStart(50, '.'))
  for (const text of texts) append(log, text)
  log.commit()
  const [first, second, third] = files.segments() as [string, string, string]
  files.put(first, Buffer.from(files.bytesOf(first).subarray(0, -1)))
  files.put(second, Buffer.from(files.bytesOf(second).subarray(0, 5)))
  files.kill()
  const content = contentOf(Log.open(DIRECTORY, options, files))
  assert.equal(files.segments().length, 5)
  assert.deepEqual(content.texts, [texts[0], ...texts.slice(4)])
  assert.deepEqual(
    content.damages.map(({ path, start, end }) => [path, start, end]),
    [
      [first, FILE_HEADER + RECORD_HEADER + 50, FILE_HEADER + 2 * (RECORD_HEADER + 50) - 1],
      [second, 0, 5],
    ],
  )
  files.kill()
  files.remove(third)
  assert.match(contentOf(Log.open(DIRECTORY, options, files)).damages.at(-1)?.what ?? '', /segment 3 is missing/)
})

test('files of another version are refused with the path and what to do', () => {
  const { files, path } = written(TEXTS)
  const header = Buffer.from(files.bytesOf(path))
  header.writeUInt32BE(2, 4)
  header.writeInt32BE(crc32(header, 0, 12), 12)
  files.put(path, header)
  assert.throws(() => Log.open(DIRECTORY, OPTIONS, files), {
    name: 'StoreError',
    code: 'format',
    path,
    message: `${path} has format version 2, and this Omnigate reads version 1: start the version of Omnigate that wrote it, or set node.dataDir to an empty directory`,
  })
  assert.deepEqual(files.list(DIRECTORY), [path.slice(DIRECTORY.length + 1)])
})

test('two files of one segment are refused; strangers are left alone', () => {
  const { files, path, bytes } = written(TEXTS)
  files.put(`${DIRECTORY}/notes.txt`, Buffer.from('mine'))
  assert.deepEqual(restarted(files).texts, TEXTS)
  files.put(path, bytes)
  files.put(path.replace(/[0-9a-f]{8}\.log$/, '00000000.log'), bytes)
  files.kill()
  assert.throws(() => Log.open(DIRECTORY, OPTIONS, files), { code: 'format', message: /two files of segment 1: take away/ })
})
