/** What a listener is, whatever its transport: bind, admit within limits, hand over wires, count. */

import type { TransportKind } from '../sdk.ts'
import type { Gate } from './gate.ts'
import { ListenError } from './listen-error.ts'
import type { ListenerStats } from './listener-stats.ts'
import type { MulticastOptions } from './multicast.ts'
import { StreamListener } from './stream-listener.ts'
import { UdpListener } from './udp.ts'
import type { Wire, WireHandler } from './wire.ts'

export { ListenError, type ListenErrorCode } from './listen-error.ts'
export type { ListenerStats } from './listener-stats.ts'

export interface ListenerOptions {
  readonly type: TransportKind
  /** Address or name to bind; one that contains `:` is IPv6. */
  readonly host: string
  /** 0 binds any free port. */
  readonly port: number
  /** WebSocket: the only path that is served. Default `/`. */
  readonly path?: string | undefined
  /** WebSocket: known sub-protocols in order of preference. A client that offers others only is refused. */
  readonly subprotocols?: readonly string[] | undefined
  /** WebSocket: refuse clients that offer no sub-protocol. */
  readonly requireSubprotocol?: boolean | undefined
  /** WebSocket: each message is one chunk, both ways, and never a part of one. */
  readonly wholeMessages?: boolean | undefined
  /** Required for `tls` and `wss`. */
  readonly tls?: TlsOptions | undefined
  /** Streams: a PROXY protocol header (v1 or v2) precedes everything else, and must. */
  readonly proxyProtocol: boolean
  /** Streams: silence after which the kernel probes the peer, in ms. 0 or absent: it does not. */
  readonly tcpKeepAliveMs?: number | undefined
  /** Datagrams: SO_RCVBUF and SO_SNDBUF in bytes. Absent, or refused by the kernel: the system's default. */
  readonly receiveBufferBytes?: number | undefined
  readonly sendBufferBytes?: number | undefined
  /** Datagrams: groups to hear and to speak to. */
  readonly multicast?: MulticastOptions | undefined
  readonly limits: ListenerLimits
}

/** `cert`, `key` and `ca` are PEM text or the path of a PEM file. */
export interface TlsOptions {
  readonly cert: string
  readonly key: string
  readonly passphrase?: string | undefined
  /** Who signs client certificates. */
  readonly ca?: string | undefined
  /** Ask for a client certificate; a verified one gives `peer.identity`. */
  readonly requestClientCert?: boolean | undefined
  /** Refuse clients without a verified certificate. */
  readonly requireClientCert?: boolean | undefined
  /** From the accepted connection to the finished handshake. Default 10 s. */
  readonly handshakeTimeoutMs?: number | undefined
  /** As the gateway's manifest says. */
  readonly applicationProtocols?: readonly string[] | undefined
  /** OpenSSL cipher list, when the default does not please. */
  readonly ciphers?: string | undefined
}

export interface ListenerLimits {
  /** Connections, or datagram peers, of this listener at once. More are refused. */
  readonly maxConnections: number
  /** New connections or peers a second (burst: one second's worth). 0 is no limit. More are refused. */
  readonly maxConnectRate: number
  /** Bytes a second from one device, 0 is no limit. A stream is not read until it may again; a datagram is dropped. */
  readonly maxByteRate: number
  /** Messages a second from one device, 0 is no limit. For whoever cuts the messages; see `TokenBucket`. */
  readonly maxMessageRate: number
  /** Bytes that may wait for one device; above it the wire is destroyed as `congested`. */
  readonly maxQueuedBytes: number
  /** `queuedBytes` at which a sender should pause; `onDrain` tells when it fell to half of it. */
  readonly highWaterBytes: number
  /** Silence after which a datagram peer is forgotten, 0 is never. */
  readonly idlePeerTimeoutMs: number
  /** Largest WebSocket message. */
  readonly maxFrameBytes: number
}

/** One object, shared by all listeners of the process. */
export interface TotalLimits {
  readonly maxConnections: number
  /**
   * Bytes that may wait for all devices together. Above it a wire for which more waits than its share (this limit
   * divided by the wires that wait) is `congested` as soon as more is sent to it; so the sum stays below twice the limit.
   */
  readonly maxQueuedBytes: number
  /** Kept by the listeners. */
  current: number
  /** Kept by the listeners: bytes that a flush could not hand to the kernel. */
  queuedBytes: number
  /** Absent: output leaves at once. */
  readonly gate?: Gate | undefined
}

/** Answers with the wire's handler, or undefined to refuse the device. */
export type AcceptWire = (wire: Wire) => WireHandler | undefined

export interface Listener {
  readonly options: ListenerOptions
  readonly kind: TransportKind
  /** `127.0.0.1:1883`, `[::1]:1883`: with the real port, once bound. */
  readonly address: string
  readonly stats: ListenerStats
  /** Rejects with a `ListenError` whose message names the address and a remedy. */
  listen(accept: AcceptWire): Promise<void>
  /** New connections and peers are refused; the others go on. */
  stopAccepting(): void
  /** Stops accepting, destroys the wires that are left, and resolves when nothing is open any more. */
  close(): Promise<void>
}

export function createListener(options: ListenerOptions, total: TotalLimits): Listener {
  switch (options.type) {
    case 'tcp':
    case 'tls':
    case 'ws':
    case 'wss':
      return new StreamListener(options, total)
    case 'udp':
      return new UdpListener(options, total)
    default:
      throw new ListenError('unsupported', `no listener for transport "${options.type}"`)
  }
}
