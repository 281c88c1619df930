/** JSON Schema (draft 2020-12) of the config: the fixed part, and what each gateway's module adds to its instances. */
import * as z from 'zod'
import type { GatewayModule } from '../sdk.ts'
import { formatAddress } from '../transport/address.ts'
import { brokerSchema } from './broker-schema.ts'
import type { JsonSchema } from './field.ts'
import { defaultListeners } from './listeners.ts'
import { nodeSchema } from './node-schema.ts'
import { isRecord } from './path.ts'
import { apiSchema, INSTANCE_NAME, instanceSchema } from './schema.ts'

const DIALECT = 'https://json-schema.org/draft/2020-12/schema'

/** Of the `node` section. */
export function nodeJsonSchema(): JsonSchema {
  return fromZod(nodeSchema)
}

/** Of the `broker` section. */
export function brokerJsonSchema(): JsonSchema {
  return fromZod(brokerSchema)
}

/** Of the `api` section. */
export function apiJsonSchema(): JsonSchema {
  return fromZod(apiSchema)
}

/**
 * Of one gateway instance: the common keys, and the module's own on the same level. Without a module only the
 * common keys, and any other is let through.
 */
export function instanceJsonSchema(module: GatewayModule | undefined): JsonSchema {
  const common = fromZod(instanceSchema)
  const properties = { ...(common['properties'] as Record<string, JsonSchema>) }
  if (module === undefined) return { ...common, properties, additionalProperties: true }
  const own = ownJsonSchema(module)
  if (properties['listeners'] !== undefined) properties['listeners'] = listenersSchema(properties['listeners'], module)
  if (properties['use'] !== undefined) properties['use'] = { ...properties['use'], default: module.name }
  const required = own?.['required']
  return {
    ...common,
    title: module.title,
    properties: { ...properties, ...(isRecord(own?.['properties']) ? own['properties'] : {}) },
    ...(Array.isArray(required) && required.length > 0 ? { required } : {}),
    additionalProperties: own === undefined ? true : (own['additionalProperties'] ?? false),
  }
}

/** Of the module's own keys; undefined when its schema library gives none. */
export function ownJsonSchema(module: GatewayModule): JsonSchema | undefined {
  try {
    const schema = module.config['~standard'].jsonSchema?.input({ target: 'draft-2020-12' })
    return schema === undefined ? undefined : plain(schema)
  } catch {
    // A schema that JSON Schema cannot express is checked by its own library all the same.
    return undefined
  }
}

/** Of the whole config file, with the given modules by name. */
export function configJsonSchema(modules: readonly GatewayModule[]): JsonSchema {
  const sorted = [...modules].sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    $schema: DIALECT,
    title: 'Omnigate configuration',
    type: 'object',
    properties: {
      node: { ...nodeJsonSchema(), type: OBJECT_OR_EMPTY },
      broker: { ...brokerJsonSchema(), type: OBJECT_OR_EMPTY },
      gateways: {
        title: 'Gateways',
        description: 'One section for each gateway; its key names the instance, `use` the protocol when the key does not',
        type: 'object',
        properties: Object.fromEntries(sorted.map(({ name }) => [name, namedSection(name)])),
        propertyNames: { pattern: INSTANCE_NAME.source },
        additionalProperties: reference('using'),
      },
      api: apiJsonSchema(),
    },
    required: ['gateways'],
    additionalProperties: false,
    $defs: {
      common: instanceJsonSchema(undefined),
      using: usingSection(sorted),
      ...Object.fromEntries(sorted.map((module) => [definition(module.name), instanceJsonSchema(module)])),
    },
  }
}

/** An empty section (`node:`) is null in YAML and stands for its defaults. */
const OBJECT_OR_EMPTY = ['object', 'null']

/** A section whose key is the name of a gateway: of that gateway, unless it says `use`. */
function namedSection(name: string): JsonSchema {
  return {
    type: OBJECT_OR_EMPTY,
    if: { type: 'object', required: ['use'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: reference('using'),
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    else: { if: { type: 'object' }, then: reference(definition(name)) },
  }
}

/** A section that names its gateway with `use`. Of packages and paths only the common keys are known here. */
function usingSection(modules: readonly GatewayModule[]): JsonSchema {
  const rules = modules.map(({ name }) => ({
    if: { properties: { use: { const: name } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: reference(definition(name)),
  }))
  return { type: 'object', required: ['use'], allOf: [reference('common'), ...rules] }
}

function reference(name: string): JsonSchema {
  return { $ref: `#/$defs/${name}` }
}

function definition(gateway: string): string {
  return `gateway-${gateway}`
}

/** Of one gateway's section, as a document of its own. */
export function gatewayJsonSchema(module: GatewayModule): JsonSchema {
  return { $schema: DIALECT, ...instanceJsonSchema(module) }
}

function fromZod(schema: z.ZodType): JsonSchema {
  return plain(z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' }))
}

function listenersSchema(schema: JsonSchema, module: GatewayModule): JsonSchema {
  const items = schema['items'] as JsonSchema
  const properties = items['properties'] as Record<string, JsonSchema>
  const type = { ...properties['type'], enum: module.transports }
  const standard = defaultListeners(module).map(({ type, host, port, path }) => ({
    type,
    bind: formatAddress(host, port),
    ...(path === undefined ? {} : { path }),
  }))
  return { ...schema, items: { ...items, properties: { ...properties, type } }, default: standard }
}

/** Without the dialect of a part, and without the bounds of safe integers, which no author wrote. */
function plain(schema: object): JsonSchema {
  const { $schema, ...rest } = withoutSafeBounds(schema) as Record<string, unknown>
  return rest
}

function withoutSafeBounds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSafeBounds)
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(
        ([key, entry]) =>
          !(key === 'maximum' && entry === Number.MAX_SAFE_INTEGER) && !(key === 'minimum' && entry === Number.MIN_SAFE_INTEGER),
      )
      .map(([key, entry]) => [key, withoutSafeBounds(entry)]),
  )
}
