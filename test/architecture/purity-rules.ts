/** Law 2 as a function of one source file: which of its words reach for the world. */
import { isBuiltin } from 'node:module'
import { codeOnly, importsOf } from '../support/source-text.ts'
import type { SourceFile } from '../support/source-tree.ts'
import { at } from '../support/source-tree.ts'

interface Rule {
  readonly pattern: RegExp
  readonly why: string
}

/** A global by its bare name: neither a property, nor a declaration's own name, nor a key. */
function global(names: string): RegExp {
  return new RegExp(String.raw`(?<![\w$.#]|\?\.)(?:globalThis\s*\.\s*)?(?:${names})(?![\w$]|\s*[?]?:(?!:))`, 'g')
}

const WORLD: readonly Rule[] = [
  {
    pattern: global('setTimeout|setInterval|setImmediate|clearTimeout|clearInterval|clearImmediate|queueMicrotask'),
    why: 'a timer',
  },
  { pattern: /(?<![\w$.])Date\s*\.\s*now\b|(?<![\w$.])new\s+Date\s*(?:\(\s*\)|(?![\s(\w]))/g, why: 'the clock' },
  { pattern: /(?<![\w$.])performance\s*\.\s*\w/g, why: 'the clock' },
  { pattern: /(?<![\w$.])Math\s*\.\s*random\b/g, why: 'randomness' },
  { pattern: /(?<![\w$.#])crypto\s*\.\s*\w/g, why: 'randomness' },
  { pattern: /(?<![\w$.#])process\s*\.\s*\w/g, why: 'the process' },
  { pattern: /(?<![\w$.#])console\s*\.\s*\w/g, why: 'the console' },
  { pattern: /(?<![\w$.#])fetch\s*\(/g, why: 'the network' },
  { pattern: /(?<![\w$.])(?:globalThis|global)\s*[.[]/g, why: 'the global object' },
]

const PROMISES: readonly Rule[] = [
  { pattern: /(?<![\w$.#])async\s+(?:function\b|\w+\s*\(|\(|\w+\s*=>|\*|#)/g, why: 'an async function' },
  { pattern: /(?<![\w$.#])await\s/g, why: 'await' },
  { pattern: /(?<![\w$.#])Promise\s*[.<(]/g, why: 'a promise' },
  { pattern: /\.\s*then\s*\(/g, why: 'a promise' },
]

function scan(file: SourceFile, code: string, rules: readonly Rule[]): string[] {
  return rules.flatMap(({ pattern, why }) =>
    [...code.matchAll(pattern)].map((match) => `${at(file, match.index)} ${match[0].trim()} is ${why}`),
  )
}

/** Functions of octets, called without a callback: nothing of the world is in them. */
const FUNCTIONS_OF_OCTETS: ReadonlyMap<string, string> = new Map([['src/bytes/inflate.ts', 'node:zlib']])

/** Modules of Node.js and globals through which a pure file would see or touch the world. */
export function worldFaults(file: SourceFile): string[] {
  const imports = importsOf(file.text)
    .filter(({ specifier }) => isBuiltin(specifier) && FUNCTIONS_OF_OCTETS.get(file.path) !== specifier)
    .map(({ specifier, offset }) => `${at(file, offset)} imports ${specifier}`)
  return [...imports, ...scan(file, codeOnly(file.text), WORLD)]
}

/** Promises, which a codec or session never makes nor awaits. */
export function promiseFaults(file: SourceFile): string[] {
  return scan(file, codeOnly(file.text), PROMISES)
}
