/** The repository as the architecture tests see it: files by path, relative to the root and written with `/`. */
import type { Dirent } from 'node:fs'
import { existsSync, readdirSync } from 'node:fs'
import { inProject, readJson, readText } from './project.ts'

const SKIPPED = new Set(['node_modules', 'dist', '.git', 'data', '.bench'])

export interface SourceFile {
  readonly path: string
  readonly text: string
}

function entries(folder: string): Dirent[] {
  const path = inProject(folder)
  return existsSync(path) ? readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1)) : []
}

/** Every file below `folder` (`''` is the whole repository), in a stable order, without what is built or installed. */
export function filesUnder(folder: string): string[] {
  const found: string[] = []
  for (const entry of entries(folder)) {
    if (SKIPPED.has(entry.name)) continue
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) found.push(...filesUnder(path))
    else if (entry.isFile()) found.push(path)
  }
  return found
}

/** Folders directly below `folder`. */
export function foldersIn(folder: string): string[] {
  return entries(folder)
    .filter((entry) => entry.isDirectory() && !SKIPPED.has(entry.name))
    .map((entry) => entry.name)
}

/** Names of the protocols on disk: one folder is one gateway. */
export function gatewayFolders(): string[] {
  return foldersIn('gateways').filter((name) => existsSync(inProject(`gateways/${name}/index.ts`)))
}

/** TypeScript sources below the given files or folders. */
/** Gateways that the committed schema describes and the disk no longer holds: what was made for them is left over. */
export function deletedGateways(): string[] {
  const schema = readJson('specs/generated/config.schema.json') as {
    properties: { gateways: { properties: Readonly<Record<string, unknown>> } }
  }
  const present = new Set(gatewayFolders())
  return Object.keys(schema.properties.gateways.properties).filter((name) => !present.has(name))
}

export function sourcesUnder(...places: readonly string[]): SourceFile[] {
  const paths = places.flatMap((place) =>
    place.endsWith('.ts') ? (existsSync(inProject(place)) ? [place] : []) : filesUnder(place),
  )
  return paths.filter((path) => path.endsWith('.ts')).map((path) => ({ path, text: readText(path) }))
}

/** True for tests and their fixtures, wherever they live. */
export function isTest(path: string): boolean {
  return path.startsWith('test/') || path.includes('/test/') || path.endsWith('.test.ts')
}

/** `path/to/file.ts:12`, for messages that an editor can follow. */
export function at(file: SourceFile, offset: number): string {
  return `${file.path}:${file.text.slice(0, offset).split('\n').length}`
}
