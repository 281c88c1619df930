/** Law 11, the mechanical part: a default port stands in one manifest, and an exported number stands once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOnly } from '../support/source-text.ts'
import type { SourceFile } from '../support/source-tree.ts'
import { at, isTest, sourcesUnder } from '../support/source-tree.ts'

/** specs/topics.md, "Default ports". */
const DEFAULT_PORTS = new Set([1883, 8883, 8083, 8084, 5683, 5684, 1884, 1885, 5783, 5784, 5785, 6207, 7993, 9100, 18083])

const sources = sourcesUnder('src', 'gateways').filter(({ path }) => !isTest(path))

/** A manifest holds its gateway's ports; the API's own stands in the config schema. */
function mayHoldPort(path: string): boolean {
  return /^gateways\/[^/]+\/index\.ts$/.test(path) || path.startsWith('src/config/')
}

interface Found {
  readonly value: string
  readonly where: string
}

function portsIn(file: SourceFile): (Found & { readonly path: string })[] {
  return [...codeOnly(file.text).matchAll(/(?<![\w.])\d[\d_]*(?![\w.])/g)]
    .map((match) => ({ value: match[0].replaceAll('_', ''), where: at(file, match.index), path: file.path }))
    .filter(({ value }) => DEFAULT_PORTS.has(Number(value)))
}

/** `export const NAME = 12_345`, `export const NAME = 5 * MINUTE`: what others may import instead of repeating it. */
function constantsIn(file: SourceFile): Found[] {
  const pattern = /(?<![\w$.])export\s+const\s+([A-Z][A-Z0-9_]+)\s*(?::\s*number\s*)?=\s*[-\d(]/g
  return [...codeOnly(file.text).matchAll(pattern)].map((match) => ({ value: match[1] ?? '', where: at(file, match.index) }))
}

function repeated(found: readonly Found[]): string[] {
  const places = new Map<string, string[]>()
  for (const { value, where } of found) places.set(value, [...(places.get(value) ?? []), where])
  return [...places].filter(([, where]) => where.length > 1).map(([value, where]) => `${value}: ${where.join(', ')}`)
}

test('default ports stand in manifests only, each once', () => {
  const ports = sources.flatMap(portsIn)
  assert.deepEqual(
    ports.filter(({ path }) => !mayHoldPort(path)).map(({ value, where }) => `${where} ${value}`),
    [],
  )
  // TCP and UDP of one protocol share a number within one manifest.
  const perFile = new Map(ports.map(({ value, path }) => [`${path} ${value}`, { value, where: path }]))
  assert.deepEqual(repeated([...perFile.values()]), [])
})

test('an exported number of one name is declared once in its area', () => {
  const areas = new Map<string, Found[]>()
  for (const file of sources) {
    const area = file.path.split('/').slice(0, 2).join('/')
    areas.set(area, [...(areas.get(area) ?? []), ...constantsIn(file)])
  }
  assert.deepEqual([...areas.values()].flatMap(repeated), [])
})

test('the scan sees ports and constants in code, and only there', () => {
  const file = (text: string): SourceFile => ({ path: 'src/runtime/x.ts', text })
  assert.equal(portsIn(file('listen(5683)')).length, 1)
  assert.equal(portsIn(file('const port = 18_083')).length, 1)
  assert.equal(portsIn(file("// port 1883\nconst text = '1883'\nconst other = 1883.5 + 11883")).length, 0)
  const twice = [
    ...constantsIn(file('export const ACK_TIMEOUT_MS = 2000')),
    ...constantsIn(file('export const ACK_TIMEOUT_MS: number = 2_000')),
  ]
  assert.equal(repeated(twice).length, 1)
})
