/**
 * Finds gateways and imports them: those that come with Omnigate by their folder, others by npm package or path. What
 * cannot be imported, or is no gateway, is a value with its reason: one bad module never takes the process along.
 */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { firstLine } from '../config/errors.ts'
import type { LoadedModule, ModuleSource } from '../config/modules.ts'
import type { GatewayModule } from '../sdk.ts'
import { manifestFault } from './manifest.ts'
import { resolvePackage } from './resolve-package.ts'

/** Beside `src/`, in the sources as in the compiled tree. */
const GATEWAYS = fileURLToPath(new URL('../../gateways/', import.meta.url))
/** What an installed gateway's folder must hold; compiled or source, like this file. */
const ENTRY = `index${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`

export class Registry implements ModuleSource {
  readonly #root: string
  readonly #modules = new Map<string, LoadedModule>()
  #names: readonly string[] | undefined = undefined

  /** `root` is the folder of the gateways' folders. */
  constructor(root = GATEWAYS) {
    this.#root = root
  }

  async names(): Promise<readonly string[]> {
    this.#names ??= await this.#discover()
    return this.#names
  }

  async load(use: string, directory: string): Promise<LoadedModule> {
    const key = `${directory}\0${use}`
    const known = this.#modules.get(key)
    if (known !== undefined) return known
    const loaded = await this.#load(use, directory)
    // What is missing now may be installed before the next reload.
    if (loaded.module !== undefined) this.#modules.set(key, loaded)
    return loaded
  }

  async #discover(): Promise<string[]> {
    let entries: { name: string; isDirectory(): boolean }[]
    try {
      entries = await readdir(this.#root, { withFileTypes: true })
    } catch {
      // No folder, no gateways: whoever enables one is told.
      return []
    }
    return entries
      .filter((entry) => entry.isDirectory() && existsSync(join(this.#root, entry.name, ENTRY)))
      .map(({ name }) => name)
      .sort()
  }

  async #load(use: string, directory: string): Promise<LoadedModule> {
    if ((await this.names()).includes(use)) return importGateway(join(this.#root, use, ENTRY), use, use)
    if (isPath(use)) {
      const file = isAbsolute(use) ? use : resolve(directory, use)
      if (existsSync(file)) return importGateway(file, use)
      return unknown(`there is no file ${file}`, 'give the path of a JavaScript module, relative to the config file')
    }
    const file = resolvePackage(use, directory)
    if (file !== undefined) return importGateway(file, use)
    const isPackage = use.includes('/') || use.startsWith('@')
    if (isPackage) return unknown(`the package "${use}" is not installed`, `run "npm install ${use}" in ${directory}`)
    return unknown(`no gateway is called "${use}"`, '')
  }
}

function isPath(use: string): boolean {
  return use.startsWith('./') || use.startsWith('../') || isAbsolute(use)
}

function unknown(message: string, hint: string): LoadedModule {
  return { fault: { code: 'gateway-unknown', message, hint } }
}

async function importGateway(file: string, use: string, folder?: string): Promise<LoadedModule> {
  let exported: Readonly<Record<string, unknown>>
  try {
    exported = await import(pathToFileURL(file).href)
  } catch (error) {
    const message = `the gateway "${use}" cannot be loaded: ${firstLine(error)}`
    return { fault: { code: 'gateway-load-failed', message, hint: `mend or reinstall ${file}` } }
  }
  const manifest = exported['default']
  const fault = manifestFault(manifest, folder)
  if (fault === undefined) return { module: manifest as GatewayModule }
  const message = `the gateway "${use}" has no valid manifest: ${fault}`
  return { fault: { code: 'gateway-manifest-invalid', message, hint: `export defineGateway({ ... }) as default from ${file}` } }
}
