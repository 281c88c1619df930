/**
 * A simulated JT/T 808 truck: registers, authenticates, drives through Shanghai, reports where it is, sends heartbeats,
 * shows the messages that are sent to it, and comes back after a lost connection.
 *
 *     node dist/examples/devices/truck.js --port 6207 --phone 013812345678 --interval 1s
 */
import { realpathSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { decodeGbk } from '#bytes/gbk'
import { FrameReader, FrameWriter, type Received, type Version } from './truck/frames.ts'
import { authenticate, isOverspeed, location, register, response } from './truck/messages.ts'
import { Drive, type Point, parseRoute, SHANGHAI } from './truck/route.ts'

export interface TruckOptions {
  readonly host: string
  readonly port: number
  /** 12 digits for 2013, 20 for 2019; shorter ones are padded with zeros on the left. */
  readonly phone: string
  readonly version?: Version
  readonly intervalMs?: number
  /** Stop after so many answered reports; without it the truck drives until `stop`. */
  readonly count?: number
  readonly plate?: string
  readonly route?: readonly Point[]
  readonly log?: (line: string) => void
}

const HEARTBEAT_MS = 30_000
const FIRST_BACKOFF_MS = 500
const LAST_BACKOFF_MS = 30_000
/** A truck that has a number of reports to make gives up after so many connections in a row that failed. */
const MAX_FAILURES = 6
/** With so many reports unanswered the connection is as good as lost. */
const MAX_UNANSWERED = 16

export class Truck {
  /** Reports that the platform has acknowledged. */
  acknowledged = 0
  /** Reports that the platform has refused. */
  refused = 0
  /** The text that was last shown to the driver. */
  lastText: string | undefined = undefined
  /** True: all reports were acknowledged, or `stop` was called; false: some were refused, or the truck gave up. */
  readonly finished: Promise<boolean>
  readonly #options: Required<Omit<TruckOptions, 'count'>> & { readonly count: number }
  readonly #drive: Drive
  readonly #unanswered = new Set<number>()
  #finish: (reached: boolean) => void = () => {}
  #socket: Socket | undefined = undefined
  #writer: FrameWriter
  /** From the registration; kept for the next connections. */
  #code: string | undefined = undefined
  #online = false
  #stopped = false
  #failures = 0
  #timers: NodeJS.Timeout[] = []

  constructor(options: TruckOptions) {
    const { version = options.phone.length > 12 ? '2019' : '2013' } = options
    const phone = options.phone.padStart(version === '2019' ? 20 : 12, '0')
    this.#options = {
      intervalMs: 1000,
      count: Number.POSITIVE_INFINITY,
      plate: '沪A12345',
      route: SHANGHAI,
      log: () => {},
      ...options,
      version,
      phone,
    }
    this.#drive = new Drive(this.#options.route)
    this.#writer = new FrameWriter(phone, version)
    this.finished = new Promise((resolve) => {
      this.#finish = resolve
    })
  }

  get online(): boolean {
    return this.#online
  }

  start(): this {
    this.#connect()
    return this
  }

  stop(): void {
    this.#end(true)
  }

  // ---- connection ----------------------------------------------------------------------------------------------

  #connect(): void {
    const { host, port, phone, version } = this.#options
    const reader = new FrameReader()
    const socket = connect({ host, port })
    this.#socket = socket
    this.#writer = new FrameWriter(phone, version)
    this.#unanswered.clear()
    socket.setNoDelay(true)
    socket.on('connect', () => {
      this.#log(`connected to ${host}:${port}`)
      if (this.#code === undefined) this.#register()
      else this.#authenticate(this.#code)
    })
    socket.on('data', (chunk) => reader.push(chunk, (message) => this.#receive(message)))
    socket.on('error', (error) => this.#log(error.message))
    socket.on('close', () => this.#reconnect())
  }

  #reconnect(): void {
    this.#clearTimers()
    this.#online = false
    if (this.#stopped) return
    this.#failures += 1
    if (this.#failures >= MAX_FAILURES && Number.isFinite(this.#options.count)) {
      this.#log(`gave up after ${this.#failures} connections`)
      this.#end(false)
      return
    }
    const delayMs = Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (this.#failures - 1)) * (0.75 + Math.random() / 2)
    this.#log(`connects again in ${(delayMs / 1000).toFixed(1)} s`)
    this.#timers.push(setTimeout(() => this.#connect(), delayMs))
  }

  #end(reached: boolean): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#online = false
    this.#clearTimers()
    this.#socket?.end()
    this.#finish(reached)
  }

  #clearTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers = []
  }

  // ---- messages ------------------------------------------------------------------------------------------------

  #receive({ id, sn, body }: Received): void {
    switch (id) {
      case 0x8100:
        this.#registered(body.u16(), body.u8(), decodeGbk(body.rest()))
        break
      case 0x8001:
        this.#answered(body.u16(), body.u16(), body.u8())
        break
      case 0x8300:
        if (this.#options.version === '2019') body.skip(2)
        else body.skip(1)
        this.#show(decodeGbk(body.rest()))
        this.#send(0x0001, response(sn, id, 0))
        break
      default:
        this.#log(`does not know message ${id.toString(16).padStart(4, '0')}`)
        this.#send(0x0001, response(sn, id, 3))
    }
  }

  #register(): void {
    this.#send(0x0100, register(this.#options.version, this.#options.plate))
  }

  #registered(_seq: number, result: number, code: string): void {
    if (result !== 0) {
      this.#log(`registration refused: ${result}`)
      this.#socket?.destroy()
      return
    }
    this.#log('registered')
    this.#code = code
    this.#authenticate(code)
  }

  #authenticate(code: string): void {
    this.#send(0x0102, authenticate(this.#options.version, code))
  }

  #answered(seq: number, id: number, result: number): void {
    if (id === 0x0102) this.#admitted(result)
    else if (id === 0x0200 && this.#unanswered.delete(seq)) this.#reported(result)
  }

  #admitted(result: number): void {
    if (result !== 0) {
      this.#log('authentication refused: registers again')
      this.#code = undefined
      this.#socket?.destroy()
      return
    }
    this.#log('authenticated')
    this.#online = true
    this.#failures = 0
    this.#timers.push(
      setInterval(() => this.#report(), this.#options.intervalMs),
      setInterval(() => this.#send(0x0002, new Uint8Array(0)), HEARTBEAT_MS),
    )
    this.#report()
  }

  #report(): void {
    const { count, intervalMs } = this.#options
    if (this.#unanswered.size >= MAX_UNANSWERED) {
      this.#log('the platform does not answer')
      this.#socket?.destroy()
      return
    }
    if (this.acknowledged + this.refused + this.#unanswered.size >= count) return
    const position = this.#drive.advance(intervalMs / 1000)
    this.#unanswered.add(this.#send(0x0200, location(position, new Date())))
    const { lat, lon, speedKmh, headingDeg } = position
    const alarm = isOverspeed(position) ? ' overspeed!' : ''
    this.#log(`at ${lat.toFixed(6)},${lon.toFixed(6)} ${speedKmh.toFixed(1)} km/h ${headingDeg}°${alarm}`)
  }

  #reported(result: number): void {
    if (result === 0) this.acknowledged += 1
    else this.refused += 1
    if (this.acknowledged + this.refused < this.#options.count) return
    this.#log(`${this.acknowledged} reports acknowledged, ${this.refused} refused`)
    this.#end(this.refused === 0)
  }

  #show(text: string): void {
    this.lastText = text
    this.#log(`message: ${text}`)
  }

  /** Returns the serial number. */
  #send(id: number, body: Uint8Array): number {
    const { sn, bytes } = this.#writer.frame(id, body)
    this.#socket?.write(bytes)
    return sn
  }

  #log(line: string): void {
    this.#options.log(`${this.#options.phone} ${line}`)
  }
}

// ---- command line -------------------------------------------------------------------------------------------------

const USAGE = `usage: truck [--host 127.0.0.1] [--port 6207] [--phone 013812345678] [--version 2013|2019]
             [--interval 1s] [--count REPORTS] [--plate 沪A12345] [--route "lat,lon;lat,lon;..."]`

function options(args: string[]): TruckOptions | string {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args,
    options: { host: text, port: text, phone: text, version: text, interval: text, count: text, plate: text, route: text },
  })
  const { host = '127.0.0.1', port = '6207', phone = '013812345678', version, interval = '1s', count, plate, route } = values
  const intervalMs = milliseconds(interval)
  const points = route === undefined ? SHANGHAI : parseRoute(route)
  if (!/^\d{1,5}$/.test(port)) return `--port ${port} is no port`
  if (!/^\d{1,20}$/.test(phone)) return `--phone ${phone} is not 1 to 20 digits`
  if (version !== undefined && version !== '2013' && version !== '2019') return `--version ${version} is neither 2013 nor 2019`
  if (version === '2013' && phone.length > 12) return `--phone ${phone} has more digits than version 2013 takes`
  if (intervalMs === undefined) return `--interval ${interval} is no duration such as 500ms, 1s or 2m`
  if (count !== undefined && !/^[1-9]\d*$/.test(count)) return `--count ${count} is no number of reports`
  if (points === undefined) return '--route takes two or more points: lat,lon;lat,lon'
  return {
    host,
    port: Number(port),
    phone,
    intervalMs,
    route: points,
    log: (line) => console.log(line),
    ...(version !== undefined && { version }),
    ...(count !== undefined && { count: Number(count) }),
    ...(plate !== undefined && { plate }),
  }
}

function milliseconds(text: string): number | undefined {
  const match = /^(\d+)(ms|s|m)$/.exec(text)
  if (match === null || Number(match[1]) === 0) return undefined
  return Number(match[1]) * { ms: 1, s: 1000, m: 60_000 }[match[2] as 'ms' | 's' | 'm']
}

async function main(args: string[]): Promise<number> {
  let parsed: TruckOptions | string
  try {
    parsed = options(args)
  } catch (error) {
    parsed = (error as Error).message
  }
  if (typeof parsed === 'string') {
    console.error(`${parsed}\n${USAGE}`)
    return 2
  }
  const truck = new Truck(parsed).start()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => truck.stop())
  return (await truck.finished) ? 0 : 1
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  process.exitCode = await main(process.argv.slice(2))
}
