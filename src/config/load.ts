/**
 * From a file and the environment to the effective config: YAML, `${VARIABLES}`, overrides, validation. Every problem
 * is collected, none stops at the first.
 */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { formatAddress } from '../transport/address.ts'
import { duplicateBinds, exposedListeners } from './across.ts'
import { parseBind } from './bind.ts'
import type { BridgeConfig } from './bridge-schema.ts'
import { type BrokerConfig, brokerSchema } from './broker-schema.ts'
import { type ConfigDocument, parseConfig } from './document.ts'
import type { ApiConfig, EffectiveConfig, GatewayInstance, NodeConfig } from './effective.ts'
import { firstLine, type Problem } from './errors.ts'
import type { JsonSchema } from './field.ts'
import { buildInstance } from './instance.ts'
import type { Environment } from './interpolate.ts'
import { type IssueContext, toProblems, unknownKey } from './issues.ts'
import { apiJsonSchema, brokerJsonSchema, nodeJsonSchema } from './json-schema.ts'
import type { PlacedListener } from './listeners.ts'
import type { ModuleSource } from './modules.ts'
import { nodeSchema } from './node-schema.ts'
import {
  applyOverride,
  collectOverrides,
  isSelecting,
  type Override,
  openSection,
  overridesListeners,
  resolveOverride,
} from './overrides.ts'
import { formatPath } from './path.ts'
import { apiSchema, ROOT_KEYS } from './schema.ts'
import { readSections, type Section, sectionsSchema, writeOutListeners } from './sections.ts'

export interface LoadOptions {
  /** The config file; undefined runs every installed gateway on its standard ports. */
  readonly file: string | undefined
  /** What a relative `file`, and without a file any other path, is relative to. */
  readonly directory: string
  readonly environment: Environment
  readonly modules: ModuleSource
}

export interface LoadResult {
  /** Undefined when there are problems. Gateways whose module cannot be loaded are in it, with their fault. */
  readonly config: EffectiveConfig | undefined
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  /** Without a file: what was chosen, one line each. */
  readonly notices: readonly string[]
  /** Where the operator wrote what stands at a path. */
  readonly locate: IssueContext['locate']
}

/** State of one load. */
interface Draft {
  readonly data: Record<string, unknown>
  readonly problems: Problem[]
  /** Paths that environment variables have set, and which variables. */
  readonly origins: Map<string, string>
  readonly locate: IssueContext['locate']
}

export async function loadConfig(options: LoadOptions): Promise<LoadResult> {
  const { environment, modules } = options
  const file = options.file === undefined ? undefined : resolve(options.directory, options.file)
  const directory = file === undefined ? options.directory : dirname(file)
  const document = file === undefined ? await implicitDocument(modules) : await readDocument(file, environment)
  if (document.problems.some(({ code }) => code === 'config-syntax' || code === 'config-file-unreadable')) {
    return { config: undefined, problems: document.problems, warnings: [], notices: [], locate: document.locate }
  }
  const draft = openDraft(document)
  const { data, problems, locate } = draft
  const sections = await overriddenSections(draft, collectOverrides(environment), modules, directory)

  problems.push(...unknownRootKeys(data, locate))
  const node = readNode(data['node'], draft, directory)
  const broker = readBroker(data['broker'], draft, directory)
  const api = readApi(data['api'], draft)
  const gateways: GatewayInstance[] = []
  const listeners: PlacedListener[] = []
  for (const section of sections) {
    const built = await buildInstance({ ...section, directory, locate })
    problems.push(...built.problems)
    listeners.push(...built.listeners)
    if (built.instance !== undefined) gateways.push(built.instance)
  }
  problems.push(...duplicateBinds(listeners, locate))
  if (problems.length === 0 && !gateways.some(({ enabled }) => enabled))
    problems.push(nothingEnabled(locate, await modules.names()))

  const warnings = [...exposedListeners(listeners, locate), ...(api === undefined ? [] : [apiUnavailable(locate)])]
  const isComplete = node !== undefined && broker !== undefined && problems.length === 0
  const config = isComplete ? { file, node, broker, gateways, api } : undefined
  return {
    config,
    problems: problems.toSorted(byPlace),
    warnings,
    notices: file === undefined ? implicitNotices(gateways) : [],
    locate,
  }
}

/** Without a file every installed gateway is enabled. */
async function implicitDocument(modules: ModuleSource): Promise<ConfigDocument> {
  const names = await modules.names()
  return { data: { gateways: Object.fromEntries(names.map((name) => [name, {}])) }, problems: [], locate: () => '' }
}

async function readDocument(file: string, environment: Environment): Promise<ConfigDocument> {
  try {
    return parseConfig(await readFile(file, 'utf8'), file, environment)
  } catch (error) {
    const message = `the config file cannot be read: ${firstLine(error)}`
    const problem: Problem = {
      code: 'config-file-unreadable',
      path: '',
      source: file,
      message,
      hint: 'check the path and the permissions',
    }
    return { data: {}, problems: [problem], locate: () => file }
  }
}

function openDraft(document: ConfigDocument): Draft {
  const origins = new Map<string, string>()
  return {
    data: document.data,
    problems: [...document.problems],
    origins,
    locate: (path, part) => {
      for (let depth = path.length; depth > 0; depth--) {
        const variable = origins.get(formatPath(path.slice(0, depth)))
        if (variable !== undefined) return variable
      }
      return document.locate(path, part)
    },
  }
}

/** The sections after the environment had its say. What selects modules goes first: the rest needs their schemas. */
async function overriddenSections(
  draft: Draft,
  overrides: readonly Override[],
  modules: ModuleSource,
  directory: string,
): Promise<Section[]> {
  const { data, problems, locate } = draft
  const names = await modules.names()
  const early = sectionsSchema([], names)
  for (const one of overrides) {
    openSection(one, data, early)
    if (isSelecting(one)) override(one, draft, early)
  }
  const sections = await readSections(data['gateways'], { modules, directory, locate }, problems)
  const schema = sectionsSchema(sections, names)
  for (const one of overrides) {
    if (isSelecting(one)) continue
    const section = sections.find(({ name }) => overridesListeners(one, name))
    if (section !== undefined) writeOutListeners(section)
    override(one, draft, schema)
  }
  return sections
}

function override(one: Override, { data, problems, origins }: Draft, schema: JsonSchema): void {
  const path = resolveOverride(one, data, schema)
  const problem = 'code' in path ? path : applyOverride(one, path, data, schema)
  if (problem !== undefined) problems.push(problem)
  else if (!('code' in path)) origins.set(formatPath(path), one.variable)
}

function unknownRootKeys(data: Readonly<Record<string, unknown>>, locate: IssueContext['locate']): Problem[] {
  const schema = { properties: Object.fromEntries(ROOT_KEYS.map((key) => [key, {}])) }
  const isKnown = (key: string): boolean => (ROOT_KEYS as readonly string[]).includes(key)
  return Object.keys(data)
    .filter((key) => !isKnown(key))
    .map((key) => unknownKey([key], { base: [], schema, input: data, locate }))
}

function readNode(value: unknown, { problems, locate }: Draft, directory: string): NodeConfig | undefined {
  const input = value ?? {}
  const parsed = nodeSchema.safeParse(input)
  if (!parsed.success) {
    problems.push(...toProblems(parsed.error.issues, { base: ['node'], schema: nodeJsonSchema(), input, locate }))
    return undefined
  }
  const { dataDir, sysInterval, drainTimeout, ...rest } = parsed.data
  return { ...rest, dataDir: resolve(directory, dataDir), sysIntervalMs: sysInterval, drainTimeoutMs: drainTimeout }
}

function readBroker(value: unknown, { problems, locate }: Draft, directory: string): BrokerConfig | undefined {
  const input = value ?? {}
  const parsed = brokerSchema.safeParse(input)
  if (parsed.success)
    return { ...parsed.data, bridges: parsed.data.bridges.map((bridge) => withAbsolutePaths(bridge, directory)) }
  problems.push(...toProblems(parsed.error.issues, { base: ['broker'], schema: brokerJsonSchema(), input, locate }))
  return undefined
}

function withAbsolutePaths(bridge: BridgeConfig, directory: string): BridgeConfig {
  const { ca, cert, key } = bridge
  return {
    ...bridge,
    ...(ca !== undefined && { ca: resolve(directory, ca) }),
    ...(cert !== undefined && { cert: resolve(directory, cert) }),
    ...(key !== undefined && { key: resolve(directory, key) }),
  }
}

function readApi(value: unknown, { problems, locate }: Draft): ApiConfig | undefined {
  if (value === undefined) return undefined
  const input = value ?? {}
  const parsed = apiSchema.safeParse(input)
  if (!parsed.success) {
    problems.push(...toProblems(parsed.error.issues, { base: ['api'], schema: apiJsonSchema(), input, locate }))
    return undefined
  }
  const address = parseBind(String(parsed.data.bind))
  if (typeof address !== 'string') return address
  const at = ['api', 'bind']
  const hint = 'write an address and port such as "127.0.0.1:18083"'
  problems.push({
    code: 'listener-bind-invalid',
    path: formatPath(at),
    source: locate(at, 'value'),
    message: `${parsed.data.bind}: ${address}`,
    hint,
  })
  return undefined
}

/** In the order of the file; what stands nowhere in it comes first. */
function byPlace(a: Problem, b: Problem): number {
  const [lineA, columnA] = placeOf(a)
  const [lineB, columnB] = placeOf(b)
  return lineA - lineB || columnA - columnB
}

function placeOf({ source }: Problem): [line: number, column: number] {
  const [, line = '0', column = '0'] = /:(\d+):(\d+)$/.exec(source) ?? []
  return [Number(line), Number(column)]
}

function nothingEnabled(locate: IssueContext['locate'], names: readonly string[]): Problem {
  const hint = `add a section under \`gateways\`, such as ${names.join(', ') || 'one with `use`'}`
  return {
    code: 'start-nothing-enabled',
    path: 'gateways',
    source: locate(['gateways'], 'key'),
    message: 'no gateway is enabled',
    hint,
  }
}

function apiUnavailable(locate: IssueContext['locate']): Problem {
  return {
    code: 'api-unavailable',
    path: 'api',
    source: locate(['api'], 'key'),
    message: 'this version has no REST API and no dashboard yet; nothing will listen there',
    hint: 'nothing needs to be done, the section is checked and ignored',
  }
}

function implicitNotices(gateways: readonly GatewayInstance[]): string[] {
  return gateways
    .filter(({ enabled, listeners }) => enabled && listeners.length > 0)
    .map(({ name, listeners }) => {
      const places = listeners.map((listener) => `${listener.type} ${formatAddress(listener.host, listener.port)}`).join(', ')
      return `no config file: ${name} listens on ${places} and admits every device without credentials`
    })
}
