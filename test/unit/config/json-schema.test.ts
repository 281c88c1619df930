import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { describeField, type JsonSchema, schemaAt } from '../../../src/config/field.ts'
import { configJsonSchema, gatewayJsonSchema, instanceJsonSchema, nodeJsonSchema } from '../../../src/config/json-schema.ts'
import { isRecord, valueAt } from '../../../src/config/path.ts'
import type { GatewayModule } from '../../../src/sdk.ts'
import { modules } from './support.ts'

async function fixture(name: string): Promise<GatewayModule> {
  const { module } = await modules.load(name, '/')
  assert.ok(module !== undefined)
  return module
}

function* walk(value: unknown): Generator<Record<string, unknown>, undefined> {
  if (Array.isArray(value)) for (const one of value) yield* walk(one)
  if (!isRecord(value)) return
  yield value
  for (const one of Object.values(value)) yield* walk(one)
}

test('one gateway: common and own keys on one level', async () => {
  const schema = gatewayJsonSchema(await fixture('alpha'))
  assert.equal(schema['$schema'], 'https://json-schema.org/draft/2020-12/schema')
  assert.deepEqual(Object.keys(schema['properties'] as object), [
    'use',
    'enabled',
    'mountpoint',
    'session',
    'listeners',
    'idleTimeout',
    'maxFrame',
    'mode',
    'retry',
    'users',
    'sequence',
  ])
  assert.equal(schema['additionalProperties'], false)
  assert.deepEqual(schemaAt(schema, ['idleTimeout']), {
    type: 'string',
    title: 'Idle timeout',
    default: '30s',
    pattern: '^\\d+(\\.\\d+)?(ms|s|m|h|d)$',
    'x-reload': 'live',
    'x-unit': 'duration',
  })
})

test('listeners take what the gateway speaks, and show its standard ones', async () => {
  const schema = instanceJsonSchema(await fixture('alpha'))
  assert.deepEqual(schemaAt(schema, ['listeners', 0, 'type'])?.['enum'], ['tcp', 'tls', 'ws', 'wss'])
  assert.deepEqual(schemaAt(schema, ['listeners'])?.['default'], [
    { type: 'tcp', bind: '127.0.0.1:21001' },
    { type: 'ws', bind: '127.0.0.1:21002', path: '/alpha' },
  ])
})

test('a gateway without JSON Schema lets its own keys through', async () => {
  assert.equal(instanceJsonSchema(await fixture('beta'))['additionalProperties'], true)
})

describe('the whole config', () => {
  test('every gateway by name, and every `use`', async () => {
    const schema = configJsonSchema([await fixture('beta'), await fixture('alpha')])
    assert.deepEqual(Object.keys(schema['properties'] as object), ['node', 'broker', 'gateways', 'api'])
    assert.deepEqual(Object.keys(valueAt(schema, ['properties', 'gateways', 'properties']) as object), ['alpha', 'beta'])
    assert.deepEqual(Object.keys(valueAt(schema, ['$defs']) as object), ['common', 'using', 'gateway-alpha', 'gateway-beta'])
    const rules = (valueAt(schema, ['$defs', 'using', 'allOf']) as unknown[]).slice(1)
    assert.deepEqual(
      rules.map((rule) => [valueAt(rule, ['if', 'properties', 'use', 'const']), valueAt(rule, ['then', '$ref'])]),
      [
        ['alpha', '#/$defs/gateway-alpha'],
        ['beta', '#/$defs/gateway-beta'],
      ],
    )
  })

  test('the order of discovery does not show, and every reference leads somewhere', async () => {
    const [alpha, beta] = [await fixture('alpha'), await fixture('beta')]
    const schema = configJsonSchema([alpha, beta])
    assert.equal(JSON.stringify(schema), JSON.stringify(configJsonSchema([beta, alpha])))
    const references = [...walk(schema)].flatMap(({ $ref }) => (typeof $ref === 'string' ? [$ref] : []))
    assert.ok(references.length >= 4)
    for (const reference of references) assert.ok(valueAt(schema, reference.slice(2).split('/')) !== undefined, reference)
  })

  test('no bounds that nobody wrote', async () => {
    const schema = configJsonSchema([await fixture('alpha')])
    for (const { minimum, maximum } of walk(schema)) {
      assert.notEqual(maximum, Number.MAX_SAFE_INTEGER)
      assert.notEqual(minimum, Number.MIN_SAFE_INTEGER)
    }
    assert.deepEqual(schemaAt(instanceJsonSchema(await fixture('alpha')), ['sequence']), {
      type: 'integer',
      default: 0,
      title: 'First number',
    })
  })

  test('every key of ours has a title, a description and a reload class', () => {
    for (const section of [nodeJsonSchema(), instanceJsonSchema(undefined)]) {
      for (const { properties } of walk(section)) {
        if (!isRecord(properties)) continue
        for (const [key, field] of Object.entries(properties)) {
          assert.ok(isRecord(field) && typeof field['title'] === 'string' && typeof field['description'] === 'string', key)
          const isSection = field['properties'] !== undefined
          if (!isSection) assert.ok(['live', 'listener', 'gateway', 'process'].includes(String(field['x-reload'])), key)
        }
      }
    }
  })
})

test('a field in words', () => {
  const cases: [schema: JsonSchema | undefined, words: string][] = [
    [undefined, ''],
    [{}, ''],
    [{ type: 'integer', minimum: 1, maximum: 5, default: 2 }, 'a whole number from 1 to 5, such as 2'],
    [{ type: 'integer', minimum: 1 }, 'a whole number, at least 1'],
    [{ type: 'number', maximum: 1 }, 'a number, at most 1'],
    [{ type: 'boolean', default: true }, 'true or false'],
    [{ type: 'string', default: '' }, 'text'],
    [{ type: 'string', 'x-unit': 'path' }, 'the path of a file'],
    [{ type: 'string', enum: ['a', 'b', 'c'], default: 'a' }, '"a", "b" or "c"'],
    [{ const: 4 }, '4'],
    [{ type: 'array', items: { enum: ['a', 'b'] } }, 'a list of: "a" or "b"'],
    [{ type: 'array' }, 'a list'],
    [{ anyOf: [{ type: 'string' }, { type: 'integer' }] }, 'text or a whole number'],
    [{ type: 'object' }, 'keys with values'],
  ]
  for (const [schema, words] of cases) assert.equal(describeField(schema), words)
})
