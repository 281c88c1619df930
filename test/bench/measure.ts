/** One measurement: a fresh server, one generator process, one answer, and both processes gone. */
import { Child } from './child.ts'
import type { Answer, Job, LoadResult, MemoryResult } from './load/job.ts'
import { benchProgram } from './project.ts'
import type { ServerName } from './servers.ts'
import { startServer } from './servers.ts'
import type { Alone, Scale, Workload } from './workloads.ts'

/** For handshakes, settling and draining, on top of the seconds of the job. */
const GENERATOR_MS = 120_000

const PROGRAM_MS = 300_000

/** CPUs of the two sides; undefined leaves it to the system. */
export interface Pins {
  readonly server: number | undefined
  readonly generator: number | undefined
}

export type Outcome = { readonly load: LoadResult } | { readonly memory: MemoryResult }

export async function measure(workload: Workload, serverName: ServerName, scale: Scale, pins: Pins): Promise<Outcome> {
  const { job } = workload
  if (job === undefined) return measureAlone(workload, scale, pins)
  const server = await startServer(serverName, pins.server, {
    datagrams: workload.datagrams,
    terminals: workload.terminals === true,
  })
  try {
    const outcome = await generate(job(server, scale, serverName), pins, scale)
    if (!server.child.alive) throw new Error(`${serverName} ended: ${server.child.output}`)
    return outcome
  } catch (error) {
    if (server.child.output !== '') console.error(`  ${serverName} printed: ${server.child.output}`)
    throw error
  } finally {
    await server.stop()
  }
}

async function generate(job: Job, pins: Pins, scale: Scale): Promise<Outcome> {
  const generator = Child.start({
    file: process.execPath,
    args: [...process.execArgv, benchProgram('load/main')],
    cpu: pins.generator,
    channel: true,
  })
  try {
    let answer: Answer | undefined
    generator.process.once('message', (message) => {
      answer = message as Answer
    })
    generator.process.send(job)
    await generator.until('an answer of the generator', GENERATOR_MS + scale.seconds * 1000, () => answer !== undefined)
    if (answer === undefined) throw new Error('the generator did not answer')
    return opened(answer)
  } finally {
    await generator.stop()
  }
}

function opened(answer: Answer): Outcome {
  if ('error' in answer) throw new Error(answer.error)
  return answer
}

/** A program that is server and load in one. */
async function measureAlone({ program: [name, ...args], clients }: Alone, scale: Scale, pins: Pins): Promise<Outcome> {
  const count = clients?.(scale) ?? scale.virtualClients
  const child = Child.start({
    file: process.execPath,
    args: [...process.execArgv, '--expose-gc', benchProgram(name), String(count), ...args, String(scale.seconds)],
    cpu: pins.server,
  })
  try {
    await child.until(`the answer of ${name}`, PROGRAM_MS, () => child.output.endsWith('}'))
    const result = JSON.parse(child.output) as MemoryResult | LoadResult
    return 'delivered' in result ? { load: result } : { memory: result }
  } finally {
    await child.stop()
  }
}
