/**
 * Distinct retained topics: published with QoS 1 by one connection, a window at a time, then answered to one subscriber
 * of all. Both are counted; the pings in between tell how long the server did nothing else.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { cpuSeconds, rssKb } from '../proc.ts'
import { AckCounter } from './ack-counter.ts'
import { Connection } from './connection.ts'
import type { LoadResult, RetainedJob } from './job.ts'
import { publishHeader, publishPacket, subackPacket, subscribePacket } from './packets.ts'
import { Pings } from './pings.ts'
import { blankPayload } from './stamp.ts'

/** Unacknowledged publishes, in writes of `BURST`. */
const WINDOW = 1000
const BURST = 100
/** One level holds them all: `state/0000042/up`. */
const DIGITS = 7
/** For all of it. */
const STALL_MS = 60_000
const SURPLUS_MS = 200

export async function runRetainedLoad(job: RetainedJob): Promise<LoadResult> {
  const pings = await Pings.start(job.port)
  const publisher = await Connection.open(job.port, 'bench-pub')
  const subscriber = await Connection.open(job.port, 'bench-sub')
  pings.clear()
  const startMs = performance.now()
  const serverBefore = cpuSeconds(job.serverPid)
  const generatorBefore = process.cpuUsage()
  await publishAll(publisher, job.topics)
  await receiveAll(subscriber, job.topics)
  const seconds = (performance.now() - startMs) / 1000
  const generator = process.cpuUsage(generatorBefore)
  return {
    delivered: job.topics,
    seconds,
    serverCpuSeconds: cpuSeconds(job.serverPid) - serverBefore,
    generatorCpuSeconds: (generator.user + generator.system) / 1e6,
    ...(await pings.stop()),
    rssKb: rssKb(job.serverPid),
  }
}

function topicOf(index: number): string {
  return `state/${String(index).padStart(DIGITS, '0')}/up`
}

async function publishAll(publisher: Connection, topics: number): Promise<void> {
  const acknowledged = new AckCounter()
  const payload = blankPayload()
  let sent = 0
  const fill = () => {
    while (sent < topics && sent - acknowledged.acks <= WINDOW - BURST && !publisher.blocked) {
      const until = Math.min(topics, sent + BURST)
      const frames: Buffer[] = []
      for (; sent < until; sent++) frames.push(publishPacket(topicOf(sent), 1, (sent % WINDOW) + 1, payload, true))
      publisher.write(Buffer.concat(frames))
    }
  }
  publisher.onChunk = (chunk, length) => {
    acknowledged.read(chunk, length)
    fill()
  }
  fill()
  await reached('acknowledged', topics, () => acknowledged.acks)
}

/** All frames have one length, and the first octets of each are checked. */
async function receiveAll(subscriber: Connection, topics: number): Promise<void> {
  const suback = subackPacket(0)
  const frameBytes = publishPacket(topicOf(0), 0, 0, blankPayload(), true).length
  let bytes = 0
  subscriber.onChunk = (chunk, length) => {
    let at = 0
    for (; at < length && bytes < suback.length; at++, bytes++) {
      if (chunk[at] !== suback[bytes]) throw new Error('no SUBACK as it was due')
    }
    if (at === length) return
    const into = (bytes - suback.length) % frameBytes
    for (let frame = into === 0 ? at : at + frameBytes - into; frame < length; frame += frameBytes) {
      if (chunk[frame] !== publishHeader(0, true)) throw new Error('something else than a retained message')
    }
    bytes += length - at
  }
  subscriber.write(subscribePacket('state/#', 0))
  await reached('received', topics, () => Math.floor((bytes - suback.length) / frameBytes))
  await delay(SURPLUS_MS)
  if (bytes !== suback.length + topics * frameBytes) throw new Error(`more than ${topics} retained messages`)
}

async function reached(what: string, goal: number, count: () => number): Promise<void> {
  const endMs = performance.now() + STALL_MS
  while (count() < goal) {
    if (performance.now() > endMs) throw new Error(`${count()} of ${goal} ${what} after ${STALL_MS / 1000} s`)
    await delay(5)
  }
}
