/** The generator process: takes one job from its parent, answers once, and ends; also when the parent is gone. */
import { runIdleLoad } from './idle-load.ts'
import type { Answer, Job } from './job.ts'
import { runMqttLoad } from './mqtt-load.ts'
import { runRetainedLoad } from './retained-load.ts'
import { runIdleTerminals, runTerminalLoad } from './terminal-load.ts'
import { runUdpLoad } from './udp-load.ts'

async function perform(job: Job): Promise<Answer> {
  switch (job.kind) {
    case 'mqtt':
      return { load: await runMqttLoad(job) }
    case 'retained':
      return { load: await runRetainedLoad(job) }
    case 'udp':
      return { load: await runUdpLoad(job) }
    case 'idle':
      return { memory: await runIdleLoad(job) }
    case 'terminals':
      return { load: await runTerminalLoad(job) }
    case 'idle-terminals':
      return { memory: await runIdleTerminals(job) }
  }
}

function answer(message: Answer): void {
  process.send?.(message, () => process.exit(0))
}

function refuse(error: unknown): void {
  answer({ error: error instanceof Error ? error.message : String(error) })
}

// A socket's callback has nobody else to tell: what fails there fails the run.
process.once('uncaughtException', refuse)
process.once('disconnect', () => process.exit(1))
process.once('message', (job: Job) => {
  perform(job).then(answer, refuse)
})
