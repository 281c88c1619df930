/**
 * Regular expressions whose matching takes time in proportion to the text, whatever the text: topics come from devices,
 * and a backtracking matcher could be kept busy for hours by one of them. All alternatives advance together (Pike's
 * virtual machine); which is preferred, and what the groups hold, is as in JavaScript. Look-around and back-references,
 * which cannot be had in linear time, are refused.
 */
import { type PatternNode, PatternParser, type PointSet } from './pattern-syntax.ts'

/** Bounds the time per character. */
const MAX_STEPS = 500

type Instruction =
  | { readonly op: 'set'; readonly set: PointSet }
  | { readonly op: 'begin' | 'end' | 'match' }
  | { readonly op: 'save'; readonly slot: number }
  | { readonly op: 'jump'; readonly to: number }
  /** Tries `first`, prefers it, and tries `second` as well. */
  | { readonly op: 'split'; first: number; second: number }

/** One alternative: the instruction that waits for the next character, and where groups began and ended so far. */
interface Thread {
  readonly at: number
  readonly slots: readonly number[]
}

export class Pattern {
  /** Number of capturing groups. */
  readonly groups: number
  readonly #program: readonly Instruction[]
  readonly #seen: Uint32Array
  #generation = 0

  private constructor(program: readonly Instruction[], groups: number) {
    this.#program = program
    this.groups = groups
    this.#seen = new Uint32Array(program.length)
  }

  /** The pattern, or in words what is wrong with it. */
  static compile(source: string): Pattern | string {
    const parser = new PatternParser(source)
    const tree = parser.parse()
    if (typeof tree === 'string') return tree
    const program: Instruction[] = []
    if (!emit(tree, program)) return `it is too long: repetitions count as often as they repeat, ${MAX_STEPS} steps in all`
    program.push({ op: 'match' })
    return new Pattern(program, parser.groups)
  }

  /** What the groups hold (undefined where one took no part) when the pattern occurs in `text`, else undefined. */
  match(text: string): (string | undefined)[] | undefined {
    const slots = this.#run(text)
    if (slots === undefined) return undefined
    return Array.from({ length: this.groups }, (_, group) => {
      const start = slots[2 * group]
      const end = slots[2 * group + 1]
      return start === undefined || end === undefined ? undefined : text.slice(start, end)
    })
  }

  #run(text: string): readonly number[] | undefined {
    let found: readonly number[] | undefined
    let threads: Thread[] = []
    this.#nextGeneration()
    for (let at = 0; ; ) {
      // A match that begins further left is preferred: the newcomer comes last.
      if (found === undefined) this.#add(threads, 0, at, text, [])
      if (threads.length === 0) return found
      const point = text.codePointAt(at)
      const next = at + (point !== undefined && point > 0xffff ? 2 : 1)
      const survivors: Thread[] = []
      this.#nextGeneration()
      for (const thread of threads) {
        const instruction = this.#program[thread.at] as Instruction
        if (instruction.op === 'match') {
          found = thread.slots
          break // the others were less preferred
        }
        if (instruction.op === 'set' && point !== undefined && instruction.set.has(point))
          this.#add(survivors, thread.at + 1, next, text, thread.slots)
      }
      if (point === undefined) return found
      threads = survivors
      at = next
    }
  }

  /** Follows what takes no character; each instruction is entered once per position. */
  #add(threads: Thread[], index: number, at: number, text: string, slots: readonly number[]): void {
    if (this.#seen[index] === this.#generation) return
    this.#seen[index] = this.#generation
    const instruction = this.#program[index] as Instruction
    switch (instruction.op) {
      case 'jump':
        return this.#add(threads, instruction.to, at, text, slots)
      case 'split':
        this.#add(threads, instruction.first, at, text, slots)
        return this.#add(threads, instruction.second, at, text, slots)
      case 'save': {
        const saved = [...slots]
        saved[instruction.slot] = at
        return this.#add(threads, index + 1, at, text, saved)
      }
      case 'begin':
        return at === 0 ? this.#add(threads, index + 1, at, text, slots) : undefined
      case 'end':
        return at === text.length ? this.#add(threads, index + 1, at, text, slots) : undefined
      default:
        threads.push({ at: index, slots })
    }
  }

  #nextGeneration(): void {
    this.#generation = (this.#generation + 1) >>> 0
    if (this.#generation !== 0) return
    this.#seen.fill(0)
    this.#generation = 1
  }
}

/** Appends the program of `node`; false when it grows too long. */
function emit(node: PatternNode, program: Instruction[]): boolean {
  if (program.length > MAX_STEPS) return false
  switch (node.kind) {
    case 'set':
      program.push({ op: 'set', set: node.set })
      return true
    case 'begin':
    case 'end':
      program.push({ op: node.kind })
      return true
    case 'group':
      program.push({ op: 'save', slot: 2 * node.index })
      if (!emit(node.body, program)) return false
      program.push({ op: 'save', slot: 2 * node.index + 1 })
      return true
    case 'sequence':
      return node.items.every((item) => emit(item, program))
    case 'choice':
      return emitChoice(node.options, program)
    case 'repeat':
      return emitRepeat(node, program)
  }
}

function emitChoice(options: readonly PatternNode[], program: Instruction[]): boolean {
  const [first, ...rest] = options as [PatternNode, ...PatternNode[]]
  if (rest.length === 0) return emit(first, program)
  const split = { op: 'split' as const, first: program.length + 1, second: 0 }
  program.push(split)
  if (!emit(first, program)) return false
  const jump = program.length
  program.push({ op: 'match' }) // its place is taken below
  split.second = program.length
  if (!emitChoice(rest, program)) return false
  program[jump] = { op: 'jump', to: program.length }
  return true
}

function emitRepeat({ body, min, max, greedy }: PatternNode & { kind: 'repeat' }, program: Instruction[]): boolean {
  for (let i = 0; i < min; i++) if (!emit(body, program)) return false
  const splits: { op: 'split'; first: number; second: number }[] = []
  for (let i = min; max === Number.POSITIVE_INFINITY ? i === min : i < max; i++) {
    const split = { op: 'split' as const, first: program.length + 1, second: program.length + 1 }
    splits.push(split)
    const start = program.length
    program.push(split)
    if (!emit(body, program)) return false
    if (max === Number.POSITIVE_INFINITY) program.push({ op: 'jump', to: start })
  }
  for (const split of splits) {
    if (greedy) split.second = program.length
    else split.first = program.length
  }
  return true
}
