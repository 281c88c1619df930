/** Reads the packets of specs/jt808/vectors. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Native {
  readonly header?: object
  readonly body?: object
}

export type Vector = { readonly name: string } & (
  | { readonly kind: 'frame'; readonly hex: string; readonly expect?: Native }
  | { readonly kind: 'body'; readonly hex: string; readonly id: number; readonly form: '2013' | '2019'; readonly expect?: Native }
  | { readonly kind: 'malformed'; readonly hex: string; readonly expect: { readonly malformed: string } }
  | {
      readonly kind: 'stream'
      /** One string a chunk. */
      readonly hex: readonly string[]
      readonly expect: { readonly frames: readonly string[]; readonly malformed: readonly string[]; readonly buffered: number }
    }
)

/** Every vector of every file, named `file: vector`. */
export function vectors(): readonly Vector[] {
  const folder = find(join('specs', 'jt808', 'vectors'))
  return readdirSync(folder).flatMap((file) => {
    const read = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Vector[]
    return read.map((vector) => ({ ...vector, name: `${file}: ${vector.name}` }))
  })
}

/** Ids of the rows of specs/jt808/conformance.json. */
export function conformanceIds(): ReadonlySet<string> {
  const rows = JSON.parse(readFileSync(find(join('specs', 'jt808', 'conformance.json')), 'utf8')) as { id: string }[]
  return new Set(rows.map(({ id }) => id))
}

/** `path` in the nearest folder above this file that has it: the same for sources and for compiled tests. */
function find(path: string): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, path))) {
    if (folder === dirname(folder)) throw new Error(`no ${path} above ${import.meta.url}`)
    folder = dirname(folder)
  }
  return join(folder, path)
}
