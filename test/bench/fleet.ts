/**
 * A fleet of JT/T 808 trucks in one process against the product on one CPU: every truck reports every second, with pictures, stored
 * points and a command each. Nothing may be lost; what the server has left of its CPU is printed.
 *
 *     npm run fleet -- --trucks 10000 --seconds 60
 */
import { realpathSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import mqtt from 'mqtt'
import { Fleet } from '../../examples/devices/truck/fleet.ts'
import { canPin, killChildren } from './child.ts'
import { openConnections } from './load/connection.ts'
import { PublishCounter } from './load/terminal-frames.ts'
import { allowedCpus, cpuSeconds, rssKb } from './proc.ts'
import { type RunningServer, removeFolders, startServer } from './servers.ts'

export interface FleetOptions {
  readonly trucks: number
  /** Reports of each truck; one a second. */
  readonly seconds: number
  /** Every so many reports a picture, and stored points. */
  readonly photos: number
  readonly batches: number
}

export interface FleetResult {
  readonly reports: number
  readonly points: number
  readonly pictures: number
  /** Commands that were answered with success. */
  readonly commands: number
  /** Of one CPU, while all trucks were online. */
  readonly cpuShare: number
  readonly rssKb: number
}

const FIRST_PHONE = 13_900_000_000
/** Stored points of a batch, as the simulated truck sends them. */
const BATCH_POINTS = 3
const INTERVAL_MS = 1000
const ONLINE_MS = 120_000
/** Between two looks at whom to command next. */
const COMMAND_STEP_MS = 100
const ANSWERS_MS = 30_000

function phoneOf(index: number): string {
  return String(FIRST_PHONE + index).padStart(12, '0')
}

/** Rejects when anything is lost, refused or answered twice. */
export async function runFleet(options: FleetOptions): Promise<FleetResult> {
  const [cpu] = allowedCpus()
  const server = await startServer('omnigate', canPin() ? cpu : undefined, { datagrams: undefined, terminals: true })
  try {
    return await drive(server, options)
  } finally {
    await server.stop()
  }
}

async function drive(server: RunningServer, { trucks, seconds, photos, batches }: FleetOptions): Promise<FleetResult> {
  const telemetry = new PublishCounter()
  const [subscriber] = await openConnections(server.tcpPort, 'fleet-sub', 1, {
    filter: () => 'devices/+/up/telemetry',
    qos: 0,
  })
  if (subscriber === undefined) throw new Error('no subscriber')
  subscriber.onChunk = (chunk, length) => telemetry.read(chunk, length)
  const app = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.tcpPort}`, { reconnectPeriod: 0 })
  const fleet = new Fleet(trucks, {
    host: '127.0.0.1',
    port: server.devicePort,
    phone: phoneOf(0),
    intervalMs: INTERVAL_MS,
    count: seconds,
    photos,
    batches,
    // Who has made its reports must not be offline when its command comes.
    stay: true,
  })
  try {
    const responses = await responsesOf(app)
    fleet.start()
    await until('every truck is online', ONLINE_MS, () => fleet.online === trucks)
    const startMs = performance.now()
    const startCpu = cpuSeconds(server.child.pid)
    await command(app, fleet, trucks, seconds)
    const complete = await fleet.finished
    const cpuShare = (cpuSeconds(server.child.pid) - startCpu) / ((performance.now() - startMs) / 1000)
    const points = trucks * Math.floor(seconds / batches) * BATCH_POINTS
    const due = trucks * seconds + points
    await until('every command is answered', ANSWERS_MS, () => responses.ok + responses.failed === trucks)
    await until('everything is published', ANSWERS_MS, () => telemetry.publishes >= due)
    const { acknowledged, refused, photos: pictures } = fleet.totals
    const faults = [
      complete ? undefined : 'a truck gave up',
      acknowledged === trucks * seconds ? undefined : `${acknowledged} reports acknowledged`,
      refused === 0 ? undefined : `${refused} reports refused`,
      pictures === trucks * Math.floor(seconds / photos) ? undefined : `${pictures} pictures acknowledged`,
      responses.failed === 0 ? undefined : `${responses.failed} commands failed: ${responses.failure}`,
      telemetry.publishes === due ? undefined : `${telemetry.publishes} locations where ${due} were due`,
    ].filter((fault) => fault !== undefined)
    if (faults.length > 0) throw new Error(faults.join('; '))
    return { reports: acknowledged, points, pictures, commands: responses.ok, cpuShare, rssKb: rssKb(server.child.pid) }
  } finally {
    fleet.stop()
    subscriber.close()
    await app.endAsync(true)
  }
}

interface Responses {
  ok: number
  failed: number
  failure: string
}

async function responsesOf(app: mqtt.MqttClient): Promise<Responses> {
  const responses = { ok: 0, failed: 0, failure: '' }
  app.on('message', (_topic, payload) => {
    const text = payload.toString()
    if ((JSON.parse(text) as { ok: boolean }).ok) responses.ok++
    else {
      responses.failed++
      responses.failure = text
    }
  })
  await app.subscribeAsync('devices/+/up/response', { qos: 1 })
  return responses
}

/** One message to the driver of each truck, spread over the first half of the run; who is offline gets it when it is back. */
async function command(app: mqtt.MqttClient, fleet: Fleet, trucks: number, seconds: number): Promise<void> {
  const startMs = performance.now()
  let waiting = Array.from({ length: trucks }, (_, index) => index)
  while (waiting.length > 0) {
    const elapsedMs = performance.now() - startMs
    if (elapsedMs > seconds * 1000 + ANSWERS_MS) throw new Error(`${waiting.length} trucks were not online to be commanded`)
    const later = Math.floor(trucks * Math.max(0, 1 - elapsedMs / (seconds * 500)))
    const due = waiting.splice(0, Math.max(0, waiting.length - later))
    for (const index of due.filter((one) => fleet.isOnline(one))) {
      const text = JSON.stringify({ id: String(index), name: 'message', args: { text: '前方拥堵' } })
      app.publish(`devices/${phoneOf(index)}/down/command`, text, { qos: 0 })
    }
    waiting = [...waiting, ...due.filter((one) => !fleet.isOnline(one))]
    await delay(COMMAND_STEP_MS)
  }
}

async function until(what: string, timeoutMs: number, done: () => boolean): Promise<void> {
  const endMs = performance.now() + timeoutMs
  while (!done()) {
    if (performance.now() > endMs) throw new Error(`gave up waiting until ${what}`)
    await delay(20)
  }
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      trucks: { type: 'string', default: '10000' },
      seconds: { type: 'string', default: '60' },
      photos: { type: 'string', default: '20' },
      batches: { type: 'string', default: '10' },
    },
  })
  const options = Object.fromEntries(
    Object.entries(values).map(([name, text]) => [name, Number(text)]),
  ) as unknown as FleetOptions
  for (const [name, value] of Object.entries(options)) {
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a whole number from 1`)
  }
  console.log(`${options.trucks} trucks, one report a second, ${options.seconds} s`)
  const { reports, points, pictures, commands, cpuShare, rssKb: resident } = await runFleet(options)
  console.log(
    `${reports} reports and ${points} stored points published, ${pictures} pictures, ${commands} commands: nothing lost`,
  )
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
  console.log(`server: ${percent(cpuShare)} of one CPU, ${percent(1 - cpuShare)} left; ${Math.round(resident / 1024)} MiB`)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  process.once('exit', () => {
    killChildren()
    removeFolders()
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  await main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  })
}
