/** Laws 7 and 10, the mechanical part: what is counted has a fixed, readable name, and the gateway's README lists it. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { inProject, readText } from '../support/project.ts'
import { withoutComments } from '../support/source-text.ts'
import type { SourceFile } from '../support/source-tree.ts'
import { at, isTest, sourcesUnder } from '../support/source-tree.ts'

const NAME = /^[a-z][a-z0-9]*(-([a-z0-9]+|\*))*$/

/** `malformed('reason'`, `{ malformed: 'reason'`, `.count('name'`: the quote and the name. */
const REASON = /\bmalformed(?:\(|:)\s*(['"`])([^'"`\n]*)/g
const COUNT = /\.count\(\s*(['"`])([^'"`\n]*)/g

/** Placeholders that hold a value of a closed union of the SDK, by the name that says so. */
const CLOSED = /\$\{(outcome|reason|why)\}/g

interface Name {
  readonly name: string
  readonly where: string
}

/** `refused-${outcome}` is the family `refused-*`. */
function namesIn(file: SourceFile, pattern: RegExp): Name[] {
  return [...withoutComments(file.text).matchAll(pattern)].map((match) => ({
    name: (match[2] ?? '').replace(CLOSED, '*'),
    where: at(file, match.index),
  }))
}

function nameFaults(file: SourceFile): string[] {
  return [REASON, COUNT]
    .flatMap((pattern) => namesIn(file, pattern))
    .filter(({ name }) => !NAME.test(name))
    .map(({ name, where }) => `${where} '${name}' is no fixed name in kebab-case`)
}

const sources = sourcesUnder('gateways', 'src/bytes', 'src/stacks').filter(({ path }) => !isTest(path))

test('reasons and counters have fixed names in kebab-case', () => {
  assert.ok(sources.length > 0)
  assert.deepEqual(sources.flatMap(nameFaults), [])
})

/** A name stands in back quotes; of a family, at least its beginning: `refused-...`. */
function lists(readme: string, name: string): boolean {
  return readme.includes(name.endsWith('*') ? `\`${name.slice(0, -1)}` : `\`${name}\``)
}

test('the README of a gateway lists what it counts', () => {
  const silent = sources.flatMap((file) => {
    const readme = file.path.split('/').slice(0, 2).concat('README.md').join('/')
    const listed = existsSync(inProject(readme)) ? readText(readme) : ''
    return namesIn(file, COUNT)
      .filter(({ name }) => file.path.startsWith('gateways/') && !lists(listed, name))
      .map(({ name, where }) => `${where} ${name}`)
  })
  assert.deepEqual(silent, [])
})

test('a README that leaves a counter out is seen', () => {
  assert.ok(lists('counts `retransmitted` and `refused-{reason}`', 'retransmitted'))
  assert.ok(lists('counts `retransmitted` and `refused-{reason}`', 'refused-*'))
  assert.ok(!lists('counts retransmitted', 'retransmitted'))
  assert.ok(!lists('counts `refused`', 'refused-*'))
})

test('a name that a peer could choose is seen', () => {
  const faults = (text: string) => nameFaults({ path: 'gateways/x/session.ts', text }).length
  assert.equal(faults("return malformed('bad-checksum', 3)"), 0)
  assert.equal(faults("link.count('retransmitted')"), 0)
  assert.equal(faults('link.count(`refused-$' + '{outcome}`)'), 0)
  assert.equal(faults("return malformed('Bad checksum')"), 1)
  assert.equal(faults("return { malformed: 'bad_length', offset: 0, fatal: true }"), 1)
  assert.equal(faults('return malformed(`type-$' + '{byte}`)'), 1)
  assert.equal(faults('link.count(`message-$' + '{id}`)'), 1)
  assert.equal(faults('// malformed(`x$' + '{y}`)'), 0)
})
