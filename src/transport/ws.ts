/**
 * The WebSocket stage of a stream listener: an HTTP upgrade (RFC 6455 section 4.2) on an accepted socket, on one path,
 * with a sub-protocol that both sides know. Everything else gets an HTTP error that says why.
 */
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'

/** From the socket being ready to the finished upgrade. */
const UPGRADE_TIMEOUT_MS = 10_000
const MAX_HEADER_BYTES = 8192

export interface WsStageOptions {
  readonly path: string
  /** Known sub-protocols in order of preference. */
  readonly subprotocols: readonly string[]
  readonly requireSubprotocol: boolean
  readonly maxFrameBytes: number
}

export interface WsStageEvents<Origin> {
  upgraded(ws: WebSocket, origin: Origin): void
  /** The request was refused, broken or late. */
  refused(): void
}

interface Handshake<Origin> {
  readonly origin: Origin
  readonly timer: NodeJS.Timeout
}

/** Never listens itself: sockets are given to it. `Origin` is whatever belongs to the socket underneath. */
export class WsStage<Origin> {
  readonly #options: WsStageOptions
  readonly #events: WsStageEvents<Origin>
  readonly #http: Server
  readonly #webSockets: WebSocketServer
  readonly #handshakes = new Map<Duplex, Handshake<Origin>>()

  constructor(options: WsStageOptions, events: WsStageEvents<Origin>) {
    this.#options = options
    this.#events = events
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      skipUTF8Validation: true, // text is refused as a whole
      maxPayload: options.maxFrameBytes,
      handleProtocols: (offered) => this.#choose(offered) ?? false,
    })
    this.#http = createServer({ maxHeaderSize: MAX_HEADER_BYTES })
    this.#http.on('request', (request, response) => {
      const [status, text] = this.#onPath(request)
        ? [426, 'This is a WebSocket endpoint: send an upgrade request.\n']
        : [404, this.#notFound()]
      const headers = { Connection: 'close', 'Content-Type': 'text/plain', Upgrade: 'websocket' }
      response.writeHead(status as number, headers).end(text)
    })
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    this.#http.on('clientError', (_, socket) => reject(socket, 400, 'Bad request.\n'))
  }

  start(socket: Socket, origin: Origin): void {
    const timer = setTimeout(() => socket.destroy(), UPGRADE_TIMEOUT_MS)
    this.#handshakes.set(socket, { origin, timer })
    socket.on('close', () => {
      if (this.#finish(socket) !== undefined) this.#events.refused()
    })
    socket.on('error', ignore) // what it means, its end tells
    this.#http.emit('connection', socket)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (!this.#onPath(request)) return reject(socket, 404, this.#notFound())
    const offered = request.headers['sec-websocket-protocol']
    const known = this.#options.subprotocols.join(', ') || 'none'
    if (offered === undefined && this.#options.requireSubprotocol) {
      return reject(socket, 400, `Offer a WebSocket sub-protocol. Known here: ${known}.\n`)
    }
    if (offered !== undefined && this.#choose(new Set(offered.split(',').map((name) => name.trim()))) === undefined) {
      return reject(socket, 400, `No offered WebSocket sub-protocol is known. Known here: ${known}.\n`)
    }
    this.#webSockets.handleUpgrade(request, socket, head, (ws) => {
      const origin = this.#finish(socket)
      if (origin === undefined) ws.terminate()
      else this.#events.upgraded(ws, origin)
    })
  }

  /** Takes the handshake off the books. */
  #finish(socket: Duplex): Origin | undefined {
    const handshake = this.#handshakes.get(socket)
    if (handshake === undefined) return undefined
    this.#handshakes.delete(socket)
    clearTimeout(handshake.timer)
    return handshake.origin
  }

  #choose(offered: Set<string>): string | undefined {
    return this.#options.subprotocols.find((name) => offered.has(name))
  }

  #onPath(request: IncomingMessage): boolean {
    const url = request.url ?? ''
    const query = url.indexOf('?')
    return (query < 0 ? url : url.slice(0, query)) === this.#options.path
  }

  #notFound(): string {
    return `Nothing here. The WebSocket path is ${this.#options.path}\n`
  }
}

function ignore(): void {}

function reject(socket: Duplex, status: number, text: string): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  socket.once('finish', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  )
}
