import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { TokenBucket } from '../../../src/transport/token-bucket.ts'

describe('token bucket', () => {
  it('allows one second at once, then as fast as tokens come back', () => {
    const bucket = new TokenBucket(10, 0)
    for (let i = 0; i < 10; i++) assert.ok(bucket.take(1, 0))
    assert.equal(bucket.take(1, 0), false)
    assert.equal(bucket.take(1, 99), false)
    assert.ok(bucket.take(1, 100))
    assert.equal(bucket.take(1, 100), false)
  })

  it('never holds more than its capacity', () => {
    const bucket = new TokenBucket(10, 0)
    assert.ok(bucket.take(10, 3_600_000))
    assert.equal(bucket.take(1, 3_600_000), false)
  })

  it('allows one message where the rate is less than one a second', () => {
    const bucket = new TokenBucket(0.5, 0)
    assert.ok(bucket.take(1, 0))
    assert.equal(bucket.take(1, 1999), false)
    assert.ok(bucket.take(1, 2000))
  })

  it('says how long a debt takes', () => {
    const bucket = new TokenBucket(1000, 0)
    assert.equal(bucket.spend(1000, 0), 0)
    assert.equal(bucket.spend(500, 0), 500)
    assert.equal(bucket.spend(0, 499), 1)
    assert.equal(bucket.spend(0, 500), 0)
  })

  it('does not mind a clock that stands still or goes back', () => {
    const bucket = new TokenBucket(1000, 5000)
    assert.ok(bucket.take(1000, 4000))
    assert.equal(bucket.take(1, 4999), false)
    assert.equal(bucket.take(1, 5000), false)
    assert.ok(bucket.take(1, 5001))
  })

  it('lets through no more than burst plus rate, whatever the pattern', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.array(fc.record({ waitMs: fc.nat(500), count: fc.integer({ min: 1, max: 100 }) }), { maxLength: 100 }),
        (rate, requests) => {
          const bucket = new TokenBucket(rate, 0)
          let nowMs = 0
          let passed = 0
          for (const { waitMs, count } of requests) {
            nowMs += waitMs
            if (bucket.take(count, nowMs)) passed += count
            assert.ok(passed <= rate + (rate * nowMs) / 1000 + 1e-6)
          }
        },
      ),
    )
  })
})
