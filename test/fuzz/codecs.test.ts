/**
 * Random octets against every framer and codec on disk, for as long as OMNIGATE_FUZZ_SECONDS says (each; default 1): nothing
 * throws, nothing hangs, and no framer keeps more than it was given. A failure names its input: it belongs into
 * `corpus/<gateway>.hex`.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { WireFormat } from '../../src/sdk.ts'
import { isMalformed } from '../../src/sdk.ts'
import { installed } from '../conformance/installed.ts'
import { cutAt, hostile } from '../property/inputs.ts'
import type { Subject } from '../property/subject.ts'
import { subjectsOf } from '../property/subject.ts'
import { corpusOf, parseCorpus } from './corpus.ts'

const SECONDS = Number(process.env['OMNIGATE_FUZZ_SECONDS'] ?? 1)
const SEED = Number(process.env['OMNIGATE_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const BATCH = 256

/** Reads `input`, as a stream in chunks or as a datagram; what decodes is encoded again. */
function read(wire: WireFormat<unknown>, datagram: boolean, input: Uint8Array, places: readonly number[]): void {
  const decode = (frame: Uint8Array): void => {
    const message = wire.codec.decode(frame)
    if (!isMalformed(message)) assert.ok(wire.codec.encode(message) instanceof Uint8Array)
  }
  const framer = datagram ? undefined : wire.framer?.()
  if (framer === undefined) {
    decode(input)
    return
  }
  let given = 0
  let followed = true
  for (const chunk of cutAt(input, places)) {
    if (!followed) return
    given += chunk.length
    framer.push(chunk, {
      frame: (bytes) => {
        decode(bytes)
        return true
      },
      malformed: ({ fatal }) => {
        if (fatal) followed = false
      },
    })
    assert.ok(framer.buffered <= given, `${framer.buffered} octets kept of ${given}`)
  }
  framer.reset()
  assert.equal(framer.buffered, 0)
}

function attempt(subject: Subject, wires: readonly WireFormat<unknown>[], input: Uint8Array, places: readonly number[]): void {
  for (const wire of wires) {
    try {
      read(wire, subject.datagram, input, places)
    } catch (error) {
      throw new Error(`${subject.name}: ${(error as Error).message}\n${Buffer.from(input).toString('hex')}`, { cause: error })
    }
  }
}

function fuzz(subject: Subject, corpus: readonly Uint8Array[], seconds: number, seed: number): number {
  const wires = [...new Set([subject.wire, ...subject.frames.map(({ wire }) => wire)])]
  for (const input of corpus) {
    attempt(subject, wires, input, [])
    for (let place = 1; place < input.length; place++) attempt(subject, wires, input, [place])
  }
  const inputs = fc.tuple(
    hostile({ ...subject, malformed: [...subject.malformed, ...corpus] }),
    fc.array(fc.nat(), { maxLength: 4 }),
  )
  const end = performance.now() + seconds * 1000
  let count = 0
  for (let batch = 0; batch === 0 || performance.now() < end; batch++) {
    for (const [input, places] of fc.sample(inputs, { numRuns: BATCH, seed: seed + batch }))
      attempt(subject, wires, input, places)
    count += BATCH
  }
  return count
}

for (const gateway of await installed()) {
  test(`the codec of ${gateway.name} takes whatever comes`, (t) => {
    for (const subject of subjectsOf(gateway)) {
      const count = fuzz(subject, corpusOf(gateway.name), SECONDS, SEED)
      t.diagnostic(`${subject.name}: ${count} inputs, seed ${SEED}`)
    }
  })
}

test('a codec that throws does not pass, and its input is named', () => {
  const broken: WireFormat<unknown> = {
    codec: {
      decode(frame) {
        if (frame[0] === 0xbe) throw new Error('beware')
        return frame
      },
      encode: () => new Uint8Array(0),
    },
  }
  const subject = { name: 'broken', wire: broken, frames: [], malformed: [], datagram: true } as unknown as Subject
  assert.throws(() => attempt(subject, [broken], Uint8Array.of(0xbe, 0xef), []), /beware\nbeef/)
  attempt(subject, [broken], Uint8Array.of(0xef), [])
})

test('a corpus is lines of hex with comments', () => {
  assert.deepEqual(
    parseCorpus('# nothing\n\n01 02 # two octets\nff\n').map((bytes) => [...bytes]),
    [[1, 2], [0xff]],
  )
})
