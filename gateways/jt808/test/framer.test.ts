/** Cutting a stream into frames, whatever the chunks. The packets themselves are in specs/jt808/vectors/streams.json. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex } from '#bytes/hex'
import type { FrameSink } from '#sdk'
import { FLAG, FlagFramer, MAX_FRAME_BYTES } from '../codec/framer.ts'

class Recorder implements FrameSink {
  readonly frames: string[] = []
  readonly faults: string[] = []
  /** Answer `false` at this many frames. */
  stopAt = 0

  frame(bytes: Uint8Array): boolean | undefined {
    this.frames.push(toHex(bytes))
    return this.frames.length === this.stopAt ? false : undefined
  }

  malformed(error: { malformed: string }): void {
    this.faults.push(error.malformed)
  }
}

function framed(...contents: number[][]): number[] {
  return contents.flatMap((content) => [FLAG, ...content, FLAG])
}

test('the cap is the longest frame that the standard allows', () => {
  assert.equal(MAX_FRAME_BYTES, 2092)
})

test('a sink that stops gets the rest at the next push, an empty one too', () => {
  const framer = new FlagFramer()
  const sink = new Recorder()
  sink.stopAt = 1
  framer.push(Uint8Array.from(framed([1], [2], [3]).concat(FLAG, 4)), sink)
  assert.deepEqual(sink.frames, ['7e017e'])
  assert.ok(framer.buffered > 0)
  framer.push(new Uint8Array(0), sink)
  assert.deepEqual(sink.frames, ['7e017e', '7e027e', '7e037e'])
  framer.push(Uint8Array.of(5, FLAG), sink)
  assert.equal(sink.frames.at(-1), '7e04057e')
  assert.deepEqual(sink.faults, [])
})

test('a sink that stops twice loses nothing', () => {
  const framer = new FlagFramer()
  const sink = new Recorder()
  sink.stopAt = 1
  framer.push(Uint8Array.from(framed([1], [2])), sink)
  sink.stopAt = 2
  framer.push(Uint8Array.from(framed([3])), sink)
  assert.deepEqual(sink.frames, ['7e017e', '7e027e'])
  framer.push(Uint8Array.from(framed([4])), sink)
  assert.deepEqual(sink.frames, ['7e017e', '7e027e', '7e037e', '7e047e'])
})

test('a sink that stops at a frame from two chunks gets the rest too', () => {
  const framer = new FlagFramer()
  const sink = new Recorder()
  sink.stopAt = 1
  framer.push(Uint8Array.of(FLAG, 1), sink)
  framer.push(Uint8Array.from([2, FLAG, ...framed([3])]), sink)
  framer.push(new Uint8Array(0), sink)
  assert.deepEqual(sink.frames, ['7e01027e', '7e037e'])
})

test('reset forgets what was kept', () => {
  const framer = new FlagFramer()
  const sink = new Recorder()
  framer.push(Uint8Array.of(FLAG, 1, 2), sink)
  assert.equal(framer.buffered, 3)
  framer.reset()
  assert.equal(framer.buffered, 0)
  framer.push(Uint8Array.from([3, ...framed([4])]), sink)
  assert.deepEqual(sink.frames, ['7e047e'])
  assert.deepEqual(sink.faults, ['garbage'])
})

test('nothing is kept between whole frames', () => {
  const framer = new FlagFramer()
  const sink = new Recorder()
  for (let i = 0; i < 100; i++) framer.push(Uint8Array.from(framed([i & 0x3f])), sink)
  assert.equal(sink.frames.length, 100)
  assert.equal(framer.buffered, 0)
})

const content = fc.array(
  fc.nat(255).filter((octet) => octet !== FLAG),
  { minLength: 1, maxLength: 40 },
)

/** Chunk sizes that cut `length` octets. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = []
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % Math.max(1, sizes.length)] ?? 1)
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

test('property: the frames do not depend on the chunks, nor on whether flags are shared', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(content, fc.boolean())), fc.array(fc.integer({ min: 1, max: 17 })), (frames, sizes) => {
      const stream: number[] = []
      for (const [octets, shared] of frames) {
        if (!shared || stream.length === 0) stream.push(FLAG)
        stream.push(...octets, FLAG)
      }
      const framer = new FlagFramer()
      const sink = new Recorder()
      for (const chunk of cut(Uint8Array.from(stream), sizes)) framer.push(chunk, sink)
      assert.deepEqual(
        sink.frames,
        frames.map(([octets]) => toHex(Uint8Array.from([FLAG, ...octets, FLAG]))),
      )
      assert.deepEqual(sink.faults, [])
    }),
  )
})

test('property: any octets in any chunks give frames within the cap, and never more than the cap is kept', () => {
  const octet = fc.oneof(fc.constant(FLAG), fc.nat(255))
  fc.assert(
    fc.property(fc.array(octet, { maxLength: 400 }), fc.array(fc.integer({ min: 1, max: 90 })), (octets, sizes) => {
      const framer = new FlagFramer(64)
      const sink = new Recorder()
      for (const chunk of cut(Uint8Array.from(octets), sizes)) {
        framer.push(chunk, sink)
        assert.ok(framer.buffered < 64)
      }
      for (const frame of sink.frames) {
        assert.match(frame, /^7e.+7e$/)
        assert.ok(frame.length <= 2 * 64)
      }
    }),
  )
})
