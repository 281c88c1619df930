/** What devices may send, from well-formed dialogues to noise: generators over a subject's vectors. */
import * as fc from 'fast-check'
import { openStage } from './performance.ts'
import type { Subject } from './subject.ts'

const LONGEST_DIALOGUE = 8
const MOST_NOISE_BYTES = 128

/** Frames after which a client is online: what comes behind them meets a session and not its door. */
export async function openersOf(subject: Subject): Promise<Uint8Array[]> {
  const openers: Uint8Array[] = []
  for (const { bytes } of subject.frames) {
    const { world, peer } = await openStage(subject)
    peer.send(bytes)
    if (world.core.size > 0 && peer.closed === undefined) openers.push(bytes)
  }
  return openers
}

/** Vectors in any order, mostly behind one that opens a session. */
export function dialogues(subject: Subject, openers: readonly Uint8Array[]): fc.Arbitrary<Uint8Array[]> {
  const frame = fc.constantFrom(...subject.frames.map(({ bytes }) => bytes))
  return behindOpener(frame, openers)
}

/** The same, with broken frames and noise in between. */
export function hostileDialogues(subject: Subject, openers: readonly Uint8Array[]): fc.Arbitrary<Uint8Array[]> {
  return behindOpener(hostile(subject), openers)
}

function behindOpener(frame: fc.Arbitrary<Uint8Array>, openers: readonly Uint8Array[]): fc.Arbitrary<Uint8Array[]> {
  const frames = fc.array(frame, { maxLength: LONGEST_DIALOGUE })
  if (openers.length === 0) return frames
  const opened = fc.tuple(fc.constantFrom(...openers), frames).map(([first, rest]) => [first, ...rest])
  return fc.oneof({ weight: 4, arbitrary: opened }, { weight: 1, arbitrary: frames })
}

/** A vector, or one that was damaged, or noise. */
export function hostile({ frames, malformed }: Subject): fc.Arbitrary<Uint8Array> {
  const sound = fc.constantFrom(...frames.map(({ bytes }) => bytes))
  const noise = fc.uint8Array({ maxLength: MOST_NOISE_BYTES })
  return fc.oneof(
    { weight: 2, arbitrary: sound },
    ...(malformed.length === 0 ? [] : [{ weight: 1, arbitrary: fc.constantFrom(...malformed) }]),
    { weight: 4, arbitrary: mutated(sound) },
    { weight: 1, arbitrary: fc.tuple(sound, fc.nat()).map(([bytes, at]) => bytes.subarray(0, at % (bytes.length + 1))) },
    { weight: 1, arbitrary: fc.tuple(sound, sound, fc.nat(), fc.nat()).map(([a, b, x, y]) => spliced(a, b, x, y)) },
    { weight: 1, arbitrary: noise },
  )
}

/** A few octets changed. */
export function mutated(sound: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 })))
  return fc.tuple(sound, fc.array(change, { minLength: 1, maxLength: 4 })).map(([bytes, changes]) => {
    const copy = bytes.slice()
    for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value
    return copy
  })
}

function spliced(a: Uint8Array, b: Uint8Array, x: number, y: number): Uint8Array {
  return Buffer.concat([a.subarray(0, x % (a.length + 1)), b.subarray(y % (b.length + 1))])
}

/** Cuts `bytes` at the given places (taken modulo its length), in order. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  const chunks: Uint8Array[] = []
  let start = 0
  for (const end of [...ends, bytes.length]) {
    if (end > start) chunks.push(bytes.subarray(start, end))
    start = end
  }
  return chunks
}
