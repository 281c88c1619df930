/**
 * `npm run bench`: the same workloads against Omnigate and its peers in one session, servers in turn and repeated, since
 * machines are shared and noisy. Every number is per CPU-second of the server process; see README.md.
 */
import { writeFileSync } from 'node:fs'
import { canPin, killChildren } from './child.ts'
import type { Outcome, Pins } from './measure.ts'
import { measure } from './measure.ts'
import type { Options } from './options.ts'
import { parseOptions, USAGE } from './options.ts'
import { allowedCpus } from './proc.ts'
import type { Series } from './report.ts'
import { summarize, table } from './report.ts'
import type { ServerName } from './servers.ts'
import { missingServer, removeFolders } from './servers.ts'
import type { Scale, Workload } from './workloads.ts'
import { FASTEST } from './workloads.ts'

class SeriesInProgress implements Series {
  readonly name: string
  readonly title: string
  readonly server: ServerName
  readonly workload: Workload
  readonly comparedBy: Series['comparedBy']
  readonly outcomes: Outcome[] = []
  error: string | undefined

  constructor(workload: Workload, server: ServerName) {
    this.name = workload.name
    this.title = workload.title
    this.server = server
    this.workload = workload
    this.comparedBy = workload.comparedBy
  }

  async round(scale: Scale, pins: Pins): Promise<void> {
    if (this.error !== undefined) return
    try {
      this.outcomes.push(await measure(this.workload, this.server, scale, pins))
    } catch (error) {
      this.error = error instanceof Error ? error.message : String(error)
      console.error(`  ${this.name} on ${this.server}: ${this.error}`)
    }
  }
}

function choosePins(): Pins {
  const cpus = allowedCpus()
  const [server, generator] = cpus
  if (generator === undefined || !canPin()) {
    console.log('Not pinned: needs taskset and two CPUs. Expect noise.')
    return { server: undefined, generator: undefined }
  }
  console.log(`Servers on CPU ${server}, generator on CPU ${generator}, Node ${process.version}.`)
  return { server, generator }
}

function plan(options: Options): SeriesInProgress[] {
  const missing = new Map(options.servers.map((server) => [server, missingServer(server)]))
  for (const [server, why] of missing) {
    if (why !== undefined) console.log(`Without ${server}: ${why}.`)
  }
  return options.workloads.flatMap((workload) =>
    workload.servers
      .filter((server) => missing.has(server) && missing.get(server) === undefined)
      .map((server) => new SeriesInProgress(workload, server)),
  )
}

/** With a rate where an open loop needs one: half of what Omnigate reaches at most, here and now. */
async function settled({ scale }: Options, all: readonly SeriesInProgress[], pins: Pins): Promise<Scale> {
  if (scale.rate !== undefined || !all.some(({ workload }) => workload.openLoop === true)) return scale
  const outcome = await measure(FASTEST, 'omnigate', scale, pins)
  if (!('load' in outcome)) throw new Error(`${FASTEST.name} measured no load`)
  const rate = Math.round(outcome.load.delivered / outcome.load.seconds / 2)
  console.log(`Open loops at ${rate.toLocaleString('en-US')} messages a second, half of what ${FASTEST.name} reached.`)
  return { ...scale, rate }
}

async function run(options: Options): Promise<boolean> {
  const pins = choosePins()
  const all = plan(options)
  const scale = await settled(options, all, pins)
  for (let round = 1; round <= options.rounds; round++) {
    for (const series of all) {
      console.error(`round ${round}/${options.rounds}  ${series.name}  ${series.server}`)
      await series.round(scale, pins)
    }
  }
  const summary = summarize(all)
  console.log(table(summary))
  if (options.json !== undefined) {
    const rows = summary.map(({ row }) => row)
    writeFileSync(options.json, `${JSON.stringify(rows, undefined, 2)}\n`)
  }
  return all.every((series) => series.error === undefined)
}

function cleanUp(): void {
  killChildren()
  removeFolders()
}

process.once('exit', cleanUp)
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

try {
  if (process.platform !== 'linux') throw new Error('the bench reads /proc: it needs Linux')
  const options = parseOptions(process.argv.slice(2))
  if (options === undefined) console.log(USAGE)
  else process.exitCode = (await run(options)) ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
