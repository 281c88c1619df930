/**
 * Environment variables that override the config: `OMNIGATE_GATEWAYS__COAP__MOUNTPOINT=x` sets `gateways.coap.mountpoint`.
 * Upper and lower case, `-` and `_` count as equal; a number names an element of a list. Variables without `__` are not ours.
 */
import { isCollection, isScalar, parseDocument, Scalar } from 'yaml'
import { scalarValue } from './document.ts'
import type { Problem } from './errors.ts'
import { type JsonSchema, propertyNames, schemaAt } from './field.ts'
import type { Environment } from './interpolate.ts'
import { nearest } from './nearest.ts'
import { formatPath, isRecord, type Path, valueAt } from './path.ts'

export interface Override {
  readonly variable: string
  /** As in the variable's name. */
  readonly segments: readonly string[]
  readonly text: string
}

const PREFIX = 'OMNIGATE_'
const SEPARATOR = '__'

/** In the order of their names, so that the result does not depend on the environment's. */
export function collectOverrides(environment: Environment): Override[] {
  return Object.keys(environment)
    .filter((variable) => variable.startsWith(PREFIX) && variable.includes(SEPARATOR))
    .sort()
    .map((variable) => ({
      variable,
      segments: variable.slice(PREFIX.length).split(SEPARATOR),
      text: environment[variable] ?? '',
    }))
}

/** True when the override says which protocol a gateway is, or whether it runs: needed before its schema is known. */
export function isSelecting(override: Override): boolean {
  const [root = '', , key = ''] = override.segments
  return override.segments.length === 3 && same(root, 'gateways') && (same(key, 'use') || same(key, 'enabled'))
}

/** True when the override changes one listener of this gateway, rather than the whole list. */
export function overridesListeners({ segments }: Override, gateway: string): boolean {
  const [root = '', name = '', key = ''] = segments
  return segments.length > 3 && same(root, 'gateways') && same(name, gateway) && same(key, 'listeners')
}

/** Creates the section of an installed gateway that only the environment mentions; `schema` knows what is installed. */
export function openSection(override: Override, data: Record<string, unknown>, schema: JsonSchema): void {
  const [root = '', segment = ''] = override.segments
  if (override.segments.length < 3 || !same(root, 'gateways')) return
  data['gateways'] ??= {}
  const gateways = data['gateways']
  if (!isRecord(gateways)) return
  const installed = propertyNames(schemaAt(schema, ['gateways']))
  const name = [...Object.keys(gateways), ...installed].find((candidate) => same(candidate, segment))
  if (name !== undefined) gateways[name] ??= {}
}

/** The path an override means, or what is wrong with it. `schema` is of the whole config. */
export function resolveOverride(override: Override, data: Record<string, unknown>, schema: JsonSchema): Path | Problem {
  const path: (string | number)[] = []
  for (const segment of override.segments) {
    const container = valueAt(data, path)
    const fields = schemaAt(schema, path)
    const isList = Array.isArray(container) || (container === undefined && fields?.['type'] === 'array')
    if (isList) {
      const length = Array.isArray(container) ? container.length : 0
      const index = /^\d{1,4}$/.test(segment) ? Number(segment) : -1
      if (index < 0 || index > length) {
        return unknownOverride(
          override,
          path,
          `"${segment}" is no element of ${formatPath(path)}`,
          `write a number from 0 to ${length}`,
        )
      }
      path.push(index)
      continue
    }
    const names = [...(isRecord(container) ? Object.keys(container) : []), ...propertyNames(fields)]
    const name = names.find((candidate) => same(candidate, segment)) ?? freeName(fields, segment)
    if (name === undefined) {
      const known = fields === undefined ? names : propertyNames(fields)
      return unknownOverride(
        override,
        [...path, segment.toLowerCase()],
        `unknown key "${segment.toLowerCase()}"`,
        advice(segment, known),
      )
    }
    path.push(name)
  }
  return path
}

/** Puts the value in, creating maps and lists on the way. A problem when a plain value is in the way. */
export function applyOverride(
  override: Override,
  path: Path,
  data: Record<string, unknown>,
  schema: JsonSchema,
): Problem | undefined {
  let container: Record<string | number, unknown> = data
  for (const [depth, step] of path.slice(0, -1).entries()) {
    const next = container[step] ?? (typeof path[depth + 1] === 'number' ? [] : {})
    if (typeof next !== 'object') {
      const at = formatPath(path.slice(0, depth + 1))
      return unknownOverride(
        override,
        path,
        `${at} is a plain value and has no keys`,
        `remove ${at} from the file or the variable`,
      )
    }
    container[step] = next
    container = next as Record<string | number, unknown>
  }
  const last = path.at(-1)
  if (last !== undefined) container[last] = overrideValue(override.text, schemaAt(schema, path))
  return undefined
}

/** Text where the schema wants text; else the YAML scalar, list or map that the text is. */
export function overrideValue(text: string, schema: JsonSchema | undefined): unknown {
  if (schema?.['type'] === 'string') return text
  const { contents, errors } = parseDocument(text, { prettyErrors: false, logLevel: 'error' })
  if (errors.length > 0) return text
  if (isCollection(contents) && contents.flow === true) return contents.toJSON()
  if (isScalar(contents) && (contents.type === Scalar.QUOTE_DOUBLE || contents.type === Scalar.QUOTE_SINGLE))
    return contents.value
  return scalarValue(text)
}

/** In maps with free keys, such as a table of users, any name will do. */
function freeName(fields: JsonSchema | undefined, segment: string): string | undefined {
  return isRecord(fields?.['additionalProperties']) && segment !== '' ? segment.toLowerCase() : undefined
}

function same(name: string, segment: string): boolean {
  return fold(name) === fold(segment)
}

function fold(name: string): string {
  return name.toLowerCase().replace(/[-_.]/g, '')
}

function advice(segment: string, names: readonly string[]): string {
  const meant = nearest(segment, names)
  if (meant !== undefined) return `did you mean ${meant.replace(/[-.]/g, '_').toUpperCase()}?`
  return names.length === 0 ? 'put the key into the config file' : `known keys here are ${names.join(', ')}`
}

function unknownOverride(override: Override, path: Path, message: string, hint: string): Problem {
  return { code: 'env-unknown-override', path: formatPath(path), source: override.variable, message, hint }
}
