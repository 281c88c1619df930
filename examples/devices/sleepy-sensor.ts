/**
 * A simulated battery sensor that speaks MQTT-SN: it connects, reports a temperature, and sleeps. When it wakes it takes
 * what was said to it meanwhile, answers commands, reports again, and goes back to sleep.
 *
 *     node dist/examples/devices/sleepy-sensor.js --port 1884 --id shed-3 --interval 10s
 */
import { createSocket, type Socket } from 'node:dgram'
import { realpathSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import * as sn from './sleepy-sensor/messages.ts'

export interface SensorOptions {
  readonly host: string
  readonly port: number
  readonly id: string
  /** Between two reports; the sensor sleeps for most of it. */
  readonly intervalMs?: number
  /** Stop after so many acknowledged reports; without it the sensor reports until `stop`. */
  readonly count?: number
  readonly log?: (line: string) => void
}

const RETRY_MS = 2000
/** Repetitions of one request; after that the sensor begins anew with CONNECT. */
const ATTEMPTS = 5
/** Beginnings in a row that failed, for a sensor that has a number of reports to make. */
const MAX_FAILURES = 5
const KEEP_ALIVE_S = 30

class Unanswered extends Error {}

/** A request that waits for its answer. */
interface Request {
  readonly answer: number
  readonly messageId: number | undefined
  readonly resolve: (body: Buffer) => void
  readonly reject: (error: Error) => void
}

export class SleepySensor {
  /** Reports that the gateway has acknowledged. */
  acknowledged = 0
  /** Commands that were answered. */
  commands = 0
  readonly finished: Promise<boolean>
  readonly #options: Required<SensorOptions>
  #finish: (reached: boolean) => void = () => {}
  #socket: Socket | undefined = undefined
  #request: Request | undefined = undefined
  #messageId = 0
  #topics = new Map<string, number>()
  #responses: string[] = []
  #lastCommand = 0
  #stopped = false
  #wakeEarly: () => void = () => {}

  constructor(options: SensorOptions) {
    this.#options = { intervalMs: 10_000, count: Number.POSITIVE_INFINITY, log: () => {}, ...options }
    this.finished = new Promise((resolve) => {
      this.#finish = resolve
    })
  }

  start(): this {
    void this.#run()
    return this
  }

  stop(): void {
    this.#stopped = true
    this.#request?.reject(new Unanswered('stopped'))
    this.#wakeEarly()
  }

  // ---- its life ------------------------------------------------------------------------------------------------

  async #run(): Promise<void> {
    let failures = 0
    while (!this.#stopped && this.acknowledged < this.#options.count && failures < MAX_FAILURES) {
      try {
        await this.#begin()
        failures = 0
        await this.#live()
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error
        this.#log(error.message)
        if (Number.isFinite(this.#options.count)) failures++
      }
    }
    this.#socket?.send(sn.disconnect(), () => this.#socket?.close())
    this.#finish(this.#stopped || this.acknowledged >= this.#options.count)
  }

  /** A new socket each time, as after a reset: the gateway knows the sensor by its name. */
  async #begin(): Promise<void> {
    this.#socket?.close()
    const { host, port, id } = this.#options
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    this.#socket = socket
    socket.on('error', (error) => this.#request?.reject(new Unanswered(error.message)))
    socket.on('message', (datagram) => this.#hear(datagram))
    await new Promise<void>((resolve) => socket.connect(port, host, resolve))
    const [code] = await this.#ask(sn.connect(id, KEEP_ALIVE_S), sn.Type.connack)
    if (code !== 0) throw new Unanswered(`connect refused: ${code}`)
    this.#log('connected')
    this.#topics = new Map()
    const messageId = this.#nextId()
    await this.#ask(sn.subscribe(messageId, `devices/${id}/down/command`), sn.Type.suback, messageId)
  }

  async #live(): Promise<void> {
    const { id, intervalMs, count } = this.#options
    while (!this.#stopped) {
      await this.#report()
      if (this.acknowledged >= count) return
      const sleepS = Math.min(65_535, Math.ceil(intervalMs / 1000))
      await this.#ask(sn.disconnect(sleepS), sn.Type.disconnect)
      await this.#sleep(intervalMs)
      if (this.#stopped) return
      // What has come meanwhile is delivered before the answer.
      await this.#ask(sn.pingreq(id), sn.Type.pingresp)
      await this.#ask(sn.connect(id, KEEP_ALIVE_S), sn.Type.connack)
    }
  }

  async #report(): Promise<void> {
    const { id } = this.#options
    for (let response = this.#responses.shift(); response !== undefined; response = this.#responses.shift()) {
      await this.#publish(`devices/${id}/up/response`, response)
    }
    const temperature = Math.round((18 + 4 * Math.sin(Date.now() / 60_000)) * 10) / 10
    const envelope = { v: 1, ts: Date.now(), device: id, protocol: 'mqtt-sn', type: 'measurement' }
    await this.#publish(`devices/${id}/up/telemetry`, JSON.stringify({ ...envelope, data: { values: { temperature } } }))
    this.acknowledged++
    this.#log(`reported ${temperature} °C`)
  }

  async #publish(topic: string, payload: string): Promise<void> {
    let topicId = this.#topics.get(topic)
    if (topicId === undefined) {
      const registerId = this.#nextId()
      topicId = (await this.#ask(sn.register(registerId, topic), sn.Type.regack, registerId)).readUInt16BE(0)
      this.#topics.set(topic, topicId)
    }
    const messageId = this.#nextId()
    const answer = await this.#ask(sn.publish(topicId, messageId, payload), sn.Type.puback, messageId)
    if (answer[4] !== 0) throw new Unanswered(`publish refused: ${answer[4]}`)
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wakeEarly = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  // ---- messages ------------------------------------------------------------------------------------------------

  /** Sends until the answer comes. */
  async #ask(bytes: Buffer, answer: number, messageId?: number): Promise<Buffer> {
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<Buffer>((resolve, reject) => {
        this.#request = { answer, messageId, resolve, reject }
        let attempts = 0
        const send = (): void => {
          if (attempts++ > ATTEMPTS) reject(new Unanswered('the gateway does not answer'))
          else this.#socket?.send(bytes)
        }
        timer = setInterval(send, RETRY_MS)
        send()
      })
    } finally {
      clearInterval(timer)
      this.#request = undefined
    }
  }

  #hear(datagram: Buffer): void {
    const received = sn.read(datagram)
    if (received === undefined) return
    const { type, body } = received
    const request = this.#request
    if (type === sn.Type.register) {
      this.#socket?.send(sn.regack(body.readUInt16BE(0), body.readUInt16BE(2)))
    } else if (type === sn.Type.publish) {
      this.#onPublish(body)
    } else if (type === request?.answer && (request.messageId === undefined || request.messageId === idOf(type, body))) {
      request.resolve(body)
    } else if (type === sn.Type.disconnect) {
      request?.reject(new Unanswered('the gateway does not know this sensor any more'))
    }
  }

  #onPublish(body: Buffer): void {
    const messageId = body.readUInt16BE(3)
    const repeated = (body.readUInt8(0) & 0x80) !== 0 && messageId === this.#lastCommand
    this.#lastCommand = messageId
    this.#socket?.send(sn.puback(body.readUInt16BE(1), messageId))
    if (!repeated) this.#onCommand(body.subarray(5).toString())
  }

  #onCommand(text: string): void {
    const device = this.#options.id
    let command: { id?: unknown; name?: unknown; args?: { text?: unknown } }
    try {
      command = JSON.parse(text) as typeof command
    } catch {
      return
    }
    const { id, name, args } = command
    if (typeof id !== 'string' || typeof name !== 'string') return
    const known = name === 'message'
    this.#log(known ? `message: ${String(args?.text)}` : `does not know the command ${name}`)
    this.commands++
    const error = { code: 'unsupported', message: `a sensor cannot ${name}` }
    this.#responses.push(JSON.stringify(known ? { id, device, ok: true, result: {} } : { id, device, ok: false, error }))
  }

  #nextId(): number {
    this.#messageId = (this.#messageId % 0xffff) + 1
    return this.#messageId
  }

  #log(line: string): void {
    this.#options.log(`${this.#options.id} ${line}`)
  }
}

/** Where the message id stands in an answer. */
function idOf(type: number, body: Buffer): number | undefined {
  const at = type === sn.Type.suback ? 3 : 2
  return body.length >= at + 2 ? body.readUInt16BE(at) : undefined
}

// ---- command line -------------------------------------------------------------------------------------------------

const USAGE = 'usage: sleepy-sensor [--host 127.0.0.1] [--port 1884] [--id sensor-1] [--interval 10s] [--count REPORTS]'

function options(args: string[]): SensorOptions | string {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ args, options: { host: text, port: text, id: text, interval: text, count: text } })
  const { host = '127.0.0.1', port = '1884', id = 'sensor-1', interval = '10s', count } = values
  const match = /^(\d+)(ms|s|m)$/.exec(interval)
  if (!/^\d{1,5}$/.test(port)) return `--port ${port} is no port`
  if (!/^[\w.-]{1,23}$/.test(id)) return `--id ${id} is not 1 to 23 letters, digits, dots and dashes`
  if (match === null || Number(match[1]) === 0) return `--interval ${interval} is no duration such as 500ms, 10s or 2m`
  if (count !== undefined && !/^[1-9]\d*$/.test(count)) return `--count ${count} is no number of reports`
  return {
    host,
    port: Number(port),
    id,
    intervalMs: Number(match[1]) * { ms: 1, s: 1000, m: 60_000 }[match[2] as 'ms' | 's' | 'm'],
    log: (line) => console.log(line),
    ...(count !== undefined && { count: Number(count) }),
  }
}

async function main(args: string[]): Promise<number> {
  let parsed: SensorOptions | string
  try {
    parsed = options(args)
  } catch (error) {
    parsed = (error as Error).message
  }
  if (typeof parsed === 'string') {
    console.error(`${parsed}\n${USAGE}`)
    return 2
  }
  const sensor = new SleepySensor(parsed).start()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => sensor.stop())
  return (await sensor.finished) ? 0 : 1
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  process.exitCode = await main(process.argv.slice(2))
}
