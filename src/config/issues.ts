/** Turns what a schema complains about into problems for people: the path, the value, and what to write instead. */
import type { SchemaIssue } from '../sdk.ts'
import type { Problem } from './errors.ts'
import { describeField, type JsonSchema, propertyNames, schemaAt } from './field.ts'
import { nearest } from './nearest.ts'
import { formatPath, type Path, valueAt } from './path.ts'

export interface IssueContext {
  /** Where the validated value stands in the config. */
  readonly base: Path
  /** Of the value at `base`; undefined when its library gives none. */
  readonly schema: JsonSchema | undefined
  /** The value at `base`. */
  readonly input: unknown
  /** Where the operator wrote something. */
  locate(path: Path, part: 'key' | 'value'): string
}

/** What zod adds to an issue; other libraries may leave it out. */
type Detailed = SchemaIssue & { readonly code?: unknown; readonly keys?: unknown }

const MAX_SHOWN = 60
const SECRET = /pass|secret|token|psk|credential/i

export function toProblems(issues: readonly SchemaIssue[], context: IssueContext): Problem[] {
  return issues.flatMap((issue: Detailed) => {
    const path = (issue.path ?? []).map((step) => stepOf(step))
    if (issue.code === 'unrecognized_keys' && Array.isArray(issue.keys)) {
      return issue.keys.map((key) => unknownKey([...path, String(key)], context))
    }
    return [invalidValue(issue, path, context)]
  })
}

/** For a key that no schema knows; `path` is relative to the context's base. */
export function unknownKey(path: Path, context: IssueContext): Problem {
  const key = String(path.at(-1))
  const known = propertyNames(schemaAt(context.schema, path.slice(0, -1)))
  const meant = nearest(key, known)
  const full = [...context.base, ...path]
  return {
    code: 'config-unknown-key',
    path: formatPath(full),
    source: context.locate(full, 'key'),
    message: `unknown key "${key}"`,
    hint:
      meant !== undefined
        ? `did you mean "${meant}"?`
        : known.length > 0
          ? `remove it; known keys here are ${known.join(', ')}`
          : 'remove it',
  }
}

function invalidValue(issue: Detailed, path: Path, context: IssueContext): Problem {
  const full = [...context.base, ...path]
  const value = valueAt(context.input, path)
  const schema = schemaAt(context.schema, path)
  const wanted = describeField(schema)
  const place = { path: formatPath(full), source: context.locate(full, 'value') }
  if (value === undefined) {
    const hint = wanted === '' ? issue.message : `add it: ${wanted}`
    return { code: 'config-missing-value', ...place, message: 'this key is missing', hint }
  }
  if (issue.code === 'custom') {
    return {
      code: 'config-invalid-value',
      ...place,
      message: issue.message,
      hint: wanted === '' ? 'change the value' : `write ${wanted}`,
    }
  }
  // Messages of the library itself say what it saw; ours, and those of other libraries, say what to write.
  const generic = typeof issue.code === 'string' && /^(Invalid|Too|Unrecognized)\b/.test(issue.message)
  const hint = generic && wanted !== '' ? `write ${wanted}` : issue.message
  return { code: 'config-invalid-value', ...place, message: `${show(value, full, schema)} is not valid here`, hint }
}

/** The value as the operator would recognise it; secrets stay out of messages. */
function show(value: unknown, path: Path, schema: JsonSchema | undefined): string {
  if (schema?.['writeOnly'] === true || path.some((step) => SECRET.test(String(step)))) return 'this value'
  if (value === null) return 'an empty value'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map of keys'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}

function stepOf(step: NonNullable<SchemaIssue['path']>[number]): string | number {
  const key = typeof step === 'object' ? step.key : step
  return typeof key === 'number' ? key : String(key)
}
