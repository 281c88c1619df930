/** Config files in temporary folders, loaded with the gateways of this folder. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { EffectiveConfig, GatewayInstance } from '../../../src/config/effective.ts'
import { formatProblem } from '../../../src/config/errors.ts'
import type { Environment } from '../../../src/config/interpolate.ts'
import { type LoadResult, loadConfig } from '../../../src/config/load.ts'
import { Registry } from '../../../src/runtime/registry.ts'

export const fixtures = fileURLToPath(new URL('./gateways/', import.meta.url))
export const modules = new Registry(fixtures)

const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A folder that is gone after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'omnigate-'))
  folders.push(folder)
  return folder
}

/** Writes `text` to omnigate.yaml in a folder of its own. */
export function configFile(text: string): string {
  const file = join(temporaryFolder(), 'omnigate.yaml')
  writeFileSync(file, text)
  return file
}

export function load(text: string, environment: Environment = {}): Promise<LoadResult> {
  return loadConfig({ file: configFile(text), directory: '/', environment, modules })
}

/** Problems as the operator reads them. */
export async function problemsOf(text: string, environment: Environment = {}): Promise<string[]> {
  return (await load(text, environment)).problems.map(formatProblem)
}

export async function valid(text: string, environment: Environment = {}): Promise<EffectiveConfig> {
  const { config, problems } = await load(text, environment)
  if (config === undefined) throw new Error(problems.map(formatProblem).join('\n'))
  return config
}

export function instance(config: EffectiveConfig, name: string): GatewayInstance {
  const found = config.gateways.find((gateway) => gateway.name === name)
  if (found === undefined) throw new Error(`no gateway ${name}`)
  return found
}
