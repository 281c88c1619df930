/** Every vector file under specs is well formed, so that a typing error in one is not a test that passes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readJson } from '../support/project.ts'
import { filesUnder } from '../support/source-tree.ts'

const files = filesUnder('specs').filter((path) => /\/vectors\/[^/]+\.json$/.test(path))

const KIND = /^[a-z]+(-[a-z]+)*$/

function isHex(text: unknown): boolean {
  return typeof text === 'string' && /^([0-9a-f]{2})*$/i.test(text.replaceAll(' ', ''))
}

function vectorFaults(vector: unknown): string[] {
  if (typeof vector !== 'object' || vector === null) return ['a vector is an object']
  const { name, kind, hex, expect } = vector as Record<string, unknown>
  const faults: string[] = []
  if (typeof name !== 'string' || name === '') faults.push('name is missing')
  if (typeof kind !== 'string' || !KIND.test(kind)) faults.push('kind is missing')
  const chunks = kind === 'stream' ? hex : [hex]
  if (!Array.isArray(chunks) || chunks.length === 0 || !chunks.every(isHex)) faults.push('hex is not hex')
  if (kind === 'malformed' && typeof (expect as { malformed?: unknown } | undefined)?.malformed !== 'string')
    faults.push('expect.malformed is missing')
  return faults.map((fault) => `${String(name)}: ${fault}`)
}

for (const path of files) {
  test(`${path} is well formed`, () => {
    const vectors = readJson(path)
    assert.ok(Array.isArray(vectors) && vectors.length > 0, 'an array of vectors')
    assert.deepEqual(vectors.flatMap(vectorFaults), [])
    const names = vectors.map((vector) => vector.name)
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
      'names are unique',
    )
  })
}

test('a vector that would test nothing is seen', () => {
  assert.deepEqual(vectorFaults({ name: 'a', kind: 'frame', hex: '7e 00' }), [])
  assert.deepEqual(vectorFaults({ name: 'a', kind: 'stream', hex: ['7e', '00'] }), [])
  const wrong = [
    { kind: 'frame', hex: '7e' },
    { name: 'a', hex: '7e' },
    { name: 'a', kind: 'frame', hex: '7' },
    { name: 'a', kind: 'frame', hex: 'zz' },
    { name: 'a', kind: 'stream', hex: '7e' },
    { name: 'a', kind: 'malformed', hex: '7e', expect: {} },
  ]
  for (const vector of wrong) assert.equal(vectorFaults(vector).length, 1, JSON.stringify(vector))
})
