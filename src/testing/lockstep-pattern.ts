/**
 * Patterns of scripts. `*` matches anything, `$name` keeps what it meets the first time and demands it from then on,
 * JSON matches as a subset.
 */

/** What the `$names` of one scenario stand for. */
export type Captures = Map<string, string>

const NAME = /^\$([a-z][A-Za-z0-9]*)$/

/** Puts what was captured into text that is about to be sent; a name that nothing was kept under stays as it is. */
export function fill(text: string, captures: Captures): string {
  return text.replace(/\$([a-z][A-Za-z0-9]*)/g, (whole, name: string) => captures.get(name) ?? whole)
}

/** Splits at spaces outside quotes, braces and brackets. */
export function tokens(text: string): string[] {
  const found: string[] = []
  let token = ''
  let depth = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string
    if (quoted) {
      token += c
      if (c === '\\') token += text[++i] ?? ''
      else if (c === '"') quoted = false
      continue
    }
    if (c === '"') quoted = true
    else if (c === '{' || c === '[') depth++
    else if (c === '}' || c === ']') depth--
    if (/\s/.test(c) && depth <= 0) {
      if (token !== '') found.push(token)
      token = ''
    } else {
      token += c
    }
  }
  if (token !== '') found.push(token)
  return found
}

/** Matches what a notation printed. A last token `...` matches whatever follows. */
export function matchesTokens(pattern: string, actual: string, captures: Captures): boolean {
  const wanted = tokens(pattern)
  const printed = tokens(actual)
  const open = wanted.at(-1) === '...'
  if (open) wanted.pop()
  if (open ? printed.length < wanted.length : printed.length !== wanted.length) return false
  return wanted.every((token, i) => matchesToken(token, printed[i] as string, captures))
}

function matchesToken(wanted: string, printed: string, captures: Captures): boolean {
  const [, key, value] = /^([A-Za-z][\w.:-]*)=(.+)$/s.exec(wanted) ?? []
  if (key !== undefined && value !== undefined) {
    return printed.startsWith(`${key}=`) && matchesText(value, printed.slice(key.length + 1), captures)
  }
  return matchesText(wanted, printed, captures)
}

/** Matches one word, one quoted text, or JSON. */
export function matchesText(wanted: string, printed: string, captures: Captures): boolean {
  const plain = unquoted(printed)
  const name = NAME.exec(wanted)?.[1]
  if (name !== undefined) return matchesName(name, plain, captures)
  if (/^[[{]/.test(wanted)) {
    const pattern = parse(wanted)
    return pattern !== undefined && matchesJson(pattern.value, parse(plain)?.value, captures)
  }
  if (wanted.startsWith('"')) return unquoted(fill(wanted, captures)) === plain
  const word = fill(wanted, captures)
  return word.includes('*') ? globOf(word).test(plain) : word === plain
}

/** Every member of the pattern is in `actual` and matches; arrays match item by item. */
export function matchesJson(wanted: unknown, actual: unknown, captures: Captures): boolean {
  if (typeof wanted === 'string') {
    if (wanted === '*') return actual !== undefined
    const name = NAME.exec(wanted)?.[1]
    if (name !== undefined) return actual !== undefined && matchesName(name, wordOf(actual), captures)
    return fill(wanted, captures) === actual
  }
  if (typeof wanted !== 'object' || wanted === null) return wanted === actual
  if (typeof actual !== 'object' || actual === null || Array.isArray(actual) !== Array.isArray(wanted)) return false
  if (Array.isArray(wanted)) {
    const items = actual as unknown[]
    return items.length === wanted.length && wanted.every((item, i) => matchesJson(item, items[i], captures))
  }
  const members = actual as Readonly<Record<string, unknown>>
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(members, key) && matchesJson(value, members[key], captures))
}

/** `60 45 ** **`, and `..` for whatever follows. */
export function matchesHex(wanted: string, bytes: Uint8Array): boolean {
  const digits = wanted.replace(/\s+/g, '').toLowerCase()
  const open = digits.endsWith('..')
  const octets = (open ? digits.slice(0, -2) : digits).match(/../g) ?? []
  if (open ? bytes.length < octets.length : bytes.length !== octets.length) return false
  return octets.every((octet, i) => octet === '**' || Number.parseInt(octet, 16) === bytes[i])
}

function matchesName(name: string, value: string, captures: Captures): boolean {
  const known = captures.get(name)
  if (known === undefined) captures.set(name, value)
  return known === undefined || known === value
}

function globOf(text: string): RegExp {
  const parts = text.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 's')
}

function unquoted(text: string): string {
  if (!text.startsWith('"')) return text
  const parsed = parse(text)
  return typeof parsed?.value === 'string' ? parsed.value : text
}

function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function parse(json: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(json) as unknown }
  } catch {
    return undefined
  }
}
