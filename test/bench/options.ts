/** The command line of the bench. */
import { parseArgs } from 'node:util'
import type { ServerName } from './servers.ts'
import { SERVER_NAMES } from './servers.ts'
import type { Scale, Workload } from './workloads.ts'
import { FULL, QUICK, WORKLOADS } from './workloads.ts'

export const USAGE = `npm run bench -- [options]

  --quick             one short round, fewer clients: a smoke test
  --only NAME,...     these workloads only: ${WORKLOADS.map((workload) => workload.name).join(' ')}
  --servers NAME,...  these servers only: ${SERVER_NAMES.join(' ')}
  --rounds N          repeat N times and report medians (default 3, quick 1)
  --clients N         virtual and sleeping clients (default ${FULL.virtualClients}, quick ${QUICK.virtualClients})
  --seconds S         measured seconds of each load (default ${FULL.seconds}, quick ${QUICK.seconds})
  --rate N            messages a second of open loops (default half of what Omnigate reaches)
  --json FILE         write the rows as JSON
  --help
`

export interface Options {
  readonly workloads: readonly Workload[]
  readonly servers: readonly ServerName[]
  readonly rounds: number
  readonly scale: Scale
  readonly json: string | undefined
}

/** Undefined asks for the usage. Throws what the user has to correct. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      servers: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      clients: { type: 'string' },
      rate: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const scale = values.quick ? QUICK : FULL
  return {
    workloads: chosen('--only', values.only, WORKLOADS, (workload) => workload.name),
    servers: chosen('--servers', values.servers, SERVER_NAMES, (name) => name),
    rounds: positive('--rounds', values.rounds, values.quick ? 1 : 3, Number.isInteger),
    scale: {
      ...scale,
      seconds: positive('--seconds', values.seconds, scale.seconds, Number.isFinite),
      virtualClients: positive('--clients', values.clients, scale.virtualClients, Number.isInteger),
      rate: values.rate === undefined ? undefined : positive('--rate', values.rate, 0, Number.isFinite),
    },
    json: values.json,
  }
}

function chosen<T>(option: string, list: string | undefined, all: readonly T[], nameOf: (item: T) => string): readonly T[] {
  if (list === undefined) return all
  const names = list.split(',')
  const known = all.map(nameOf)
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`${option}: unknown ${unknown.join(', ')}; there are ${known.join(', ')}`)
  return all.filter((item) => names.includes(nameOf(item)))
}

function positive(option: string, text: string | undefined, fallback: number, valid: (value: number) => boolean): number {
  if (text === undefined) return fallback
  const value = Number(text)
  if (!valid(value) || value <= 0) throw new Error(`${option}: ${text} is not a positive number`)
  return value
}
