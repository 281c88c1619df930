/** `omnigate check FILE`: what would run, or every problem with its place and remedy. */
import { access, constants } from 'node:fs/promises'
import type { EffectiveConfig, GatewayInstance, ListenerConfig } from '../config/effective.ts'
import { firstLine, formatProblem, type Problem } from '../config/errors.ts'
import type { Environment } from '../config/interpolate.ts'
import { isPem } from '../config/listeners.ts'
import { type LoadResult, loadConfig } from '../config/load.ts'
import type { ModuleSource } from '../config/modules.ts'
import { formatPath } from '../config/path.ts'
import { formatAddress } from '../transport/address.ts'
import { EXIT, type Output } from './output.ts'

export interface CheckOptions {
  readonly file: string
  readonly directory: string
  readonly environment: Environment
  readonly modules: ModuleSource
}

type Locate = LoadResult['locate']

export async function check(options: CheckOptions, output: Output): Promise<number> {
  const { config, problems, warnings, locate } = await loadConfig(options)
  const all = config === undefined ? problems : [...faults(config, locate), ...(await unreadableFiles(config, locate))]
  for (const problem of all) output.err(formatProblem(problem))
  for (const warning of warnings) output.err(`warning: ${formatProblem(warning)}`)
  if (config === undefined || all.length > 0) {
    output.err(`${options.file}: ${all.length} ${all.length === 1 ? 'problem' : 'problems'}`)
    return EXIT.failure
  }
  output.out(`${options.file} is valid`)
  for (const gateway of config.gateways) output.out(`  ${summary(gateway)}`)
  return EXIT.ok
}

function summary({ name, use, module, enabled, listeners, mountpoint }: GatewayInstance): string {
  const protocol = module?.name ?? use
  const title = protocol === name ? name : `${name} (${protocol})`
  if (!enabled) return `${title}: disabled`
  const places = listeners.map(({ type, host, port, path }) => `${type} ${formatAddress(host, port)}${path ?? ''}`)
  return `${title}: ${places.join(', ')}${mountpoint === '' ? '' : `, topics under ${mountpoint}`}`
}

function faults({ gateways }: EffectiveConfig, locate: Locate): Problem[] {
  return gateways.flatMap(({ name, fault }) => {
    if (fault === undefined) return []
    const path = ['gateways', name]
    return [{ code: fault.code, path: formatPath(path), source: locate(path, 'key'), message: fault.reason, hint: fault.hint }]
  })
}

/** Certificates and keys that a listener would miss. */
async function unreadableFiles({ gateways }: EffectiveConfig, locate: Locate): Promise<Problem[]> {
  const problems: Problem[] = []
  for (const { name, listeners } of gateways.filter(({ enabled }) => enabled)) {
    for (const [index, listener] of listeners.entries()) {
      for (const [key, file] of filesOf(listener)) {
        const message = await readFault(file)
        if (message === undefined) continue
        const path = ['gateways', name, 'listeners', index, 'tls', key]
        const hint = 'check the path, which is relative to the config file, and the permissions'
        problems.push({ code: 'file-unreadable', path: formatPath(path), source: locate(path, 'value'), message, hint })
      }
    }
  }
  return problems
}

async function readFault(file: string): Promise<string | undefined> {
  try {
    await access(file, constants.R_OK)
    return undefined
  } catch (error) {
    return firstLine(error)
  }
}

function filesOf({ tls }: ListenerConfig): [key: string, file: string][] {
  const files = Object.entries({ cert: tls?.cert, key: tls?.key, ca: tls?.ca })
  return files.filter((entry): entry is [string, string] => entry[1] !== undefined && !isPem(entry[1]))
}
