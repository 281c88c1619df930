/** Reads the packets of specs/mqtt-sn/vectors. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Vector {
  readonly name: string
  readonly kind: 'frame' | 'malformed'
  readonly hex: string
  readonly expect: Readonly<Record<string, unknown>>
  /** False: it encodes to other octets that mean the same. */
  readonly canonical?: boolean
  /** `wire2` is version 2.0. */
  readonly wire?: string
}

/** Every vector of one version, named `file: vector`. */
export function vectors(which: 'wire' | 'wire2' = 'wire'): readonly Vector[] {
  const folder = find(join('specs', 'mqtt-sn', 'vectors'))
  return readdirSync(folder).flatMap((file) => {
    const read = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Vector[]
    return read.filter(({ wire = 'wire' }) => wire === which).map((vector) => ({ ...vector, name: `${file}: ${vector.name}` }))
  })
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
