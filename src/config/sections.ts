/** The `gateways` map as sections, each with the module that its `use` names. */
import { formatAddress } from '../transport/address.ts'
import type { Problem } from './errors.ts'
import type { JsonSchema } from './field.ts'
import type { IssueContext } from './issues.ts'
import { apiJsonSchema, brokerJsonSchema, instanceJsonSchema, nodeJsonSchema } from './json-schema.ts'
import { defaultListeners } from './listeners.ts'
import type { LoadedModule, ModuleSource } from './modules.ts'
import { nearest } from './nearest.ts'
import { formatPath, isRecord } from './path.ts'
import { INSTANCE_NAME } from './schema.ts'

export interface Section {
  /** The key in `gateways`. */
  readonly name: string
  /** Name, package or path of the module; the key when the section does not say. */
  readonly use: string
  /** The section in the config's data. */
  readonly data: Record<string, unknown>
  /** Undefined when disabled: the module is not imported then. */
  readonly loaded: LoadedModule | undefined
}

export interface SectionsContext {
  readonly modules: ModuleSource
  /** Directory that paths in the config are relative to. */
  readonly directory: string
  readonly locate: IssueContext['locate']
}

/** Reads the sections and imports the modules of the enabled ones. What is no section is a problem. */
export async function readSections(gateways: unknown, context: SectionsContext, problems: Problem[]): Promise<Section[]> {
  if (gateways === undefined || gateways === null) return []
  const problem = (path: string[], code: Problem['code'], message: string, hint: string, part: 'key' | 'value' = 'key'): void => {
    problems.push({ code, path: formatPath(path), source: context.locate(path, part), message, hint })
  }
  if (!isRecord(gateways)) {
    problem(
      ['gateways'],
      'config-invalid-value',
      'this is no map of gateways',
      'write one key for each gateway, such as "mine: { use: name }"',
    )
    return []
  }
  const sections: Section[] = []
  for (const [name, value] of Object.entries(gateways)) {
    const path = ['gateways', name]
    if (!INSTANCE_NAME.test(name)) {
      problem(
        path,
        'config-invalid-value',
        `"${name}" is no name for a gateway`,
        'use 1 to 64 letters, digits, dots, hyphens or underscores',
      )
      continue
    }
    // An empty section (`name:`) is null in YAML; it enables the gateway with its defaults.
    const data = value === null ? {} : value
    if (!isRecord(data)) {
      problem(
        path,
        'config-invalid-value',
        'this is no section with keys',
        'write keys below the name, or nothing for the defaults',
      )
      continue
    }
    gateways[name] = data
    const section = await readSection(name, data, context)
    sections.push(section)
    const fault = section.loaded?.fault
    if (fault?.code === 'gateway-unknown') {
      const hint = await unknownHint(section, context.modules)
      if (typeof data['use'] === 'string') problem([...path, 'use'], fault.code, fault.message, hint, 'value')
      else problem(path, fault.code, fault.message, hint)
    }
  }
  return sections
}

async function readSection(
  name: string,
  data: Record<string, unknown>,
  { modules, directory }: SectionsContext,
): Promise<Section> {
  const use = typeof data['use'] === 'string' && data['use'] !== '' ? data['use'] : name
  // A key alone names an installed gateway, never a package that happens to be called the same.
  const isWritten = use !== name
  const isEnabled = data['enabled'] !== false
  if (!isEnabled) return { name, use, data, loaded: undefined }
  if (isWritten || (await modules.names()).includes(use)) return { name, use, data, loaded: await modules.load(use, directory) }
  const fault = { code: 'gateway-unknown', message: `no gateway is called "${use}"`, hint: '' } as const
  return { name, use, data, loaded: { fault } }
}

async function unknownHint({ name, use, loaded }: Section, modules: ModuleSource): Promise<string> {
  const names = await modules.names()
  const meant = nearest(use, names)
  if (meant !== undefined) return use === name ? `did you mean "${meant}"? Or add use: ${meant}` : `did you mean "${meant}"?`
  if (loaded?.fault?.hint) return loaded.fault.hint
  const known = names.length === 0 ? 'none is installed' : `installed are ${names.join(', ')}`
  return use === name ? `name the protocol with \`use\`; ${known}` : known
}

/** The schema of the whole config as these sections have it, to find keys by. */
export function sectionsSchema(sections: readonly Section[], names: readonly string[]): JsonSchema {
  const common = instanceJsonSchema(undefined)
  const installed = names.map((name) => [name, common] as const)
  const written = sections.map(({ name, loaded }) => [name, instanceJsonSchema(loaded?.module)] as const)
  return {
    type: 'object',
    properties: {
      node: nodeJsonSchema(),
      broker: brokerJsonSchema(),
      gateways: { type: 'object', properties: Object.fromEntries([...installed, ...written]) },
      api: apiJsonSchema(),
    },
  }
}

/** Writes the standard listeners into a section that has none, so that one of them can be changed on its own. */
export function writeOutListeners({ data, loaded }: Section): void {
  if (loaded?.module === undefined || (data['listeners'] !== undefined && data['listeners'] !== null)) return
  data['listeners'] = defaultListeners(loaded.module).map(({ type, host, port, path }) => ({
    type,
    bind: formatAddress(host, port),
    ...(path === undefined ? {} : { path }),
  }))
}
