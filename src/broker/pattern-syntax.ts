/** The syntax of patterns: a part of JavaScript's, with the same meaning. What is not in it is refused in words. */

export type PatternNode =
  | { readonly kind: 'set'; readonly set: PointSet }
  | { readonly kind: 'begin' | 'end' }
  | { readonly kind: 'group'; readonly index: number; readonly body: PatternNode }
  | { readonly kind: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  | {
      readonly kind: 'repeat'
      readonly body: PatternNode
      readonly min: number
      readonly max: number
      readonly greedy: boolean
    }

type Range = readonly [from: number, to: number]

/** Characters by ranges of code points. */
export class PointSet {
  readonly #ranges: readonly Range[]
  readonly #inverted: boolean

  constructor(ranges: readonly Range[], inverted = false) {
    this.#ranges = ranges
    this.#inverted = inverted
  }

  has(point: number): boolean {
    return this.#ranges.some(([from, to]) => point >= from && point <= to) !== this.#inverted
  }
}

const LAST_POINT = 0x10ffff
const DIGITS: readonly Range[] = [[0x30, 0x39]]
const WORD: readonly Range[] = [...DIGITS, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]]
const SPACE: readonly Range[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]
const NEWLINES: readonly Range[] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
]
const CLASSES: Readonly<Record<string, readonly Range[]>> = {
  d: DIGITS,
  D: inverse(DIGITS),
  w: WORD,
  W: inverse(WORD),
  s: SPACE,
  S: inverse(SPACE),
}

const MAX_REPEAT = 1000
const MAX_DEPTH = 50

/** Internal: ends a parse; `parse` returns its words. */
class Fault extends Error {}

export class PatternParser {
  /** Capturing groups seen so far. */
  groups = 0
  readonly #points: readonly string[]
  #at = 0
  #depth = 0

  constructor(source: string) {
    this.#points = [...source]
  }

  parse(): PatternNode | string {
    try {
      const tree = this.#choice()
      if (this.#at < this.#points.length) return 'a ")" closes nothing'
      return tree
    } catch (error) {
      if (error instanceof Fault) return error.message
      throw error
    }
  }

  get #next(): string | undefined {
    return this.#points[this.#at]
  }

  #take(expected: string): boolean {
    if (this.#next !== expected) return false
    this.#at++
    return true
  }

  #choice(): PatternNode {
    if (++this.#depth > MAX_DEPTH) throw new Fault('its groups are nested too deeply')
    const options = [this.#sequence()]
    while (this.#take('|')) options.push(this.#sequence())
    this.#depth--
    return options.length === 1 ? (options[0] as PatternNode) : { kind: 'choice', options }
  }

  #sequence(): PatternNode {
    const items: PatternNode[] = []
    while (this.#next !== undefined && this.#next !== '|' && this.#next !== ')') items.push(this.#repeated())
    return { kind: 'sequence', items }
  }

  #repeated(): PatternNode {
    const body = this.#atom()
    const bounds = this.#quantifier()
    if (bounds === undefined) return body
    if (body.kind === 'begin' || body.kind === 'end') throw new Fault('"^" and "$" cannot repeat')
    const greedy = !this.#take('?')
    if (this.#next !== undefined && '*+?'.includes(this.#next)) throw new Fault('a repetition cannot repeat')
    return { kind: 'repeat', body, min: bounds[0], max: bounds[1], greedy }
  }

  #quantifier(): Range | undefined {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY]
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY]
    if (this.#take('?')) return [0, 1]
    if (this.#next !== '{') return undefined
    const close = this.#points.indexOf('}', this.#at)
    const match = /^(\d{1,4})(,?)(\d{0,4})$/.exec(close < 0 ? '' : this.#points.slice(this.#at + 1, close).join(''))
    if (match === null) throw new Fault('write "\\{" for a brace, or a repetition such as {2}, {2,} or {2,5}')
    this.#at = close + 1
    const min = Number(match[1])
    const max = match[2] === '' ? min : match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3])
    if (max < min) throw new Fault('a repetition ends below its beginning')
    if (min > MAX_REPEAT || (max > MAX_REPEAT && max !== Number.POSITIVE_INFINITY))
      throw new Fault(`a repetition is above ${MAX_REPEAT}`)
    return [min, max]
  }

  #atom(): PatternNode {
    const point = this.#points[this.#at++] as string
    switch (point) {
      case '^':
        return { kind: 'begin' }
      case '$':
        return { kind: 'end' }
      case '.':
        return { kind: 'set', set: new PointSet(NEWLINES, true) }
      case '(':
        return this.#group()
      case '[':
        return { kind: 'set', set: this.#class() }
      case '\\':
        return { kind: 'set', set: new PointSet(this.#escape()) }
      case '*':
      case '+':
      case '?':
      case '{':
        throw new Fault(`a "${point}" repeats nothing`)
      default:
        return { kind: 'set', set: new PointSet([pointRange(point)]) }
    }
  }

  #group(): PatternNode {
    const captures = !this.#take('?')
    if (!captures && !this.#take(':')) throw new Fault('look-around and named groups are not supported, only ( ) and (?: )')
    const index = captures ? this.groups++ : 0
    const body = this.#choice()
    if (!this.#take(')')) throw new Fault('a "(" is not closed')
    return captures ? { kind: 'group', index, body } : body
  }

  #class(): PointSet {
    const inverted = this.#take('^')
    const ranges: Range[] = []
    while (!this.#take(']')) {
      const from = this.#member()
      if (this.#next !== '-' || this.#points[this.#at + 1] === ']') {
        ranges.push(...from)
        continue
      }
      this.#at++
      const to = this.#member()
      const [low, high] = [single(from), single(to)]
      if (low === undefined || high === undefined || high < low) throw new Fault('a range in [ ] has no order')
      ranges.push([low, high])
    }
    return new PointSet(ranges, inverted)
  }

  #member(): readonly Range[] {
    const point = this.#points[this.#at++]
    if (point === undefined) throw new Fault('a "[" is not closed')
    return point === '\\' ? this.#escape() : [pointRange(point)]
  }

  #escape(): readonly Range[] {
    const point = this.#points[this.#at++]
    if (point === undefined) throw new Fault('it ends with a "\\"')
    const named = CLASSES[point]
    if (named !== undefined) return named
    if (/[1-9]/.test(point)) throw new Fault('back-references are not supported')
    if (/[A-Za-z0-9]/.test(point)) throw new Fault(`"\\${point}" is not supported; of letters only \\d \\w \\s \\D \\W \\S`)
    return [pointRange(point)]
  }
}

function pointRange(point: string): Range {
  const code = point.codePointAt(0) as number
  return [code, code]
}

function single(ranges: readonly Range[]): number | undefined {
  const [range] = ranges
  return ranges.length === 1 && range !== undefined && range[0] === range[1] ? range[0] : undefined
}

function inverse(ranges: readonly Range[]): Range[] {
  const gaps: Range[] = []
  let from = 0
  for (const [start, end] of ranges) {
    if (start > from) gaps.push([from, start - 1])
    from = end + 1
  }
  return [...gaps, [from, LAST_POINT]]
}
