/** One gateway's section: the common keys checked here, the rest by the gateway's own schema. */
import type { GatewayModule, Validated } from '../sdk.ts'
import type { GatewayFault, GatewayInstance } from './effective.ts'
import { firstLine, type Problem } from './errors.ts'
import { propertyNames } from './field.ts'
import { type IssueContext, toProblems, unknownKey } from './issues.ts'
import { instanceJsonSchema } from './json-schema.ts'
import { buildListeners, type ListenersResult, type PlacedListener, type RawListener } from './listeners.ts'
import type { LoadedModule } from './modules.ts'
import { formatPath } from './path.ts'
import { INSTANCE_KEYS, instanceSchema, listenerSchema, PLACEHOLDERS } from './schema.ts'
import type { Section } from './sections.ts'

/** A disabled section has no module: its own keys are not looked at. */
export interface SectionContext extends Section {
  /** Directory that paths in the config are relative to. */
  readonly directory: string
  readonly locate: IssueContext['locate']
}

export interface SectionResult {
  /** Undefined when there are problems. */
  readonly instance: GatewayInstance | undefined
  /** Of an enabled gateway: those that are right, even when other things are not. */
  readonly listeners: readonly PlacedListener[]
  readonly problems: readonly Problem[]
}

export async function buildInstance(section: SectionContext): Promise<SectionResult> {
  const { name, use, data, loaded, directory, locate } = section
  const base = ['gateways', name]
  const context: IssueContext = { base, schema: instanceJsonSchema(loaded?.module), input: data, locate }
  const problems: Problem[] = []

  const common = Object.fromEntries(Object.entries(data).filter(([key, value]) => INSTANCE_KEYS.includes(key) && value !== null))
  const parsed = instanceSchema.safeParse(common)
  if (!parsed.success) problems.push(...toProblems(parsed.error.issues, context))
  problems.push(...mountpointProblems(data['mountpoint'], context))

  const { module, fault } = loaded ?? {}
  let own: unknown
  if (module !== undefined) {
    const checked = await validateOwn(module, data, context)
    problems.push(...checked.problems)
    own = checked.value
  }
  const listeners =
    module === undefined
      ? NO_LISTENERS
      : buildListeners(wellFormed(common['listeners']), { module, base: [...base, 'listeners'], directory, locate })
  problems.push(...listeners.problems)
  if (module !== undefined && common['listeners'] === undefined && listeners.listeners.length === 0) {
    const at = [...base, 'listeners']
    const message = `${module.name} has no standard listener that works without certificates`
    problems.push({
      code: 'config-missing-value',
      path: formatPath(at),
      source: locate(at, 'key'),
      message,
      hint: 'add `listeners`',
    })
  }
  if (!parsed.success || problems.length > 0) return { instance: undefined, listeners: listeners.listeners, problems }
  const { enabled, mountpoint, session } = parsed.data
  const instance: GatewayInstance = {
    name,
    use,
    enabled,
    module,
    fault: fault === undefined ? undefined : toFault(fault),
    mountpoint,
    session,
    listeners: listeners.listeners.map(({ listener }) => listener),
    own,
  }
  return { instance, listeners: listeners.listeners, problems }
}

const NO_LISTENERS: ListenersResult = { listeners: [], problems: [] }

/** What the schema of a listener accepts; the others have been complained about. */
function wellFormed(written: unknown): (RawListener | undefined)[] | undefined {
  if (written === undefined) return undefined
  return Array.isArray(written) ? written.map((one) => listenerSchema.safeParse(one).data) : []
}

function toFault({ code, message, hint }: NonNullable<LoadedModule['fault']>): GatewayFault {
  return { code, reason: message, hint }
}

async function validateOwn(
  module: GatewayModule,
  data: Readonly<Record<string, unknown>>,
  context: IssueContext,
): Promise<{ value: unknown; problems: Problem[] }> {
  const input = Object.fromEntries(Object.entries(data).filter(([key]) => !INSTANCE_KEYS.includes(key)))
  let result: Validated<unknown>
  try {
    result = await module.config['~standard'].validate(input)
  } catch (error) {
    const path = formatPath(context.base)
    const message = `the config schema of ${module.name} failed: ${firstLine(error)}`
    const hint = 'report it to the author of this gateway'
    return {
      value: undefined,
      problems: [{ code: 'gateway-manifest-invalid', path, source: context.locate(context.base, 'key'), message, hint }],
    }
  }
  if (result.issues === undefined) return { value: result.value, problems: unknownToSchema(input, context) }
  return { value: undefined, problems: toProblems(result.issues, context) }
}

/** Keys that a lenient schema let pass, although its own JSON Schema says that there are none such. */
function unknownToSchema(input: Record<string, unknown>, context: IssueContext): Problem[] {
  if (context.schema?.['additionalProperties'] !== false) return []
  const known = propertyNames(context.schema)
  return Object.keys(input)
    .filter((key) => !known.includes(key))
    .map((key) => unknownKey([key], context))
}

function mountpointProblems(mountpoint: unknown, { base, locate }: IssueContext): Problem[] {
  if (typeof mountpoint !== 'string') return []
  const at = [...base, 'mountpoint']
  const place = { code: 'config-invalid-value', path: formatPath(at), source: locate(at, 'value') } as const
  const problems: Problem[] = []
  for (const [reference, name = ''] of mountpoint.matchAll(/\$\{([^}]*)\}/g)) {
    if (PLACEHOLDERS.includes(name)) continue
    const hint = `use ${PLACEHOLDERS.map((placeholder) => `\${${placeholder}}`).join(', ')}`
    problems.push({ ...place, message: `a mountpoint has no placeholder ${reference}`, hint })
  }
  if (/[+#\0]/.test(mountpoint)) {
    problems.push({ ...place, message: 'a mountpoint holds no wildcard', hint: 'leave out + and #' })
  }
  return problems
}
