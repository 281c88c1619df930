/** Law 1 as functions of one source file: which of its imports point the wrong way. */
import { posix } from 'node:path'
import { importsOf } from '../support/source-text.ts'
import type { SourceFile } from '../support/source-tree.ts'
import { at, isTest } from '../support/source-tree.ts'
import { areaOf, mayImport } from './layers.ts'

/** Aliases of package.json's `imports`. */
const ALIASES: readonly (readonly [alias: string, path: string])[] = [
  ['#sdk/schema', 'src/sdk/schema.ts'],
  ['#sdk', 'src/sdk.ts'],
  ['#testing', 'src/testing.ts'],
  ['#bytes/', 'src/bytes/'],
  ['#stacks/', 'src/stacks/'],
]

/** Packages that one gateway's own folder may import, besides the schema library. */
const GATEWAY_PACKAGES: Readonly<Record<string, readonly string[]>> = { mqtt: ['mqtt-packet'], coap: ['cborg'] }

/** The project file that a specifier names, or undefined for a package or a module of Node.js. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return posix.normalize(posix.join(posix.dirname(from), specifier))
  for (const [alias, path] of ALIASES) {
    if (specifier === alias) return path
    if (alias.endsWith('/') && specifier.startsWith(alias)) return `${path}${specifier.slice(alias.length)}.ts`
  }
  return undefined
}

/** `@scope/name/deep` to `@scope/name`. */
export function packageOf(specifier: string): string {
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier)
}

function gatewayOf(path: string): string | undefined {
  const [folder, name, ...rest] = path.split('/')
  return folder === 'gateways' && rest.length > 0 ? name : undefined
}

function gatewayFault(file: SourceFile, gateway: string, specifier: string, target: string | undefined): string | undefined {
  if (target !== undefined && gatewayOf(target) === gateway) return undefined
  if (target !== undefined && gatewayOf(target) !== undefined) return `a gateway imports another gateway: ${specifier}`
  const named = specifier.startsWith('#')
  if (isTest(file.path)) {
    return named || !specifier.startsWith('.') ? undefined : `a gateway's tests reach outside their folder by path: ${specifier}`
  }
  if (named && specifier !== '#testing') return undefined
  const allowed = ['zod', ...(GATEWAY_PACKAGES[gateway] ?? [])]
  return allowed.includes(packageOf(specifier)) ? undefined : `a gateway may not import ${specifier}`
}

function layerFault(file: SourceFile, specifier: string, target: string): string | undefined {
  if (gatewayOf(target) !== undefined) return `only a gateway's own folder names its files: ${specifier}`
  if (isTest(file.path) || file.path.startsWith('examples/')) return undefined
  const from = areaOf(file.path)
  if (from === undefined) return `${file.path} has no layer: add its folder to test/architecture/layers.ts`
  const to = areaOf(target)
  if (to === undefined) return `${specifier} leads to ${target}, which has no layer`
  return mayImport(from, to)
    ? undefined
    : `${from.name} (level ${from.level}) imports ${to.name} (level ${to.level}): ${specifier}`
}

/** What is wrong with a file's imports, each with its line. */
export function importFaults(file: SourceFile): string[] {
  const gateway = gatewayOf(file.path)
  const faults: string[] = []
  for (const { specifier, offset } of importsOf(file.text)) {
    const target = resolveImport(file.path, specifier)
    const fault =
      gateway !== undefined
        ? gatewayFault(file, gateway, specifier, target)
        : target !== undefined
          ? layerFault(file, specifier, target)
          : undefined
    if (fault !== undefined) faults.push(`${at(file, offset)} ${fault}`)
  }
  return faults
}
