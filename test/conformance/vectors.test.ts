/**
 * Every vector of every gateway on disk (specs/README.md): frames decode and encode to the same octets, malformed ones
 * are refused, streams are cut where they say. Kinds that a protocol has of its own are its own tests' business.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Malformed, WireFormat } from '../../src/sdk.ts'
import { isMalformed } from '../../src/sdk.ts'
import { hex } from '../../src/testing.ts'
import type { Installed, Vector } from './installed.ts'
import { bytesOf, installed, wireOf } from './installed.ts'
import { subsetFault } from './subset.ts'

interface Cut {
  readonly frames: string[]
  readonly malformed: string[]
  readonly buffered: number
}

function cut(wire: WireFormat<unknown>, chunks: readonly Uint8Array[]): Cut {
  const framer = wire.framer?.()
  assert.ok(framer !== undefined, 'its wire has a framer')
  const frames: string[] = []
  const faults: Malformed[] = []
  for (const chunk of chunks) {
    framer.push(chunk, {
      frame: (bytes) => {
        frames.push(hex(bytes))
        return true
      },
      malformed: (error) => void faults.push(error),
    })
  }
  return { frames, malformed: faults.map((fault) => fault.malformed), buffered: framer.buffered }
}

/** What `expect` is compared with: the message, or what `codec/index.ts` makes of it for an envelope's `native`. */
function presented({ codec }: Installed, message: unknown): unknown {
  const nativeOf = codec['nativeOf'] as ((message: unknown) => unknown) | undefined
  return nativeOf === undefined ? message : nativeOf(message)
}

function checkFrame(gateway: Installed, wire: WireFormat<unknown>, vector: Vector): void {
  const digits = (vector.hex as string).replace(/\s+/g, '').toLowerCase()
  const message = wire.codec.decode(bytesOf(digits))
  assert.ok(!isMalformed(message), `it does not decode: ${JSON.stringify(message)}`)
  if (vector.expect !== undefined) assert.equal(subsetFault(presented(gateway, message), vector.expect), undefined)
  const again = wire.codec.encode(message)
  if (vector.canonical !== false) assert.equal(hex(again), digits)
  else assert.ok(!isMalformed(wire.codec.decode(again)), 'what was encoded again does not decode')
}

function checkMalformed(wire: WireFormat<unknown>, { hex: digits, expect }: Vector): void {
  const bytes = bytesOf(digits as string)
  const decoded = wire.codec.decode(bytes)
  const faults = [
    ...(isMalformed(decoded) ? [decoded.malformed] : []),
    ...(wire.framer === undefined ? [] : cut(wire, [bytes]).malformed),
  ]
  const { malformed } = expect as { malformed: string }
  assert.ok(faults.includes(malformed), `expected ${malformed}, found ${faults.join(', ') || 'nothing wrong'}`)
}

function checkStream(wire: WireFormat<unknown>, { hex: chunks, expect }: Vector): void {
  const found = cut(wire, (chunks as readonly string[]).map(bytesOf))
  const wanted = expect as Partial<Cut>
  if (wanted.frames !== undefined)
    assert.deepEqual(
      found.frames,
      wanted.frames.map((frame) => hex(bytesOf(frame))),
    )
  if (wanted.malformed !== undefined) assert.deepEqual(found.malformed, wanted.malformed)
  if (wanted.buffered !== undefined) assert.equal(found.buffered, wanted.buffered)
}

for (const gateway of await installed()) {
  for (const vector of gateway.vectors) {
    if (!['frame', 'malformed', 'stream'].includes(vector.kind)) continue
    test(`${vector.file}: ${vector.name}`, () => {
      const wire = wireOf(gateway, vector)
      assert.ok(wire !== undefined, `gateways/${gateway.name}/codec/index.ts exports ${vector.wire ?? 'wire'}`)
      if (vector.kind === 'frame') checkFrame(gateway, wire, vector)
      else if (vector.kind === 'malformed') checkMalformed(wire, vector)
      else checkStream(wire, vector)
    })
  }
  test(`${gateway.name}: there are frames and malformed ones`, () => {
    for (const kind of ['frame', 'malformed'])
      assert.ok(
        gateway.vectors.some((vector) => vector.kind === kind),
        `no ${kind} in specs`,
      )
  })
}

test('a vector that does not hold is seen', () => {
  const wire: WireFormat<unknown> = {
    codec: {
      decode: (frame) => (frame[0] === 1 ? { id: frame[0] } : { malformed: 'odd', offset: 0, fatal: false }),
      encode: () => Uint8Array.of(1),
    },
  }
  const gateway = { codec: {} } as Installed
  const vector: Vector = { file: 'x', name: 'x', kind: 'frame', hex: '01', expect: { id: 1 } }
  checkFrame(gateway, wire, vector)
  assert.throws(() => checkFrame(gateway, wire, { ...vector, expect: { id: 2 } }), /id/)
  assert.throws(() => checkFrame(gateway, wire, { ...vector, hex: '02' }), /does not decode/)
  assert.throws(() => checkFrame(gateway, wire, { ...vector, hex: '0102' }), /0102/)
  checkFrame(gateway, wire, { ...vector, hex: '0102', canonical: false })
  checkMalformed(wire, { ...vector, hex: '02', expect: { malformed: 'odd' } })
  assert.throws(() => checkMalformed(wire, { ...vector, hex: '02', expect: { malformed: 'even' } }), /found odd/)
  assert.throws(() => checkMalformed(wire, { ...vector, hex: '01', expect: { malformed: 'odd' } }), /nothing wrong/)
})
