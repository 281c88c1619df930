/** Long messages from their parts, without a wire. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fnv1a } from '#bytes/checksum'
import { Assemblies, type Budget, missingParts, PART_COST } from '../assemblies.ts'
import type { Header } from '../codec/index.ts'

const LIMITS = { maxParts: 100, maxBytes: 1000, maxAssemblies: 3 }

function budget(limit = 1e6): Budget {
  return { used: 0, limit }
}

interface Piece {
  readonly header: Header
  readonly body: Uint8Array
}

function piece(id: number, sn: number, part: number, total: number, body: Uint8Array): Piece {
  return {
    header: {
      id,
      length: body.length,
      form: '2013',
      protocol: 0,
      phone: '1',
      sn,
      encryption: 0,
      reserved: 0,
      part: { total, sn: part },
    },
    body,
  }
}

/** A message in `total` parts of three octets, numbered from `sn`. */
function message(id: number, sn: number, total: number, fill: number): Piece[] {
  return Array.from({ length: total }, (_, i) => piece(id, (sn + i) % 65_536, i + 1, total, Uint8Array.of(fill, i, i >> 8)))
}

function whole(pieces: readonly Piece[]): number[] {
  return pieces.flatMap(({ body }) => [...body])
}

function add(assemblies: Assemblies, { header, body }: Piece, limits = LIMITS, givenUp = () => {}) {
  const print = fnv1a(Uint8Array.from([header.id & 0xff, header.sn >> 8, header.sn & 0xff, header.part?.sn ?? 0, ...body]))
  return assemblies.add(header, body, print, 0, limits, givenUp)
}

test('property: messages come together in any order, mixed and repeated, each once', () => {
  const shape = fc.record({ id: fc.constantFrom(0x0801, 0x0900), total: fc.integer({ min: 1, max: 12 }) })
  fc.assert(
    fc.property(
      fc.array(shape, { minLength: 1, maxLength: 3 }),
      fc.nat(65_535),
      fc.infiniteStream(fc.nat(1_000_000)),
      (shapes, from, dice) => {
        const memory = budget()
        const assemblies = new Assemblies(memory)
        let sn = from
        const messages = shapes.map(({ id, total }, i) => {
          const pieces = message(id, sn, total, i)
          sn = (sn + total) % 65_536
          return pieces
        })
        const stream = dice[Symbol.iterator]()
        const roll = (): number => stream.next().value as number
        const shuffled = messages.flat().flatMap((one) => (roll() % 3 === 0 ? [one, one] : [one]))
        for (let i = shuffled.length - 1; i > 0; i--) {
          const j = roll() % (i + 1)
          const [a, b] = [shuffled[i] as Piece, shuffled[j] as Piece]
          shuffled[i] = b
          shuffled[j] = a
        }
        const complete: number[][] = []
        for (const one of shuffled) {
          const added = add(assemblies, one)
          if (added.kind === 'complete') complete.push([...added.body])
          else assert.notEqual(added.kind, 'refused')
        }
        assert.deepEqual(complete.map(String).sort(), messages.map((pieces) => String(whole(pieces))).sort())
        assert.equal(memory.used, 0)
        assert.equal(assemblies.open.length, 0)
      },
    ),
  )
})

test('a part is copied: the chunk that it came in is not kept', () => {
  const assemblies = new Assemblies(budget())
  const chunk = Buffer.from('abcdef')
  const [first, second] = message(0x0801, 1, 2, 7) as [Piece, Piece]
  assert.equal(add(assemblies, { ...first, body: chunk.subarray(0, 3) }).kind, 'kept')
  chunk.fill(0)
  const added = add(assemblies, { ...second, body: Buffer.from('def') })
  assert.equal(added.kind === 'complete' && Buffer.from(added.body).toString(), 'abcdef')
})

test('a device that gives every part the same serial number is understood', () => {
  const assemblies = new Assemblies(budget())
  const pieces = [1, 2, 3].map((part) => piece(0x0801, 7, part, 3, Uint8Array.of(part)))
  const [first, second, third] = pieces as [Piece, Piece, Piece]
  add(assemblies, first)
  add(assemblies, third)
  const added = add(assemblies, second)
  assert.ok(added.kind === 'complete')
  assert.deepEqual([...added.body], [1, 2, 3])
})

test('a device that sends other messages between its parts is understood', () => {
  const assemblies = new Assemblies(budget())
  add(assemblies, piece(0x0801, 10, 1, 3, Uint8Array.of(1)))
  add(assemblies, piece(0x0801, 12, 2, 3, Uint8Array.of(2)))
  assert.equal(add(assemblies, piece(0x0801, 14, 3, 3, Uint8Array.of(3))).kind, 'complete')
})

test('numbers that cannot be are refused', () => {
  const assemblies = new Assemblies(budget())
  for (const [part, total] of [
    [0, 3],
    [4, 3],
    [1, 0],
    [0, 0],
  ] as const) {
    assert.deepEqual(add(assemblies, piece(0x0801, 1, part, total, Uint8Array.of(1))), { kind: 'refused', reason: 'bad-part' })
  }
  assert.deepEqual(add(assemblies, piece(0x0801, 1, 1, 65_535, Uint8Array.of(1))), { kind: 'refused', reason: 'too-many-parts' })
  assert.equal(assemblies.open.length, 0)
})

test('what is too long is given up, and its memory is free again', () => {
  const memory = budget()
  const assemblies = new Assemblies(memory)
  add(assemblies, piece(0x0801, 1, 1, 3, new Uint8Array(600)))
  assert.equal(memory.used, PART_COST + 600)
  assert.deepEqual(add(assemblies, piece(0x0801, 2, 2, 3, new Uint8Array(600))), { kind: 'refused', reason: 'message-too-long' })
  assert.equal(memory.used, 0)
})

test('the memory of all terminals is one', () => {
  const memory = budget(5 + 2 * PART_COST)
  const [one, other] = [new Assemblies(memory), new Assemblies(memory)]
  assert.equal(add(one, piece(1, 1, 1, 2, new Uint8Array(3))).kind, 'kept')
  assert.deepEqual(add(other, piece(1, 1, 1, 2, new Uint8Array(3))), { kind: 'refused', reason: 'no-memory' })
  one.clear()
  assert.equal(add(other, piece(1, 1, 1, 2, new Uint8Array(3))).kind, 'kept')
  other.clear()
  assert.equal(memory.used, 0)
})

test('more unfinished messages than allowed: the oldest gives way', () => {
  const assemblies = new Assemblies(budget())
  let dropped = 0
  for (let i = 0; i < 5; i++) add(assemblies, piece(0x0801, i * 100, 1, 2, Uint8Array.of(i)), LIMITS, () => dropped++)
  assert.equal(dropped, 2)
  assert.deepEqual(
    assemblies.open.map(({ firstSn }) => firstSn),
    [200, 300, 400],
  )
})

test('what is missing is named, up to a limit', () => {
  const assemblies = new Assemblies(budget())
  add(assemblies, piece(0x0801, 1, 2, 6, Uint8Array.of(1)))
  const [assembly = assert.fail()] = assemblies.open
  assert.deepEqual(missingParts(assembly, 255), [1, 3, 4, 5, 6])
  assert.deepEqual(missingParts(assembly, 2), [1, 3])
})
