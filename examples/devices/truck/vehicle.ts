/**
 * One simulated JT/T 808 truck: registers, authenticates, drives, reports where it is, raises alarms, sends heartbeats,
 * pictures and batches, answers what it is asked, and comes back after a lost connection.
 */
import { connect, type Socket } from 'node:net'
import { decodeGbk } from '#bytes/gbk'
import type { Reader } from '#bytes/reader'
import { Writer } from '#bytes/writer'
import { Cabin, general, type Reply } from './cabin.ts'
import { type Framed, FrameReader, FrameWriter, type Received, type Version } from './frames.ts'
import { authenticate, batch, isOverspeed, location, photo, register } from './messages.ts'
import { Drive, type Point, type Position, SHANGHAI } from './route.ts'
import { Uploads } from './uploads.ts'

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
  /** A picture, a batch of stored points, an emergency alarm: every so many reports; absent never. */
  readonly photos?: number
  readonly batches?: number
  readonly alarms?: number
  /** Reports before the first that those turns count from, so that the trucks of a fleet do not take theirs at once. */
  readonly phase?: number
  /** Stay online after the last report until `stop`. */
  readonly stay?: boolean
  readonly log?: (line: string) => void
}

const HEARTBEAT_MS = 30_000
/** Points of a batch. */
const BATCH_POINTS = 3
/** Command of 0x8105. */
const RESET = 4
/** Why a picture was taken (table 80). */
const BY_COMMAND = 0
const BY_TIMER = 1
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
  /** Pictures that the platform has acknowledged. */
  photosAcknowledged = 0
  /** The text that was last shown to the driver. */
  lastText: string | undefined = undefined
  /** True: all reports were acknowledged, or `stop` was called; false: some were refused, or the truck gave up. */
  readonly finished: Promise<boolean>
  readonly #options: Required<TruckOptions>
  readonly #drive: Drive
  readonly #unanswered = new Set<number>()
  readonly #batches = new Set<number>()
  readonly #uploads = new Uploads()
  readonly #cabin: Cabin
  #position: Position
  #sent = 0
  #mediaId = 0
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
      photos: Number.POSITIVE_INFINITY,
      batches: Number.POSITIVE_INFINITY,
      alarms: Number.POSITIVE_INFINITY,
      phase: 0,
      stay: false,
      log: () => {},
      ...options,
      version,
      phone,
    }
    this.#drive = new Drive(this.#options.route)
    this.#position = this.#drive.advance(0)
    this.#cabin = new Cabin(version)
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
    this.#batches.clear()
    this.#uploads.clear()
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
      case 0x8800:
        this.#mediaAnswered(body.u32(), body.remaining > 0 ? words(body, body.u8()) : [])
        break
      case 0x8003:
        this.#sendFrames(this.#uploads.parts(body.u16(), words(body, this.#options.version === '2019' ? body.u16() : body.u8())))
        break
      case 0x8201:
        this.#reply({ id: 0x0201, body: new Writer().u16(sn).put(location(this.#position, new Date())).finish() })
        break
      case 0x8801:
        this.#shoot(sn)
        break
      case 0x8105:
        this.#reply(general(sn, id, 0))
        if (body.u8() === RESET) this.#socket?.end()
        break
      default: {
        if (id === 0x8300) this.#show(body)
        const reply = this.#cabin.answer(id, sn, body)
        if (reply !== undefined) this.#reply(reply)
      }
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
    else if (id === 0x0704 && this.#batches.delete(seq)) this.#endIfDone()
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
    const { count, intervalMs, photos, batches, alarms } = this.#options
    if (this.#unanswered.size >= MAX_UNANSWERED) {
      this.#log('the platform does not answer')
      this.#socket?.destroy()
      return
    }
    if (this.acknowledged + this.refused + this.#unanswered.size >= count) return
    const position = this.#drive.advance(intervalMs / 1000)
    this.#position = position
    this.#sent += 1
    this.#unanswered.add(this.#send(0x0200, location(position, new Date(), this.#isTurn(alarms))))
    if (this.#isTurn(batches)) this.#batches.add(this.#send(0x0704, this.#storedPoints()))
    if (this.#isTurn(photos)) this.#sendPhoto(BY_TIMER)
    const { lat, lon, speedKmh, headingDeg } = position
    const alarm = isOverspeed(position) ? ' overspeed!' : ''
    this.#log(`at ${lat.toFixed(6)},${lon.toFixed(6)} ${speedKmh.toFixed(1)} km/h ${headingDeg}°${alarm}`)
  }

  #reported(result: number): void {
    if (result === 0) this.acknowledged += 1
    else this.refused += 1
    this.#endIfDone()
  }

  /** The truck has made its reports, and all that it sent is answered. */
  #endIfDone(): void {
    if (this.acknowledged + this.refused < this.#options.count) return
    if (this.#batches.size > 0 || this.#uploads.pending > 0) return
    this.#log(`${this.acknowledged} reports acknowledged, ${this.refused} refused`)
    if (this.#options.stay) this.#finish(this.refused === 0)
    else this.#end(this.refused === 0)
  }

  #isTurn(every: number): boolean {
    return (this.#sent + this.#options.phase) % every === 0
  }

  #storedPoints(): Uint8Array {
    const now = Date.now()
    return batch(
      Array.from({ length: BATCH_POINTS }, (_, i) => location(this.#position, new Date(now - (BATCH_POINTS - i) * 1000))),
    )
  }

  // ---- pictures ------------------------------------------------------------------------------------------------

  /** 0x8801: answers with the number of the picture, then sends it. */
  #shoot(sn: number): void {
    this.#reply({
      id: 0x0805,
      body: new Writer()
        .u16(sn)
        .u8(0)
        .u16(1)
        .u32(this.#mediaId + 1)
        .finish(),
    })
    this.#sendPhoto(BY_COMMAND)
  }

  #sendPhoto(cause: 0 | 1): void {
    this.#mediaId += 1
    const frames = this.#writer.parts(0x0801, photo(this.#mediaId, cause, location(this.#position, new Date())))
    this.#uploads.add(frames, this.#mediaId)
    this.#sendFrames(frames)
  }

  #mediaAnswered(mediaId: number, missing: readonly number[]): void {
    const answer = this.#uploads.media(mediaId, missing)
    if (answer === undefined) return
    if (answer !== true) {
      this.#sendFrames(answer)
      return
    }
    this.photosAcknowledged += 1
    this.#log(`picture ${mediaId} acknowledged`)
    this.#endIfDone()
  }

  // ---- cabin ---------------------------------------------------------------------------------------------------

  #show(body: Reader): void {
    const bytes = body.bytes.subarray(body.offset + (this.#options.version === '2019' ? 2 : 1), body.offset + body.remaining)
    this.lastText = decodeGbk(bytes)
    this.#log(`message: ${this.lastText}`)
  }

  #reply({ id, body }: Reply): void {
    this.#send(id, body)
  }

  #sendFrames(frames: readonly Framed[]): void {
    this.#socket?.write(Buffer.concat(frames.map(({ bytes }) => bytes)))
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

function words(body: Reader, count: number): number[] {
  return Array.from({ length: count }, () => body.u16())
}
