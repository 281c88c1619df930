/** A config file as YAML 1.2: its data, with environment variables put in, and the line and column of everything in it. */
import { basename } from 'node:path'
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  visit,
} from 'yaml'
import type { Problem } from './errors.ts'
import { type Environment, interpolate } from './interpolate.ts'
import { formatPath, isRecord, type Path } from './path.ts'

export interface ConfigDocument {
  /** The top level map; empty when there are problems that leave nothing to read. */
  readonly data: Record<string, unknown>
  readonly problems: readonly Problem[]
  /** `omnigate.yaml:12:5` of the value at a path, or of its key; of the innermost part that exists. */
  locate(path: Path, part?: 'key' | 'value'): string
}

/** Aliases that one document may expand, against files that unfold to gigabytes. */
const MAX_ALIASES = 1000

export function parseConfig(text: string, file: string, environment: Environment): ConfigDocument {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, logLevel: 'error' })
  const name = basename(file)
  const place = (offset: number | undefined): string => {
    if (offset === undefined) return name
    const { line, col } = lines.linePos(offset)
    return `${name}:${line}:${col}`
  }
  const locate = (path: Path, part: 'key' | 'value' = 'value'): string => place(offsetOf(document, path, part))

  const problems = syntaxProblems(document, text, place)
  if (problems.length > 0) return { data: {}, problems, locate }
  problems.push(...substitute(document, environment, place))
  const root = toData(document, place, problems)
  return { data: root, problems, locate }
}

function toData(document: Document, place: (offset: number | undefined) => string, problems: Problem[]): Record<string, unknown> {
  let data: unknown
  try {
    data = document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {}
  } catch (error) {
    // An alias without an anchor, or too many of them.
    problems.push(
      syntaxProblem(
        error instanceof Error ? error.message : String(error),
        place(undefined),
        'write the values out instead of the alias',
      ),
    )
    return {}
  }
  if (isRecord(data)) return data
  problems.push(
    syntaxProblem(
      'the file holds no map of keys and values',
      place(document.contents?.range?.[0]),
      'begin with a key such as "gateways:"',
    ),
  )
  return {}
}

/** Only the first syntax error is real, the rest follow from it; doubled keys are independent of each other. */
function syntaxProblems(document: Document, text: string, place: (offset: number) => string): Problem[] {
  const doubled = document.errors.filter((error) => error.code === 'DUPLICATE_KEY')
  const first = document.errors.find((error) => error.code !== 'DUPLICATE_KEY')
  const problems = doubled.map((error) =>
    syntaxProblem('this key stands twice in the same map', place(error.pos[0]), 'remove one of them'),
  )
  if (first === undefined) return problems
  const line = lineAround(text, first.pos[0])
  return [syntaxProblem(`this is no YAML: ${first.message}`, place(first.pos[0]), syntaxHint(line)), ...problems]
}

function syntaxHint(line: string): string {
  if (line.includes('\t')) return 'indent with spaces, not tabs'
  if (/[{[].*\$\{/.test(line)) return 'inside { } and [ ] put quotes round a value that holds ${...}'
  if (/:\s*\[.*\]:\d/.test(line)) return 'put quotes round an address with brackets: "[::1]:1883"'
  return 'check the indentation and the quotes of this line'
}

function lineAround(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', Math.max(0, offset - 1)) + 1
  const end = text.indexOf('\n', offset)
  return text.slice(start, end < 0 ? undefined : end)
}

function syntaxProblem(message: string, source: string, hint: string): Problem {
  return { code: 'config-syntax', path: '', source, message, hint }
}

/** Puts environment variables into scalars. A quoted scalar stays text; a plain one gets the type of what it becomes. */
function substitute(document: Document, environment: Environment, place: (offset: number | undefined) => string): Problem[] {
  const problems: Problem[] = []
  visit(document, {
    Scalar(key, scalar, ancestors) {
      if (key === 'key' || typeof scalar.value !== 'string') return
      const { text, missing, changed } = interpolate(scalar.value, environment)
      if (!changed) return
      for (const name of missing) {
        problems.push({
          code: 'env-missing',
          path: formatPath(pathOf(ancestors, scalar)),
          source: place(scalar.range?.[0]),
          message: `the environment variable ${name} is not set`,
          hint: `set ${name}, or give a default: \${${name}:value}`,
        })
      }
      scalar.value = scalar.type === Scalar.PLAIN ? scalarValue(text) : text
    },
  })
  return problems
}

/** What a plain YAML scalar with this text means: a number, a boolean, null, or the text itself. */
export function scalarValue(text: string): unknown {
  const { contents, errors } = parseDocument(text, { prettyErrors: false, logLevel: 'error' })
  if (errors.length > 0 || text.includes('#') || !isScalar(contents) || typeof contents.value === 'string') return text
  return contents.value
}

function pathOf(ancestors: readonly unknown[], leaf: Node): Path {
  const path: (string | number)[] = []
  ancestors.forEach((node, depth) => {
    const child = ancestors[depth + 1] ?? leaf
    if (isSeq(node)) path.push(node.items.indexOf(child))
    else if (isMap(node) && typeof child === 'object' && child !== null && 'key' in child) path.push(String(child.key))
  })
  return path
}

/** Offset of the innermost part of `path` that is in the file. */
function offsetOf(document: Document, path: Path, part: 'key' | 'value'): number | undefined {
  let node: unknown = document.contents
  let found: number | undefined
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document)
    let next: unknown
    let key: unknown
    if (isMap(node)) {
      const pair = node.items.find((item) => (isScalar(item.key) ? String(item.key.value) : String(item.key)) === String(step))
      key = pair?.key
      next = pair?.value
    } else if (isSeq(node) && typeof step === 'number') {
      next = node.items[step]
    }
    if (next === undefined && key === undefined) return found
    const wanted = depth === path.length - 1 && part === 'value' ? (offset(next) ?? offset(key)) : (offset(key) ?? offset(next))
    found = wanted ?? found
    node = next
  }
  return found
}

function offset(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined
}
