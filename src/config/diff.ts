/** What a new config changes, and how much each change disturbs: for a reload and its report. */
import { isDeepStrictEqual } from 'node:util'
import type { ReloadClass } from '../sdk/schema.ts'
import type { EffectiveConfig, GatewayInstance, ListenerConfig } from './effective.ts'
import { type JsonSchema, propertyNames, schemaAt } from './field.ts'
import { brokerJsonSchema, instanceJsonSchema, nodeJsonSchema } from './json-schema.ts'
import { formatPath, isRecord, type Path } from './path.ts'

export interface ConfigDiff {
  /** Of the sections `node` and `broker`. */
  readonly common: readonly CommonChange[]
  readonly gateways: readonly GatewayChange[]
}

export interface CommonChange {
  /** `node.logLevel` */
  readonly path: string
  /** `process` takes a restart of Omnigate. */
  readonly reload: 'live' | 'process'
}

/** Enabled and disabled count as added and removed. Gateways that stay as they are, are left out. */
export type GatewayChange =
  | { readonly kind: 'added'; readonly name: string; readonly next: GatewayInstance }
  | { readonly kind: 'removed'; readonly name: string; readonly previous: GatewayInstance }
  | ChangedGateway

export interface ChangedGateway {
  readonly kind: 'changed'
  readonly name: string
  readonly previous: GatewayInstance
  readonly next: GatewayInstance
  readonly listeners: ListenerChanges
  /** Changed keys other than listeners, common and own: `mountpoint`, `session.maxQueued`, `retransmit.ackTimeout`. */
  readonly keys: readonly string[]
  /** The strongest of what the changes need. */
  readonly reload: ReloadClass
}

export interface ListenerChanges {
  readonly added: readonly ListenerConfig[]
  readonly removed: readonly ListenerConfig[]
  /** Same name, other settings. */
  readonly changed: readonly { readonly previous: ListenerConfig; readonly next: ListenerConfig }[]
}

const STRENGTH: readonly ReloadClass[] = ['live', 'listener', 'gateway']

export function diffConfigs(previous: EffectiveConfig, next: EffectiveConfig): ConfigDiff {
  const before = enabledByName(previous)
  const after = enabledByName(next)
  const gateways: GatewayChange[] = []
  for (const [name, instance] of before) if (!after.has(name)) gateways.push({ kind: 'removed', name, previous: instance })
  for (const [name, instance] of after) {
    const former = before.get(name)
    const change = former === undefined ? ({ kind: 'added', name, next: instance } as const) : diffGateway(former, instance)
    if (change !== undefined) gateways.push(change)
  }
  const common = [
    ...diffSection('node', nodeJsonSchema(), previous.node, next.node),
    ...diffSection('broker', brokerJsonSchema(), previous.broker, next.broker),
  ]
  return { common, gateways }
}

function diffSection(section: string, schema: JsonSchema, previous: object, next: object): CommonChange[] {
  return changedPaths(previous, next, schema, []).map((path) => {
    // Effective names carry the unit: `drainTimeoutMs` is the key `drainTimeout`.
    const key = path.map((step) => String(step).replace(/Ms$/, ''))
    return { path: formatPath([section, ...key]), reload: schemaAt(schema, key)?.['x-reload'] === 'live' ? 'live' : 'process' }
  })
}

function enabledByName(config: EffectiveConfig): Map<string, GatewayInstance> {
  return new Map(config.gateways.filter(({ enabled }) => enabled).map((gateway) => [gateway.name, gateway]))
}

function diffGateway(previous: GatewayInstance, next: GatewayInstance): ChangedGateway | undefined {
  const schema = instanceJsonSchema(next.module)
  const paths = [
    ...changedPaths(common(previous), common(next), schema, []),
    ...changedPaths(previous.own ?? {}, next.own ?? {}, schema, []),
  ]
  const listeners = diffListeners(previous.listeners, next.listeners)
  const hasListenerChanges = listeners.added.length + listeners.removed.length + listeners.changed.length > 0
  const isMended = (previous.fault === undefined) !== (next.fault === undefined)
  if (paths.length === 0 && !hasListenerChanges && !isMended) return undefined
  const classes = paths.map((path) => reloadClassAt(schema, path))
  if (hasListenerChanges) classes.push('listener')
  if (isMended || previous.module !== next.module) classes.push('gateway')
  const reload = STRENGTH[Math.max(...classes.map((one) => STRENGTH.indexOf(one)))] ?? 'gateway'
  return { kind: 'changed', name: next.name, previous, next, listeners, keys: paths.map(formatPath), reload }
}

function common({ use, mountpoint, session }: GatewayInstance): Record<string, unknown> {
  return { use, mountpoint, session }
}

function diffListeners(previous: readonly ListenerConfig[], next: readonly ListenerConfig[]): ListenerChanges {
  const before = new Map(previous.map((listener) => [listener.name, listener]))
  const after = new Map(next.map((listener) => [listener.name, listener]))
  const changed: { previous: ListenerConfig; next: ListenerConfig }[] = []
  for (const listener of next) {
    const former = before.get(listener.name)
    // The place in the file is no setting.
    if (former === undefined || isDeepStrictEqual({ ...former, origin: '' }, { ...listener, origin: '' })) continue
    changed.push({ previous: former, next: listener })
  }
  return {
    added: next.filter(({ name }) => !before.has(name)),
    removed: previous.filter(({ name }) => !after.has(name)),
    changed,
  }
}

/** The innermost keys that differ; looks into maps only as deep as the schema has keys for. */
function changedPaths(previous: unknown, next: unknown, schema: JsonSchema, path: Path): Path[] {
  if (isDeepStrictEqual(previous, next)) return []
  const isOpen = path.length === 0 || propertyNames(schemaAt(schema, path)).length > 0
  if (!isOpen || !isRecord(previous) || !isRecord(next)) return [path]
  const keys = new Set([...Object.keys(previous), ...Object.keys(next)])
  return [...keys].flatMap((key) => changedPaths(previous[key], next[key], schema, [...path, key]))
}

/** The `x-reload` of the key or of the nearest map around it; `gateway` where nobody said. */
function reloadClassAt(schema: JsonSchema, path: Path): ReloadClass {
  for (let depth = path.length; depth > 0; depth--) {
    const found = STRENGTH.find((one) => one === schemaAt(schema, path.slice(0, depth))?.['x-reload'])
    if (found !== undefined) return found
  }
  return 'gateway'
}
