/**
 * Drives a workload in a closed loop: fill the window, wait for what arrives, fill again, once per turn of the event
 * loop; at the end stop sending and wait for the rest. Nothing may be lost: a loop that stands still is an error.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { cpuSeconds, rssKb } from '../proc.ts'
import type { LoadResult } from './job.ts'
import type { Latency } from './latency.ts'

/** Longer than any pause of a server that is merely busy on a shared machine. */
const STALL_MS = 10_000
const STALL_CHECK_MS = 500

/** How long to look for messages that should not come. */
const SURPLUS_MS = 100

export interface Workload {
  readonly latency: Latency
  /** A phase begins, or is over. */
  begin?(nowMs: number): void
  end?(): void
  /** Sends as much as the window allows; false when it can never send again. */
  fill(nowMs: number): boolean
  /** Messages delivered so far; counts up over the whole life of the workload. */
  delivered(): number
  /** Messages that should be delivered by now, once everything has arrived. */
  due(): number
  /** True when everything sent was delivered and acknowledged. */
  complete(): boolean
}

export class ClosedLoop {
  readonly #workload: Workload
  #scheduled = false
  #sending = false
  #stopAtMs = 0
  #finish: (() => void) | undefined

  constructor(workload: Workload) {
    this.#workload = workload
  }

  /** Something arrived: take a turn after all other events of this poll. */
  readonly wake = (): void => {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#turn)
  }

  /** Loads the server for a while and measures it. `delivered` of the result is complete or this rejects. */
  async measure(serverPid: number, seconds: number): Promise<LoadResult> {
    const workload = this.#workload
    workload.latency.clear()
    const deliveredBefore = workload.delivered()
    const generatorBefore = process.cpuUsage()
    const serverBefore = cpuSeconds(serverPid)
    const startMs = performance.now()
    workload.begin?.(startMs)
    await this.#run(startMs + seconds * 1000)
    const elapsedSeconds = (performance.now() - startMs) / 1000
    const serverCpuSeconds = cpuSeconds(serverPid) - serverBefore
    const generator = process.cpuUsage(generatorBefore)
    workload.end?.()
    const delivered = workload.delivered() - deliveredBefore
    await delay(SURPLUS_MS)
    if (workload.delivered() !== workload.due()) {
      throw new Error(`delivered ${workload.delivered()} messages where ${workload.due()} were due`)
    }
    return {
      delivered,
      seconds: elapsedSeconds,
      serverCpuSeconds,
      generatorCpuSeconds: (generator.user + generator.system) / 1e6,
      p50Ms: workload.latency.percentile(0.5),
      p99Ms: workload.latency.percentile(0.99),
      maxMs: workload.latency.maxMs,
      rssKb: rssKb(serverPid),
    }
  }

  #run(stopAtMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let seen = this.#workload.delivered()
      let seenAtMs = performance.now()
      const watch = setInterval(() => {
        const delivered = this.#workload.delivered()
        const nowMs = performance.now()
        if (delivered !== seen) {
          seen = delivered
          seenAtMs = nowMs
        } else if (nowMs - seenAtMs > STALL_MS) {
          clearInterval(watch)
          this.#finish = undefined
          reject(
            new Error(`lost messages: delivered ${delivered} of ${this.#workload.due()}, then nothing for ${STALL_MS / 1000} s`),
          )
        }
      }, STALL_CHECK_MS)
      this.#finish = () => {
        clearInterval(watch)
        resolve()
      }
      this.#stopAtMs = stopAtMs
      this.#sending = true
      this.wake()
    })
  }

  readonly #turn = (): void => {
    this.#scheduled = false
    const nowMs = performance.now()
    if (this.#sending) this.#sending = nowMs < this.#stopAtMs && this.#workload.fill(nowMs)
    if (!this.#sending && this.#workload.complete()) {
      this.#finish?.()
      this.#finish = undefined
    }
  }
}
