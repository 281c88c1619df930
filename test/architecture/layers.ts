/** The layer table: who may import whom. specs/architecture/overview.md explains it to people. */

export interface Area {
  readonly name: string
  /** Files whose path is this, or begins with this and a `/`. */
  readonly paths: readonly string[]
  /** An area may import every area of a lower level. */
  readonly level: number
  /** Neighbours of its own level that it may import as well. */
  readonly also?: readonly string[]
}

export const AREAS: readonly Area[] = [
  { name: 'specs', paths: ['specs'], level: -1 },
  { name: 'sdk', paths: ['src/sdk.ts', 'src/sdk'], level: 0 },
  { name: 'bytes', paths: ['src/bytes'], level: 0, also: ['sdk'] },
  { name: 'stacks', paths: ['src/stacks'], level: 1 },
  { name: 'broker', paths: ['src/broker'], level: 1 },
  { name: 'gateways', paths: ['gateways'], level: 1, also: ['stacks'] },
  { name: 'transport', paths: ['src/transport'], level: 2 },
  { name: 'store', paths: ['src/store'], level: 2 },
  { name: 'auth', paths: ['src/auth'], level: 2 },
  { name: 'config', paths: ['src/config'], level: 2, also: ['transport'] },
  { name: 'observe', paths: ['src/observe'], level: 2 },
  { name: 'runtime', paths: ['src/runtime'], level: 3 },
  { name: 'api', paths: ['src/api'], level: 4 },
  { name: 'rules', paths: ['src/rules'], level: 4 },
  { name: 'connectors', paths: ['src/connectors'], level: 4 },
  { name: 'cluster', paths: ['src/cluster'], level: 4 },
  { name: 'dashboard', paths: ['src/dashboard'], level: 4 },
  { name: 'testing', paths: ['src/testing.ts', 'src/testing'], level: 4 },
  { name: 'main', paths: ['src/main.ts', 'src/cli'], level: 5 },
]

/** Folders that hold no socket, clock, file, process or randomness (law 2). */
export const PURE = ['src/sdk.ts', 'src/sdk', 'src/bytes', 'src/stacks', 'src/broker', 'gateways'] as const

export function areaOf(path: string): Area | undefined {
  return AREAS.find((area) => area.paths.some((own) => path === own || path.startsWith(`${own}/`)))
}

export function mayImport(from: Area, to: Area): boolean {
  return from === to || to.level < from.level || (from.also?.includes(to.name) ?? false)
}
