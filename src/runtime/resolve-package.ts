/**
 * The file that `import "@acme/gw-x"` would load, looked for from a directory: Node resolves packages for an ES module
 * only from that module's own place, and an operator's packages lie beside the config file.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { isRecord } from '../config/path.ts'

/** Conditions of an `import`, in Node's terms. */
const CONDITIONS: readonly string[] = ['node', 'import', 'module-sync', 'default']
const NAME = /^(?<name>(?:@[^/@]+\/)?[^/@.][^/]*)(?<subpath>\/.+)?$/

/** Undefined when the package is not installed, or offers nothing to import under that name. */
export function resolvePackage(specifier: string, directory: string): string | undefined {
  const { name, subpath = '' } = NAME.exec(specifier)?.groups ?? {}
  if (name === undefined) return undefined
  const require = createRequire(join(directory, 'package.json'))
  for (const folder of require.resolve.paths(specifier) ?? []) {
    const root = join(folder, name)
    const manifest = readManifest(join(root, 'package.json'))
    if (manifest === undefined) continue
    const target = manifest['exports'] === undefined ? undefined : exportTarget(manifest['exports'], `.${subpath}`)
    if (target !== undefined) return join(root, target)
    break
  }
  try {
    // Packages without `exports`, and patterns in them, resolve as for `require`.
    const file = require.resolve(specifier)
    return file.includes('/') || file.includes('\\') ? file : undefined
  } catch {
    return undefined
  }
}

function readManifest(file: string): Record<string, unknown> | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return isRecord(manifest) ? manifest : undefined
  } catch {
    return undefined
  }
}

/** The target of `subpath` in a package's `exports`; patterns are left to Node. */
function exportTarget(exports: unknown, subpath: string): string | undefined {
  const isMapOfPaths = isRecord(exports) && Object.keys(exports).some((key) => key.startsWith('.'))
  const entry = isMapOfPaths
    ? Object.hasOwn(exports, subpath)
      ? exports[subpath]
      : undefined
    : subpath === '.'
      ? exports
      : undefined
  return conditionTarget(entry)
}

function conditionTarget(entry: unknown): string | undefined {
  if (typeof entry === 'string') return entry.startsWith('./') && !entry.split('/').includes('..') ? entry : undefined
  if (Array.isArray(entry)) return entry.map(conditionTarget).find((target) => target !== undefined)
  if (!isRecord(entry)) return undefined
  for (const [condition, value] of Object.entries(entry)) {
    if (!CONDITIONS.includes(condition)) continue
    const target = conditionTarget(value)
    if (target !== undefined) return target
  }
  return undefined
}
