/** The thread of `Pings`: says when the first answer is there, then takes `clear` and `stop`, and answers the latter. */
import { parentPort, workerData } from 'node:worker_threads'
import { Connection } from './connection.ts'
import { Latency } from './latency.ts'
import { PINGREQ, PINGRESP } from './packets.ts'
import type { PingTimes } from './pings.ts'

const INTERVAL_MS = 5

const latency = new Latency()
const connection = await Connection.open(workerData as number, 'bench-ping')
/** When the pings were sent that are not answered. */
const sentMs: number[] = []
let oddBytes = 0
let answered = false

connection.onChunk = (chunk, length) => {
  const nowMs = performance.now()
  for (let at = 0; at < length; at++) {
    if (chunk[at] !== PINGRESP[oddBytes]) throw new Error(`0x${chunk[at]?.toString(16)} where a PINGRESP was due`)
    oddBytes = (oddBytes + 1) % PINGRESP.length
    if (oddBytes === 0) latency.add(nowMs - (sentMs.shift() ?? Number.NaN))
  }
  if (!answered) parentPort?.postMessage('ready')
  answered = true
}

setInterval(() => {
  sentMs.push(performance.now())
  connection.write(PINGREQ)
}, INTERVAL_MS)

parentPort?.on('message', (message: 'clear' | 'stop') => {
  if (message === 'clear') {
    latency.clear()
    return
  }
  // What is not answered yet has waited for so long at least.
  const [oldestMs] = sentMs
  if (oldestMs !== undefined) latency.add(performance.now() - oldestMs)
  const times: PingTimes = { p50Ms: latency.percentile(0.5), p99Ms: latency.percentile(0.99), maxMs: latency.maxMs }
  parentPort?.postMessage(times)
})
