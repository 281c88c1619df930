/** specs/metrics.json lists what the product counts, all of it and nothing else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerStats } from '../../src/broker/stats.ts'
import { emptyStats } from '../../src/transport/listener-stats.ts'
import { readJson, readText } from '../support/project.ts'
import { withoutComments } from '../support/source-text.ts'
import { sourcesUnder } from '../support/source-tree.ts'

interface Row {
  readonly topic?: string
  readonly name?: string
  readonly kind?: string
  readonly unit?: string
  readonly text: string
}

type Catalogue = Record<'topics' | 'dropReasons' | 'counters' | 'listeners', readonly Row[]>

const catalogue = readJson('specs/metrics.json') as Catalogue

/** Where each tree is published, and the source that publishes it. */
const TREES: readonly (readonly [root: string, source: string])[] = [
  ['$SYS/broker/', 'src/runtime/sys-mosquitto.ts'],
  ['$SYS/brokers/{node}/', 'src/runtime/sys-emqx.ts'],
]

/** Placeholders of the source, and how the catalogue writes them. */
function asWritten(text: string): string {
  return text
    .replaceAll('$' + '{root}', 'gateways/{gateway}')
    .replaceAll('$' + '{config.name}', '{listener}')
    .replace(/\$\{(\w+)\}/g, '{$1}')
}

/** Every `put('...')` or `.count('...')` of a source, placeholders included. */
function literals(text: string, call: RegExp): string[] {
  const pattern = new RegExp(`${call.source}\\(\\s*(['"\`])([^'"\`\\n]+)\\1`, 'g')
  return [...withoutComments(text).matchAll(pattern)].map((match) => asWritten(match[2] ?? ''))
}

function sorted(names: Iterable<string | undefined>): string[] {
  return [...new Set(names)].map(String).sort()
}

test('every topic below $SYS is listed', () => {
  const published = TREES.flatMap(([root, source]) => literals(readText(source), /\bput/).map((topic) => root + topic))
  assert.ok(published.length > 0)
  assert.deepEqual(sorted(catalogue.topics.map((row) => row.topic)), sorted(published))
})

test('every reason to drop, and every number of a listener, is listed', () => {
  assert.deepEqual(sorted(catalogue.dropReasons.map((row) => row.name)), sorted(Object.keys(new BrokerStats().dropped)))
  assert.deepEqual(sorted(catalogue.listeners.map((row) => row.name)), sorted(Object.keys(emptyStats())))
})

test('every counter of the host is listed', () => {
  const counted = sourcesUnder('src/runtime').flatMap(({ text }) => literals(text, /\.count/))
  assert.ok(counted.length > 0)
  assert.deepEqual(sorted(catalogue.counters.map((row) => row.name)), sorted(counted))
})

test('every row says what it is', () => {
  for (const row of Object.values(catalogue).flat()) {
    assert.match(row.text, /^[A-Z].{5,}\.$/, row.topic ?? row.name)
    if (row.kind !== undefined) assert.ok(['counter', 'gauge', 'text'].includes(row.kind), row.kind)
  }
  for (const row of catalogue.topics) assert.ok(row.unit !== undefined && row.kind !== undefined, row.topic)
})

test('literals are read with their placeholders', () => {
  const source = "put('a/b', 1) // put('no', 1)\nput(`$" + '{root}/c/$' + "{reason}`, 2)\nthis.count('x')"
  assert.deepEqual(literals(source, /\bput/), ['a/b', 'gateways/{gateway}/c/{reason}'])
  assert.deepEqual(literals(source, /\.count/), ['x'])
})
