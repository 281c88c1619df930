/** Memory of connections that subscribed to one topic each and say nothing: resident size before and after them. */
import { setTimeout as delay } from 'node:timers/promises'
import { rssKb } from '../proc.ts'
import { openConnections } from './connection.ts'
import type { IdleJob, MemoryResult } from './job.ts'

export async function runIdleLoad(job: IdleJob): Promise<MemoryResult> {
  const settleMs = job.settleSeconds * 1000
  await delay(settleMs / 4)
  const baseKb = rssKb(job.serverPid)
  await openConnections(job.port, 'bench-idle', job.clients, { filter: (index) => `dev/${index}/cmd`, qos: 0 })
  await delay(settleMs)
  return { clients: job.clients, baseKb, rssKb: rssKb(job.serverPid) }
}
