/**
 * How long the server does nothing else: a connection of its own, on a thread of its own so that a busy generator does
 * not count, sends PINGREQ every 5 ms and waits for the answers.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { benchProgram } from '../project.ts'
import type { LoadResult } from './job.ts'

export type PingTimes = Pick<LoadResult, 'p50Ms' | 'p99Ms' | 'maxMs'>

export class Pings {
  readonly #worker: Worker

  private constructor(worker: Worker) {
    this.#worker = worker
  }

  /** Settles when the first ping is answered. */
  static async start(port: number): Promise<Pings> {
    const worker = new Worker(benchProgram('load/pinger'), { workerData: port })
    await once(worker, 'message')
    return new Pings(worker)
  }

  /** Forgets what was so far. */
  clear(): void {
    this.#worker.postMessage('clear')
  }

  async stop(): Promise<PingTimes> {
    this.#worker.postMessage('stop')
    const [times] = (await once(this.#worker, 'message')) as [PingTimes]
    await this.#worker.terminate()
    return times
  }
}
