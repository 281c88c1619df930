/** Law 1: arrows point down only, no gateway imports a gateway, and a gateway imports the SDK and nothing else. */
import assert from 'node:assert/strict'
import { isBuiltin } from 'node:module'
import { test } from 'node:test'
import { readJson } from '../support/project.ts'
import { importsOf } from '../support/source-text.ts'
import { deletedGateways, foldersIn, isTest, sourcesUnder } from '../support/source-tree.ts'
import { importFaults, packageOf } from './import-rules.ts'
import { AREAS, areaOf } from './layers.ts'

const sources = sourcesUnder('src', 'gateways', 'test', 'examples')

test('every import points down', () => {
  assert.ok(sources.length > 0)
  assert.deepEqual(sources.flatMap(importFaults), [])
})

test('every folder of src has a layer', () => {
  const unplaced = foldersIn('src').filter((folder) => areaOf(`src/${folder}/x.ts`) === undefined)
  assert.deepEqual(unplaced, [])
  assert.equal(new Set(AREAS.map((area) => area.name)).size, AREAS.length)
})

test('neighbours of one level import each other in one direction only', () => {
  const neighbours = (name: string): readonly string[] => AREAS.find((area) => area.name === name)?.also ?? []
  const reaches = (from: string, to: string): boolean => neighbours(from).some((next) => next === to || reaches(next, to))
  for (const { name, level } of AREAS) {
    assert.ok(!reaches(name, name), `${name} is its own neighbour`)
    for (const other of neighbours(name))
      assert.equal(AREAS.find((area) => area.name === other)?.level, level, `${name}, ${other}`)
  }
})

test('the import rules see what they forbid', () => {
  const forbidden: Record<string, string> = {
    'src/broker/x.ts': "import { a } from '../runtime/host.ts'",
    'src/bytes/x.ts': "import type { A } from '../broker/core.ts'",
    'src/sdk/x.ts': "import { reader } from '../bytes/reader.ts'",
    'src/transport/x.ts': "export * from '../store/store.ts'",
    'src/runtime/x.ts': "import coap from '../../gateways/coap/index.ts'",
    'src/api/x.ts': "const m = await import('../../gateways/coap/index.ts')",
    'src/unheard-of/x.ts': "import { a } from '../broker/core.ts'",
    'test/e2e/x.test.ts': "import coap from '../../gateways/coap/index.ts'",
    'gateways/coap/index.ts': "import { a } from '../mqtt/index.ts'",
    'gateways/coap/a.ts': "import { a } from '../../src/sdk.ts'",
    'gateways/coap/b.ts': "import { World } from '#testing'",
    'gateways/coap/c.ts': "import { createSocket } from 'node:dgram'",
    'gateways/coap/d.ts': "import { generate } from 'mqtt-packet'",
    'gateways/coap/test/x.test.ts': "import { a } from '../../../src/runtime/host.ts'",
  }
  for (const [path, text] of Object.entries(forbidden)) assert.equal(importFaults({ path, text }).length, 1, `${path}: ${text}`)
})

test('the import rules allow what the design allows', () => {
  const allowed: Record<string, string> = {
    'src/runtime/x.ts': "import { core } from '../broker/core.ts'\nimport { createSocket } from 'node:dgram'",
    'src/bytes/x.ts': "import type { Framer } from '../sdk/codec.ts'",
    'gateways/coap/index.ts':
      "import { defineGateway } from '#sdk'\nimport { size } from '#sdk/schema'\nimport * as z from 'zod'",
    'gateways/coap/session.ts':
      "import { Reader } from '#bytes/reader'\nimport { decode } from '#stacks/coap/message'\nimport './config.ts'",
    'gateways/mqtt/codec/index.ts': "import { generate } from 'mqtt-packet'",
    'gateways/coap/test/x.test.ts': "import { World } from '#testing'\nimport test from 'node:test'\nimport fc from 'fast-check'",
    'src/main.ts': "import { a } from './runtime/supervisor.ts'",
  }
  for (const [path, text] of Object.entries(allowed)) assert.deepEqual(importFaults({ path, text }), [], path)
})

test('the product imports its declared dependencies, and each of them is imported', () => {
  const { name, dependencies, devDependencies } = readJson('package.json') as Record<
    'dependencies' | 'devDependencies',
    object
  > & { name: string }
  const packages = (file: (typeof sources)[number]) =>
    importsOf(file.text)
      .map(({ specifier }) => specifier)
      .filter((specifier) => !/^[.#]/.test(specifier) && !isBuiltin(specifier))
      .map(packageOf)
      .filter((one) => one !== name)
  const isProduct = (path: string) => /^(src|gateways)\//.test(path) && !isTest(path)
  const imported = new Set(sources.filter((file) => isProduct(file.path)).flatMap(packages))
  // A gateway that was deleted leaves its dependency behind.
  const expected = Object.keys(dependencies).filter((one) => imported.has(one) || deletedGateways().length === 0)
  assert.deepEqual([...imported].sort(), expected.sort())
  const inTests = new Set(sources.filter((file) => !isProduct(file.path)).flatMap(packages))
  const known = new Set([...Object.keys(dependencies), ...Object.keys(devDependencies)])
  assert.deepEqual(
    [...inTests].filter((one) => !known.has(one)),
    [],
  )
})
