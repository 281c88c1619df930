/**
 * A thermometer that speaks CoAP (RFC 7252): posts its measurements to `/up/telemetry`, repeats what is not
 * acknowledged, and checks that each report was accepted.
 *
 *   node dist/examples/devices/coap-sensor.js --host 127.0.0.1 --port 5683 --clientid meter-1 --interval 1s --count 10
 *
 * A bad network lies between, both ways, when it is asked for: `--loss 0.1 --delay 50 --reorder --duplicate 0.05 --seed 7`.
 */

import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { durationMs } from '#sdk/schema'
import { CHANGED, codeText, METHOD_NOT_ALLOWED, POST } from '#stacks/coap/codes'
import { JSON_FORMAT } from '#stacks/coap/content-formats'
import { Endpoint, type EndpointContext } from '#stacks/coap/endpoint'
import { CONTENT_FORMAT, textOption, URI_PATH, URI_QUERY, uintOption } from '#stacks/coap/options'
import { Requester, type RequestFailure } from '#stacks/coap/requester'
import { Impairment, type ImpairmentOptions } from './impairment.ts'

export interface CoapSensorOptions {
  readonly host: string
  readonly port: number
  readonly clientId: string
  readonly intervalMs: number
  /** Reports to send; by default it goes on until `stop`. */
  readonly count?: number | undefined
  /** False sends without asking for an acknowledgement. */
  readonly confirmable?: boolean | undefined
  /** The network in between; by default it is as good as it is. */
  readonly network?: ImpairmentOptions | undefined
}

export interface Measurement {
  readonly temperature_c: number
  readonly humidity_pct: number
}

/** What became of one report. */
export interface Report {
  readonly measurement: Measurement
  readonly accepted: boolean
  /** `2.04`, or why there is no answer. */
  readonly outcome: string
  /** The gateway's words, when it refused. */
  readonly diagnostic: string
}

export class CoapSensor {
  readonly #options: CoapSensorOptions
  readonly #socket: Socket
  readonly #context: SocketContext
  readonly #endpoint: Endpoint
  readonly #requester: Requester
  readonly #stopped = new AbortController()
  #measurement: Measurement = { temperature_c: 21, humidity_pct: 45 }

  constructor(options: CoapSensorOptions) {
    this.#options = options
    this.#socket = createSocket(isIPv6(options.host) ? 'udp6' : 'udp4')
    const context = new SocketContext(this.#socket, options, () => this.#endpoint.onTimer())
    this.#context = context
    this.#endpoint = new Endpoint(context, {
      onRequest: (_request, exchange) => exchange.respond({ code: METHOD_NOT_ALLOWED }),
      onResponse: (response) => this.#requester.onResponse(response),
      onMalformed: () => {},
      count: () => {},
    })
    this.#requester = new Requester(this.#endpoint, randomBytes)
    this.#socket.on('message', (datagram) => context.carry(() => this.#endpoint.receive(datagram)))
    // A port where nobody listens shows as silence, as on a radio.
    this.#socket.on('error', () => {})
  }

  /** Reports at every interval, `count` times or until `stop`. */
  async run(told: (report: Report) => void = () => {}): Promise<void> {
    const { count = Number.POSITIVE_INFINITY, intervalMs } = this.#options
    for (let sent = 0; sent < count && !this.#stopped.signal.aborted; sent++) {
      if (sent > 0) await delay(intervalMs, undefined, { signal: this.#stopped.signal }).catch(() => {})
      if (!this.#stopped.signal.aborted) told(await this.report())
    }
    this.stop()
  }

  /** Sends one report and waits for its answer. */
  report(): Promise<Report> {
    const measurement = this.#measure()
    const { clientId, confirmable = true } = this.#options
    const options = [
      textOption(URI_PATH, 'up'),
      textOption(URI_PATH, 'telemetry'),
      uintOption(CONTENT_FORMAT, JSON_FORMAT),
      textOption(URI_QUERY, `clientid=${encodeURIComponent(clientId)}`),
    ]
    const payload = new TextEncoder().encode(JSON.stringify(measurement))
    return new Promise((resolve) => {
      this.#requester.send({ confirmable, code: POST, options, payload }, (result) => {
        if (typeof result === 'string') resolve(unanswered(measurement, result))
        else {
          const accepted = result.code === CHANGED
          const diagnostic = accepted ? '' : new TextDecoder().decode(result.payload)
          resolve({ measurement, accepted, outcome: codeText(result.code), diagnostic })
        }
      })
    })
  }

  /** Ends the reports; one that waits for its answer ends as `cancelled`. */
  stop(): void {
    if (this.#stopped.signal.aborted) return
    this.#stopped.abort()
    this.#requester.close()
    this.#endpoint.close()
    this.#context.close()
  }

  /** A room in which somebody now and then opens a window. */
  #measure(): Measurement {
    const { temperature_c, humidity_pct } = this.#measurement
    this.#measurement = {
      temperature_c: drift(temperature_c, 0.3, 17, 26),
      humidity_pct: drift(humidity_pct, 0.8, 30, 65),
    }
    return this.#measurement
  }
}

function unanswered(measurement: Measurement, failure: RequestFailure): Report {
  return { measurement, accepted: false, outcome: failure, diagnostic: '' }
}

/** A step of at most `step` either way, within the bounds, with one decimal. */
function drift(value: number, step: number, min: number, max: number): number {
  const next = value + (Math.random() * 2 - 1) * step
  return Math.round(Math.min(max, Math.max(min, next)) * 10) / 10
}

/** The world of the sensor's message layer: one socket, one timer, and the network in between. */
class SocketContext implements EndpointContext {
  readonly #socket: Socket
  readonly #to: CoapSensorOptions
  readonly #onTimer: () => void
  readonly #network: Impairment | undefined
  readonly #flying = new Set<NodeJS.Timeout>()
  #timer: NodeJS.Timeout | undefined = undefined

  constructor(socket: Socket, to: CoapSensorOptions, onTimer: () => void) {
    this.#socket = socket
    this.#to = to
    this.#onTimer = onTimer
    this.#network = to.network === undefined ? undefined : new Impairment(to.network)
  }

  now(): number {
    return Date.now()
  }

  random(bytes: number): Uint8Array {
    return randomBytes(bytes)
  }

  send(datagram: Uint8Array): void {
    // What cannot be sent now is repeated by the message layer.
    this.carry(() => this.#socket.send(datagram, this.#to.port, this.#to.host, () => {}))
  }

  arm(delayMs: number): void {
    this.disarm()
    this.#timer = setTimeout(this.#onTimer, delayMs)
  }

  disarm(): void {
    clearTimeout(this.#timer)
  }

  /** What is still on its way is lost. */
  close(): void {
    for (const timeout of this.#flying) clearTimeout(timeout)
    this.#socket.close()
  }

  /** Lets a datagram arrive, either way: at once, later, twice or never. */
  carry(arrive: () => void): void {
    if (this.#network === undefined) {
      arrive()
      return
    }
    for (const delayMs of this.#network.next()) {
      const timeout = setTimeout(() => {
        this.#flying.delete(timeout)
        arrive()
      }, delayMs)
      this.#flying.add(timeout)
    }
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '5683' },
      clientid: { type: 'string', default: 'meter-1' },
      interval: { type: 'string', default: '1s' },
      count: { type: 'string' },
      non: { type: 'boolean', default: false },
      loss: { type: 'string', default: '0' },
      delay: { type: 'string', default: '0' },
      reorder: { type: 'boolean', default: false },
      duplicate: { type: 'string', default: '0' },
      seed: { type: 'string', default: '1' },
    },
  })
  const sensor = new CoapSensor({
    host: values.host,
    port: Number(values.port),
    clientId: values.clientid,
    intervalMs: durationMs(values.interval),
    count: values.count === undefined ? undefined : Number(values.count),
    confirmable: !values.non,
    network: {
      loss: Number(values.loss),
      delayMs: Number(values.delay),
      reorder: values.reorder,
      duplicate: Number(values.duplicate),
      seed: Number(values.seed),
    },
  })
  process.once('SIGINT', () => sensor.stop())
  process.once('SIGTERM', () => sensor.stop())
  await sensor.run(({ measurement, accepted, outcome, diagnostic }) => {
    console.log(`${values.clientid} ${JSON.stringify(measurement)} ${outcome}${diagnostic === '' ? '' : ` ${diagnostic}`}`)
    if (!accepted) process.exitCode = 1
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
