/** What waits for a flush: ranges, buffers gathered from them, and the backlog behind a full kernel. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Backlog } from '../../../src/transport/backlog.ts'
import { gatherMany, gatherOne, surrenderScratch } from '../../../src/transport/gather.ts'
import { NONE, RangePool } from '../../../src/transport/range-pool.ts'

interface Range {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

/** A few buffers of different kinds and sizes, whose bytes tell where they are from. */
const SOURCES: Uint8Array[] = [16, 300, 5000, 70_000, 300_000].flatMap((size, index) => {
  const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 7 + index) & 0xff)
  return [bytes, Buffer.from(bytes), Buffer.concat([Buffer.alloc(100_000), bytes]).subarray(100_000)]
})

const range: fc.Arbitrary<Range> = fc.tuple(fc.constantFrom(...SOURCES), fc.nat(), fc.nat()).map(([bytes, a, b]) => {
  const start = a % bytes.length
  return { bytes, start, end: start + 1 + (b % (bytes.length - start)) }
})
const ranges = fc.array(range, { minLength: 1, maxLength: 40 })

function fill(pool: RangePool, list: readonly Range[]): { head: number; total: number; expected: Buffer } {
  let head = NONE
  let tail = NONE
  let total = 0
  for (const { bytes, start, end } of list) {
    tail = pool.append(tail, bytes, start, end)
    if (head === NONE) head = tail
    total += end - start
  }
  return { head, total, expected: Buffer.concat(list.map(({ bytes, start, end }) => bytes.subarray(start, end))) }
}

describe('range pool', () => {
  it('merges ranges of one buffer that touch, and no others', () => {
    const pool = new RangePool()
    const bytes = new Uint8Array(100)
    const head = pool.append(NONE, bytes, 0, 10)
    assert.equal(pool.append(head, bytes, 10, 30), head)
    assert.equal(pool.live, 1)
    const second = pool.append(head, bytes, 31, 40)
    assert.notEqual(second, head)
    assert.notEqual(pool.append(second, Uint8Array.from(bytes), 40, 50), second)
    assert.equal(pool.live, 3)
    assert.deepEqual([pool.start[head], pool.end[head], pool.next[head]], [0, 30, second])
  })

  it('reuses what was released, and lets the bytes go', () => {
    const pool = new RangePool()
    const lists = [1, 2, 3].map((mark) =>
      fill(
        pool,
        [0, 2, 4].map((start) => ({ bytes: Uint8Array.of(mark, 0, 0, 0, 0, 0), start, end: start + 1 })),
      ),
    )
    for (const { head } of lists) pool.release(head)
    assert.equal(pool.live, 0)
    assert.ok(pool.bytes.every((bytes) => bytes.length === 0))
    const capacity = pool.bytes.length
    fill(
      pool,
      [0, 2, 4, 6].map((start) => ({ bytes: new Uint8Array(9), start, end: start + 1 })),
    )
    assert.equal(pool.bytes.length, capacity)
  })

  it('does not keep what one large turn needed', () => {
    const pool = new RangePool()
    const bytes = new Uint8Array(200_001)
    const { head } = fill(
      pool,
      Array.from({ length: 100_000 }, (_, i) => ({ bytes, start: i * 2, end: i * 2 + 1 })),
    )
    assert.equal(pool.live, 100_000)
    pool.release(head)
    assert.equal(pool.bytes.length, 0)
    const again = fill(pool, [{ bytes, start: 0, end: 5 }])
    assert.equal(gatherOne(pool, again.head, 5, false)?.length, 5)
  })
})

describe('gathering', () => {
  it('keeps every byte in order, in one buffer or in many', () => {
    fc.assert(
      fc.property(ranges, fc.boolean(), (list, shared) => {
        const pool = new RangePool()
        const { head, total, expected } = fill(pool, list)
        const one = gatherOne(pool, head, total, shared)
        if (total <= 65_536) assert.ok(one !== undefined)
        if (one !== undefined) assert.ok(one.equals(expected))
        assert.ok(Buffer.concat(gatherMany(pool, head, total)).equals(expected))
      }),
    )
  })

  it('reuses the scratch buffer until it is surrendered', () => {
    const pool = new RangePool()
    const { head, total } = fill(pool, [
      { bytes: Buffer.from('one'), start: 0, end: 3 },
      { bytes: Buffer.from('two'), start: 0, end: 3 },
    ])
    const first = gatherOne(pool, head, total, true) as Buffer
    assert.equal((gatherOne(pool, head, total, true) as Buffer).buffer, first.buffer)
    surrenderScratch(first)
    const next = gatherOne(pool, head, total, true) as Buffer
    assert.notEqual(next.buffer, first.buffer)
    next.fill(0)
    assert.equal(first.toString(), 'onetwo')
  })

  it('copies a small part of a large buffer, and does not copy a large part', () => {
    const pool = new RangePool()
    const chunk = Buffer.allocUnsafeSlow(65_536)
    const small = fill(pool, [{ bytes: chunk, start: 100, end: 200 }])
    assert.notEqual(gatherOne(pool, small.head, small.total, false)?.buffer, chunk.buffer)
    const large = fill(pool, [{ bytes: chunk, start: 100, end: 40_000 }])
    assert.equal(gatherOne(pool, large.head, large.total, false)?.buffer, chunk.buffer)
    assert.equal(gatherMany(pool, large.head, large.total)[0]?.buffer, chunk.buffer)
  })
})

describe('backlog', () => {
  it('gives back what was put in, in order, in pieces of about the limit', () => {
    fc.assert(
      fc.property(ranges, fc.integer({ min: 1, max: 400_000 }), fc.nat(5), (list, limit, takeEvery) => {
        const backlog = new Backlog()
        const expected: Buffer[] = []
        const taken: Buffer[] = []
        let bytes = 0
        const take = () => {
          const blocks = backlog.take(limit)
          const size = blocks.reduce((sum, block) => sum + block.length, 0)
          assert.ok(blocks.length <= 1 || size <= limit)
          assert.ok(blocks.length > 0 || bytes === 0)
          bytes -= size
          taken.push(...blocks)
        }
        list.forEach(({ bytes: source, start, end }, i) => {
          backlog.append(source, start, end)
          expected.push(Buffer.from(source.subarray(start, end)))
          bytes += end - start
          assert.equal(backlog.bytes, bytes)
          if (takeEvery > 0 && i % takeEvery === 0) take()
          assert.equal(backlog.bytes, bytes)
        })
        while (backlog.bytes > 0) take()
        assert.ok(Buffer.concat(taken).equals(Buffer.concat(expected)))
      }),
    )
  })

  it('keeps little more alive than it counts, however small the messages', () => {
    const backlog = new Backlog()
    for (let i = 0; i < 10_000; i++) {
      const chunk = Buffer.allocUnsafeSlow(65_536)
      backlog.append(chunk, 500, 600)
    }
    assert.equal(backlog.bytes, 1_000_000)
    const kept = new Set(backlog.take(Number.POSITIVE_INFINITY).map((block) => block.buffer))
    const bytes = [...kept].reduce((sum, buffer) => sum + buffer.byteLength, 0)
    assert.ok(bytes < 1_100_000, `${bytes} bytes are kept`)
  })
})
