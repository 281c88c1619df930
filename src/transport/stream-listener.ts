/**
 * Listener for TCP, TLS, WebSocket and WebSocket over TLS: one accept loop, then stages, each of which a socket passes
 * within its time or is gone and counted: PROXY header, TLS handshake, HTTP upgrade. Only then a wire exists.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Peer, TransportKind } from '../sdk.ts'
import { formatAddress, plainAddress } from './address.ts'
import { Admission } from './admission.ts'
import { bindError, ListenError } from './listen-error.ts'
import type { AcceptWire, Listener, ListenerOptions, TotalLimits } from './listener.ts'
import { emptyStats } from './listener-stats.ts'
import { readProxyHeader } from './proxy-stage.ts'
import { readShared } from './shared-read.ts'
import { SocketWire, socketClosed } from './socket-wire.ts'
import type { StreamWire, WireShare } from './stream-wire.ts'
import { loadCredentials, TlsStage } from './tls.ts'
import { WsStage } from './ws.ts'
import { WsWire } from './ws-wire.ts'

/** Connections that the kernel holds until they are accepted; the kernel caps it (net.core.somaxconn). */
const BACKLOG = 4096

const OWNER = Symbol('listener')

interface OwnedSocket extends Socket {
  [OWNER]: StreamListener
}

export class StreamListener implements Listener {
  readonly options: ListenerOptions
  readonly stats = emptyStats()
  readonly #admission: Admission
  readonly #share: WireShare
  readonly #server: Server
  /** Sockets as accepted, whatever stage they are in. */
  readonly #sockets = new Set<Socket>()
  #tls: TlsStage<Peer> | undefined
  #ws: WsStage<Peer> | undefined
  #accept: AcceptWire = () => undefined
  #accepting = false
  #address: string
  #wires = 0
  #settled: (() => void) | undefined

  constructor(options: ListenerOptions, total: TotalLimits) {
    this.options = options
    this.#address = formatAddress(options.host, options.port)
    this.#admission = new Admission(options.limits, total, this.stats)
    this.#share = {
      limits: options.limits,
      total,
      stats: this.stats,
      synchronous: options.tls === undefined,
      closing: false,
      closed: () => {
        this.#wires--
        this.#settle()
      },
    }
    const keepAliveMs = options.tcpKeepAliveMs ?? 0
    // What lies beneath TLS or HTTP is read by them.
    const isPlain = options.type === 'tcp'
    this.#server = createServer({
      noDelay: true,
      keepAlive: keepAliveMs > 0,
      keepAliveInitialDelay: keepAliveMs,
      pauseOnConnect: isPlain,
    })
    this.#server.on('connection', (socket) => this.#admit(isPlain ? readShared(socket) : socket))
  }

  get kind(): TransportKind {
    return this.options.type
  }

  get address(): string {
    return this.#address
  }

  async listen(accept: AcceptWire): Promise<void> {
    this.#accept = accept
    const { type, host, port } = this.options
    if (type === 'tls' || type === 'wss') await this.#prepareTls()
    if (type === 'ws' || type === 'wss') this.#prepareWs()
    await new Promise<void>((resolve, reject) => {
      const failed = (error: Error) => reject(bindError(type, host, port, error))
      this.#server.once('error', failed)
      this.#server.listen({ host, port, backlog: BACKLOG }, () => {
        this.#server.off('error', failed)
        resolve()
      })
    })
    this.#server.on('error', (error: NodeJS.ErrnoException) => {
      this.stats.acceptErrors++
      if (error.code === 'EMFILE' || error.code === 'ENFILE') this.stats.descriptorsExhausted++
    })
    const bound = this.#server.address() as AddressInfo
    this.#address = formatAddress(bound.address, bound.port)
    this.#accepting = true
  }

  stopAccepting(): void {
    if (!this.#accepting) return
    this.#accepting = false
    this.#server.close(() => this.#settle())
  }

  async close(): Promise<void> {
    this.stopAccepting()
    this.#share.closing = true
    for (const socket of this.#sockets) socket.destroy()
    if (this.#isSettled()) return
    await new Promise<void>((resolve) => {
      this.#settled = resolve
    })
  }

  /** Called for every accepted socket when it has closed. */
  released(socket: Socket): void {
    this.#sockets.delete(socket)
    this.#admission.release()
    this.#settle()
  }

  #admit(socket: Socket): void {
    const address = socket.remoteAddress
    if (!this.#accepting || address === undefined) {
      if (!this.#accepting) this.stats.refusedRuntime++
      socket.destroy() // undefined: the peer has gone already
      return
    }
    if (!this.#admission.admit()) {
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    ;(socket as OwnedSocket)[OWNER] = this
    socket.on('close', onClose)
    const direct = makePeer(address, socket.remotePort ?? 0, false)
    if (!this.options.proxyProtocol) {
      this.#start(socket, direct)
      return
    }
    readProxyHeader(socket, (header) => {
      if (header === undefined) {
        this.stats.proxyErrors++
        return
      }
      const { address, port } = header.source ?? direct
      this.#start(socket, makePeer(address, port, header.secure, header.identity))
      if (this.#tls === undefined) socket.resume() // TLS reads beneath the socket
    })
  }

  #start(socket: Socket, peer: Peer): void {
    if (this.#tls === undefined && this.#ws === undefined) {
      this.#open(new SocketWire(socket, peer, this.#share))
      return
    }
    if (this.#tls !== undefined) this.#tls.start(socket, peer)
    else this.#ws?.start(socket, peer)
  }

  #open(wire: StreamWire): void {
    this.#wires++
    wire.start()
    const handler = this.#accept(wire)
    if (handler === undefined) {
      this.stats.refusedRuntime++
      wire.destroy()
      return
    }
    this.stats.accepted++
    wire.handler = handler
  }

  async #prepareTls(): Promise<void> {
    if (this.options.tls === undefined) {
      throw new ListenError('tls', `${this.kind} ${this.#address}: set the certificate and key of this listener`)
    }
    this.#tls = new TlsStage<Peer>(await loadCredentials(this.options.tls), {
      secured: (socket, peer, identity) => {
        const secured = makePeer(peer.address, peer.port, true, identity ?? peer.identity)
        if (this.#ws !== undefined) {
          this.#ws.start(socket, secured)
          return
        }
        socket.on('close', () => socketClosed(socket))
        this.#open(new SocketWire(socket, secured, this.#share))
      },
      refused: () => {
        this.stats.tlsErrors++
      },
    })
  }

  #prepareWs(): void {
    const { path = '/', subprotocols = [], requireSubprotocol = false, wholeMessages = false, limits } = this.options
    const options = { path, subprotocols, requireSubprotocol, maxFrameBytes: limits.maxFrameBytes }
    this.#ws = new WsStage<Peer>(options, {
      upgraded: (ws, peer) => {
        this.#open(new WsWire(ws, wholeMessages ? { ...peer, delimited: true } : peer, this.#share))
      },
      refused: () => {
        this.stats.upgradeErrors++
      },
    })
  }

  #isSettled(): boolean {
    return !this.#server.listening && this.#sockets.size === 0 && this.#wires === 0
  }

  #settle(): void {
    if (this.#settled !== undefined && this.#isSettled()) this.#settled()
  }
}

function onClose(this: OwnedSocket): void {
  this[OWNER].released(this)
  socketClosed(this)
}

function makePeer(address: string, port: number, secure: boolean, identity?: string): Peer {
  const peer = { address: plainAddress(address), port, secure, datagram: false }
  return identity === undefined ? peer : { ...peer, identity }
}
