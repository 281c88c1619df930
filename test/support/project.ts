/** Where the project is, whether a test runs from its source or from `dist`. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  for (;;) {
    if (existsSync(join(folder, 'tsconfig.json')) && existsSync(join(folder, 'package.json'))) return folder
    const parent = dirname(folder)
    if (parent === folder) throw new Error('no package.json and tsconfig.json above the tests')
    folder = parent
  }
}

/** Absolute path of the repository. */
export const root = findRoot()

/** Absolute path of `path`, which is relative to the repository and written with `/`. */
export function inProject(path: string): string {
  return join(root, path)
}

export function readText(path: string): string {
  return readFileSync(inProject(path), 'utf8')
}

export function readJson(path: string): unknown {
  return JSON.parse(readText(path))
}
