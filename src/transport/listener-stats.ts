/** Counters of one listener: plain numbers, read when somebody looks. */

export interface ListenerStats {
  /** Connections or peers that were handed to the runtime. */
  accepted: number
  /** Open now, those that have not finished a handshake among them. */
  current: number
  /** Refused because `maxConnections`, here or in total, was reached. */
  refusedLimit: number
  /** Refused by `maxConnectRate`. */
  refusedRate: number
  /** Refused by the runtime, or because the listener no longer accepts. */
  refusedRuntime: number
  bytesIn: number
  bytesOut: number
  datagramsIn: number
  datagramsOut: number
  /** Received datagrams that were not handed over: unknown peers that were refused. */
  datagramsRefused: number
  /** Received datagrams above `maxByteRate`. */
  datagramsRateLimited: number
  /** Datagrams not sent because the socket's queue was full. */
  datagramsDropped: number
  /** Datagrams that the system refused to send (too large, no route, ...). */
  sendErrors: number
  /** Times a stream was not read for a while because of `maxByteRate`. */
  throttled: number
  /** Wires destroyed because too much waited for them. */
  congested: number
  /** Datagram peers forgotten for their silence. */
  idlePeers: number
  /** PROXY headers that were late or broken. */
  proxyErrors: number
  /** TLS handshakes that failed or were late. */
  tlsErrors: number
  /** HTTP requests that did not become a WebSocket. */
  upgradeErrors: number
  /** WebSocket connections closed for a text message, an oversized one or a broken frame. */
  malformed: number
  /** Connections that failed, other than by a reset of the peer. */
  socketErrors: number
  /** Failures of `accept`. */
  acceptErrors: number
  /** Those of them that say that the process, or the system, is out of file descriptors. */
  descriptorsExhausted: number
}

export function emptyStats(): ListenerStats {
  return {
    accepted: 0,
    current: 0,
    refusedLimit: 0,
    refusedRate: 0,
    refusedRuntime: 0,
    bytesIn: 0,
    bytesOut: 0,
    datagramsIn: 0,
    datagramsOut: 0,
    datagramsRefused: 0,
    datagramsRateLimited: 0,
    datagramsDropped: 0,
    sendErrors: 0,
    throttled: 0,
    congested: 0,
    idlePeers: 0,
    proxyErrors: 0,
    tlsErrors: 0,
    upgradeErrors: 0,
    malformed: 0,
    socketErrors: 0,
    acceptErrors: 0,
    descriptorsExhausted: 0,
  }
}
