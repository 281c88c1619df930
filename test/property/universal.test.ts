/** The universal properties, for every gateway on disk, from its vectors; and proof that each of them can fail. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { installed } from '../conformance/installed.ts'
import { lineSubject } from './line-gateway.ts'
import { chunkingInvariance, determinism, quiescence, roundTrip, totality } from './properties.ts'
import { subjectsOf } from './subject.ts'

/** The same cases in every run; the fuzz test looks further. */
const EFFORT = { seed: 20_260_801, runs: 60 }

for (const gateway of await installed()) {
  test(`${gateway.name} has a wire format and vectors to begin from`, () => {
    assert.ok(subjectsOf(gateway).length > 0)
  })
  const subjects = gateway.wire === undefined || gateway.vectors.length === 0 ? [] : subjectsOf(gateway)
  for (const subject of subjects) {
    if (!subject.datagram) test(`${subject.name}: chunks change nothing`, () => chunkingInvariance(subject, EFFORT))
    test(`${subject.name}: what decodes encodes again`, () => roundTrip(subject, EFFORT))
    test(`${subject.name}: nothing throws, what is rejected is seen`, () => totality(subject, EFFORT))
    test(`${subject.name}: nothing is left when all are gone`, () => quiescence(subject, EFFORT))
    test(`${subject.name}: the same input gives the same output`, () => determinism(subject, EFFORT))
  }
}

test('a sound gateway has every property', async () => {
  const subject = lineSubject()
  for (const property of [chunkingInvariance, roundTrip, totality, quiescence, determinism]) await property(subject, EFFORT)
})

for (const [defect, property] of [
  ['answers each chunk', chunkingInvariance],
  ['drops a partial line', chunkingInvariance],
  ['encodes something else', roundTrip],
  ['throws', totality],
  ['ignores what it cannot read', totality],
  ['keeps its client for ever', quiescence],
  ['counts across connections', determinism],
] as const) {
  test(`a gateway that ${defect} is seen`, async () => {
    await assert.rejects(property(lineSubject(defect), EFFORT))
  })
}
