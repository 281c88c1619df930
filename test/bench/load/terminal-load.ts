/**
 * Terminals that report where they are: each sends a report, waits for the general response, and sends the next. With a gateway,
 * a report has arrived when it is answered and an MQTT subscriber has its JSON; with a server that only answers, when it is answered.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { rssKb } from '../proc.ts'
import { ClosedLoop, type Workload } from './closed-loop.ts'
import { openConnections } from './connection.ts'
import type { IdleTerminalsJob, LoadResult, MemoryResult, TerminalJob } from './job.ts'
import { Latency } from './latency.ts'
import { authentication, PublishCounter, ResponseCounter, reports } from './terminal-frames.ts'

const SETTLE_MS = 200
const FIRST_PHONE = 13_800_000_000
/** Connections that authenticate at once. */
const HANDSHAKES = 128

function phoneOf(index: number): string {
  return String(FIRST_PHONE + index).padStart(12, '0')
}

class Terminal {
  readonly socket: Socket
  readonly #counter = new ResponseCounter()
  readonly #reports: readonly Buffer[]
  #next = 0
  sentAtMs = 0
  waiting = false

  constructor(socket: Socket, reports: readonly Buffer[], onResponse: (terminal: Terminal) => void) {
    this.socket = socket
    this.#reports = reports
    socket.on('data', (chunk) => {
      const before = this.#counter.responses
      this.#counter.read(chunk, chunk.length)
      if (this.#counter.responses === before) return
      this.waiting = false
      onResponse(this)
    })
    socket.on('close', () => {
      throw new Error('the platform closed a connection')
    })
  }

  report(nowMs: number): void {
    this.waiting = true
    this.sentAtMs = nowMs
    this.socket.write(this.#reports[this.#next] as Buffer)
    this.#next = (this.#next + 1) % this.#reports.length
  }
}

class TerminalLoad implements Workload {
  readonly latency = new Latency()
  readonly #publishes: PublishCounter | undefined
  readonly terminals: Terminal[] = []
  #sent = 0
  #answered = 0

  constructor(publishes: PublishCounter | undefined) {
    this.#publishes = publishes
  }

  onResponse(terminal: Terminal): void {
    this.#answered++
    this.latency.add(performance.now() - terminal.sentAtMs)
  }

  delivered(): number {
    return Math.min(this.#answered, this.#publishes?.publishes ?? this.#answered)
  }

  due(): number {
    return this.#sent
  }

  complete(): boolean {
    return this.delivered() === this.#sent
  }

  fill(nowMs: number): boolean {
    for (const terminal of this.terminals) {
      if (terminal.waiting) continue
      terminal.report(nowMs)
      this.#sent++
    }
    return true
  }
}

/** A terminal's connection after its authentication was answered. */
async function openTerminal(port: number, index: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  await once(socket, 'connect')
  const answered = new ResponseCounter()
  socket.write(authentication(phoneOf(index)))
  while (answered.responses === 0) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    answered.read(chunk, chunk.length)
  }
  return socket
}

async function openTerminals(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = new Array(count)
  let next = 0
  const opener = async () => {
    while (next < count) {
      const index = next++
      sockets[index] = await openTerminal(port, index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(HANDSHAKES, count) }, opener))
  return sockets
}

export async function runTerminalLoad(job: TerminalJob): Promise<LoadResult> {
  const publishes = job.mqttPort === undefined ? undefined : new PublishCounter()
  const load = new TerminalLoad(publishes)
  const loop = new ClosedLoop(load)
  if (job.mqttPort !== undefined) {
    const [subscriber] = await openConnections(job.mqttPort, 'bench-sub', 1, {
      filter: () => 'devices/+/up/telemetry',
      qos: 0,
    })
    if (subscriber === undefined) throw new Error('no subscriber')
    subscriber.onChunk = (chunk, length) => {
      publishes?.read(chunk, length)
      loop.wake()
    }
  }
  const sockets = await openTerminals(job.devicePort, job.terminals)
  for (const [index, socket] of sockets.entries()) {
    load.terminals.push(
      new Terminal(socket, reports(phoneOf(index)), (terminal) => {
        load.onResponse(terminal)
        loop.wake()
      }),
    )
  }
  await delay(SETTLE_MS)
  await loop.measure(job.serverPid, job.warmSeconds)
  return loop.measure(job.serverPid, job.seconds)
}

/** Memory of terminals that have authenticated and say nothing. */
export async function runIdleTerminals(job: IdleTerminalsJob): Promise<MemoryResult> {
  const settleMs = job.settleSeconds * 1000
  await delay(settleMs / 4)
  const baseKb = rssKb(job.serverPid)
  await openTerminals(job.devicePort, job.clients)
  await delay(settleMs)
  return { clients: job.clients, baseKb, rssKb: rssKb(job.serverPid) }
}
