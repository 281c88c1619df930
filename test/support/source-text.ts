/**
 * A small TypeScript scanner: which characters are code, which comment, which literal. Offsets stay the same, since
 * what is left out becomes spaces. It knows strings, templates with their `${}`, comments and regular expressions.
 */

type Kind = 'code' | 'comment' | 'literal'

interface Piece {
  readonly kind: Kind
  readonly start: number
  readonly end: number
}

/** After these words a `/` begins a regular expression, not a division. */
const BEFORE_PATTERN = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'new',
  'delete',
  'void',
  'throw',
  'await',
  'yield',
  'else',
  'do',
])

function beginsPattern(text: string, slash: number): boolean {
  let i = slash - 1
  while (i >= 0 && /\s/.test(text[i] ?? '')) i--
  if (i < 0) return true
  const before = text[i] ?? ''
  if (/[\w$]/.test(before)) {
    const word = /[\w$]+$/.exec(text.slice(0, i + 1))?.[0] ?? ''
    return BEFORE_PATTERN.has(word)
  }
  return before !== ')' && before !== ']' && before !== '}'
}

function endOfQuoted(text: string, start: number): number {
  const quote = text[start]
  let i = start + 1
  while (i < text.length && text[i] !== quote && text[i] !== '\n') i += text[i] === '\\' ? 2 : 1
  return Math.min(i + 1, text.length)
}

function endOfPattern(text: string, start: number): number {
  let inClass = false
  let i = start + 1
  while (i < text.length && text[i] !== '\n') {
    const c = text[i]
    if (c === '\\') i++
    else if (c === '[') inClass = true
    else if (c === ']') inClass = false
    else if (c === '/' && !inClass) return i + 1
    i++
  }
  return i
}

/** Cuts `text` into pieces that cover it without gaps. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = []
  /** For each open `${`: how many `{` are open inside it. */
  const templates: number[] = []
  let codeStart = 0
  let i = 0
  const emit = (kind: Kind, end: number) => {
    if (i > codeStart) found.push({ kind: 'code', start: codeStart, end: i })
    found.push({ kind, start: i, end })
    i = end
    codeStart = end
  }
  const template = () => {
    let end = i + 1
    while (end < text.length && text[end] !== '`') {
      if (text[end] === '$' && text[end + 1] === '{') {
        templates.push(0)
        emit('literal', end + 2)
        return
      }
      end += text[end] === '\\' ? 2 : 1
    }
    emit('literal', Math.min(end + 1, text.length))
  }
  while (i < text.length) {
    const c = text[i]
    const depth = templates.at(-1)
    if (c === '/' && text[i + 1] === '/') {
      const end = text.indexOf('\n', i)
      emit('comment', end < 0 ? text.length : end)
    } else if (c === '/' && text[i + 1] === '*') {
      const end = text.indexOf('*/', i + 2)
      emit('comment', end < 0 ? text.length : end + 2)
    } else if (c === '"' || c === "'") emit('literal', endOfQuoted(text, i))
    else if (c === '`') template()
    else if (c === '/' && beginsPattern(text, i)) emit('literal', endOfPattern(text, i))
    else if (c === '}' && depth === 0) {
      templates.pop()
      template()
    } else {
      if (depth !== undefined && c === '{') templates[templates.length - 1] = depth + 1
      if (depth !== undefined && c === '}') templates[templates.length - 1] = depth - 1
      i++
    }
  }
  if (i > codeStart) found.push({ kind: 'code', start: codeStart, end: i })
  return found
}

function keep(text: string, kept: (kind: Kind) => boolean): string {
  return pieces(text)
    .map(({ kind, start, end }) => {
      const part = text.slice(start, end)
      return kept(kind) ? part : part.replace(/[^\n]/g, ' ')
    })
    .join('')
}

/** The text with comments, strings, templates and patterns replaced by spaces. */
export function codeOnly(text: string): string {
  return keep(text, (kind) => kind === 'code')
}

/** The text with comments replaced by spaces. */
export function withoutComments(text: string): string {
  return keep(text, (kind) => kind !== 'comment')
}

export interface Import {
  readonly specifier: string
  readonly offset: number
  /** True when it is erased by the compiler. */
  readonly typeOnly: boolean
  /** True for `import()`. */
  readonly dynamic: boolean
}

const STATEMENT = /(?<![\w$.])(?:import|export)\s+(type\s+)?(?:[\w$*\s{},]+?\s+from\s*)?(['"])([^'"\n]+)\2/g
const DYNAMIC = /(?<![\w$.])(?:import|require)\s*\(\s*(['"])([^'"\n]+)\1/g

/** Every module that a source names: `import`, `export from`, `import()` and `require()` of a literal. */
export function importsOf(text: string): Import[] {
  const visible = withoutComments(text)
  const code = codeOnly(text)
  const isCode = (offset: number) => code[offset] === visible[offset]
  const found: Import[] = []
  for (const match of visible.matchAll(STATEMENT)) {
    if (!isCode(match.index)) continue
    found.push({ specifier: match[3] ?? '', offset: match.index, typeOnly: match[1] !== undefined, dynamic: false })
  }
  for (const match of visible.matchAll(DYNAMIC)) {
    if (!isCode(match.index)) continue
    found.push({ specifier: match[2] ?? '', offset: match.index, typeOnly: false, dynamic: true })
  }
  return found.sort((a, b) => a.offset - b.offset)
}
