/** A CoAP device on a bare datagram socket (RFC 7252 3): what it sends is spelled out, what it gets is kept. */
import { createSocket } from 'node:dgram'
import type { Cleanup } from './child.ts'
import { until } from './waiting.ts'

const GET = 1
const OBSERVE = 6
const URI_PATH = 11
const CONTENT_FORMAT = 12
const URI_QUERY = 15

const METHODS = { get: GET, post: 2, put: 3, delete: 4 } as const

export interface Request {
  readonly method: keyof typeof METHODS
  /** `/ps/sensors/t1?clientid=c1` */
  readonly path: string
  readonly payload?: string
  readonly token?: string
  /** 0 registers, 1 deregisters. */
  readonly observe?: 0 | 1
  /** Content-Format of the payload, 50 is JSON. */
  readonly format?: number
  readonly confirmable?: boolean
}

export interface Response {
  /** `con`, `non`, `ack` or `rst`. */
  readonly type: string
  /** `2.05` */
  readonly code: string
  readonly messageId: number
  readonly token: string
  readonly observe: number | undefined
  readonly text: string
}

const TYPES = ['con', 'non', 'ack', 'rst'] as const

export class CoapDevice {
  readonly responses: Response[] = []
  readonly #socket = createSocket('udp4')
  readonly #port: number
  #messageId = Math.floor(Math.random() * 0x10000)
  #token = 0

  private constructor(port: number) {
    this.#port = port
    this.#socket.on('message', (datagram) => this.#take(datagram))
  }

  static async open(port: number, cleanup: Cleanup): Promise<CoapDevice> {
    const device = new CoapDevice(port)
    await new Promise<void>((resolve) => device.#socket.bind(0, '127.0.0.1', resolve))
    cleanup.after(() => device.#socket.close())
    return device
  }

  /** `ip:port` of this end, as a status names it. */
  get name(): string {
    const { address, port } = this.#socket.address()
    return `${address}:${port}`
  }

  /** Sends a request and waits for the answer. */
  async request(request: Request): Promise<Response> {
    const token = request.token ?? (++this.#token).toString(16).padStart(8, '0')
    const earlier = this.responses.length
    this.send(encode({ ...request, token }, this.#nextId()))
    return until(`answer to ${request.method} ${request.path}`, () =>
      this.responses.slice(earlier).find((response) => response.token === token),
    )
  }

  send(datagram: Uint8Array): void {
    this.#socket.send(datagram, this.#port, '127.0.0.1')
  }

  /** What came with this token, the answer to the registration included. */
  notifications(token: string): Response[] {
    return this.responses.filter((response) => response.token === token)
  }

  #nextId(): number {
    this.#messageId = (this.#messageId + 1) & 0xffff
    return this.#messageId
  }

  #take(datagram: Buffer): void {
    const response = decode(datagram)
    this.responses.push(response)
    // RFC 7252 4.2: an empty acknowledgement for what is confirmable.
    if (response.type === 'con') this.send(Uint8Array.of(0x60, 0, response.messageId >> 8, response.messageId & 0xff))
  }
}

type Option = readonly [number: number, value: Buffer]

function encode(request: Request & { readonly token: string }, messageId: number): Buffer {
  const { method, path, payload, observe, format, confirmable = true } = request
  const token = Buffer.from(request.token, 'hex')
  const [segments = '', query] = path.split('?')
  const options: Option[] = []
  if (observe !== undefined) options.push([OBSERVE, uint(observe)])
  for (const segment of segments.split('/').slice(1)) options.push([URI_PATH, Buffer.from(segment)])
  if (format !== undefined) options.push([CONTENT_FORMAT, uint(format)])
  for (const part of query?.split('&') ?? []) options.push([URI_QUERY, Buffer.from(part)])
  const header = Buffer.of((confirmable ? 0x40 : 0x50) | token.length, METHODS[method], messageId >> 8, messageId & 0xff)
  const body = payload === undefined ? [] : [Buffer.of(0xff), Buffer.from(payload)]
  return Buffer.concat([header, token, ...encodeOptions(options), ...body])
}

function uint(value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.of(value)
}

/** RFC 7252 3.1; values of this device are shorter than 269 octets. */
function encodeOptions(options: readonly Option[]): Buffer[] {
  let last = 0
  return options.map(([number, value]) => {
    const delta = number - last
    last = number
    const isLong = value.length >= 13
    return Buffer.concat([
      Buffer.of((delta << 4) | (isLong ? 13 : value.length)),
      isLong ? Buffer.of(value.length - 13) : Buffer.alloc(0),
      value,
    ])
  })
}

function decode(datagram: Buffer): Response {
  const first = datagram.readUInt8(0)
  const code = datagram.readUInt8(1)
  const tokenEnd = 4 + (first & 15)
  let at = tokenEnd
  let number = 0
  let observe: number | undefined
  while (at < datagram.length && datagram[at] !== 0xff) {
    const nibbles = datagram.readUInt8(at++)
    const extended = (nibble: number): number => {
      if (nibble === 13) return 13 + datagram.readUInt8(at++)
      if (nibble < 13) return nibble
      at += 2
      return 269 + datagram.readUInt16BE(at - 2)
    }
    number += extended(nibbles >> 4)
    const length = extended(nibbles & 15)
    if (number === OBSERVE) observe = length === 0 ? 0 : datagram.readUIntBE(at, length)
    at += length
  }
  return {
    type: TYPES[(first >> 4) & 3] ?? '',
    code: `${code >> 5}.${String(code & 31).padStart(2, '0')}`,
    messageId: datagram.readUInt16BE(2),
    token: datagram.toString('hex', 4, tokenEnd),
    observe,
    text: datagram.toString('utf8', at + 1),
  }
}
