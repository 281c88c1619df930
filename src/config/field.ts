/** Reads a JSON Schema for messages: what belongs at a path, in words, and which keys exist there. */
import { isRecord, type Path } from './path.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

/** The schema of the value at `path`; undefined where the schema says nothing. */
export function schemaAt(root: JsonSchema | undefined, path: Path): JsonSchema | undefined {
  let schema = root
  for (const step of path) {
    if (schema === undefined) return undefined
    schema =
      typeof step === 'number'
        ? asSchema(schema['items'])
        : (propertyOf(schema, step) ?? asSchema(schema['additionalProperties']))
  }
  return schema
}

export function propertyNames(schema: JsonSchema | undefined): string[] {
  const properties = schema?.['properties']
  return isRecord(properties) ? Object.keys(properties) : []
}

function propertyOf(schema: JsonSchema, name: string): JsonSchema | undefined {
  const properties = schema['properties']
  return isRecord(properties) && Object.hasOwn(properties, name) ? asSchema(properties[name]) : undefined
}

function asSchema(value: unknown): JsonSchema | undefined {
  return isRecord(value) ? value : undefined
}

/** What to write there: `a whole number from 1 to 65535, such as 128`. Empty when the schema does not say. */
export function describeField(schema: JsonSchema | undefined): string {
  const kind = schema === undefined ? '' : kindOf(schema)
  // A default is the best example, but one of a few choices needs none.
  const isChoice = schema?.['enum'] !== undefined || schema?.['type'] === 'boolean'
  const example = schema?.['default']
  if (kind === '' || isChoice || example === undefined || typeof example === 'object' || example === '') return kind
  return `${kind}, such as ${JSON.stringify(example)}`
}

const TEXTS: Readonly<Record<string, string>> = {
  path: 'the path of a file',
  pattern: 'a regular expression without look-around and back-references',
}

function kindOf(schema: JsonSchema): string {
  const values = schema['enum']
  if (Array.isArray(values)) return oneOf(values)
  if ('const' in schema) return JSON.stringify(schema['const'])
  const unit = schema['x-unit']
  if (unit === 'duration') return 'a duration in quotes ("500ms", "8s", "15m", "2h", "7d")'
  if (unit === 'size') return 'a size in quotes ("512B", "64KiB", "1MiB", "1GiB")'
  const alternatives = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(alternatives))
    return alternatives
      .map((one) => kindOf(asSchema(one) ?? {}))
      .filter(Boolean)
      .join(' or ')
  switch (schema['type']) {
    case 'integer':
      return `a whole number${bounds(schema)}`
    case 'number':
      return `a number${bounds(schema)}`
    case 'boolean':
      return 'true or false'
    case 'string':
      return TEXTS[unit as string] ?? 'text'
    case 'array':
      return listOf(schema)
    case 'object':
      return 'keys with values'
    default:
      return ''
  }
}

function listOf(schema: JsonSchema): string {
  const items = kindOf(asSchema(schema['items']) ?? {})
  return items === '' ? 'a list' : `a list of: ${items}`
}

function bounds(schema: JsonSchema): string {
  const { minimum, maximum } = schema
  if (typeof minimum === 'number' && typeof maximum === 'number') return ` from ${minimum} to ${maximum}`
  if (typeof minimum === 'number') return `, at least ${minimum}`
  return typeof maximum === 'number' ? `, at most ${maximum}` : ''
}

function oneOf(values: readonly unknown[]): string {
  const names = values.map((value) => JSON.stringify(value))
  return names.length === 1 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}
