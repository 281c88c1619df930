/**
 * Listener for UDP: one socket, and a wire for each address and port that was heard from. A peer lives until its wire is
 * closed or it has been silent for too long. An address proves nothing, so the bounds count spoofed peers too.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { lookup } from 'node:dns'
import type { TransportKind } from '../sdk.ts'
import { formatAddress } from './address.ts'
import { Admission } from './admission.ts'
import { bindError } from './listen-error.ts'
import type { AcceptWire, Listener, ListenerOptions, TotalLimits } from './listener.ts'
import { emptyStats } from './listener-stats.ts'
import { setMulticast } from './multicast.ts'
import { PeerTable } from './peer-table.ts'
import { type DatagramPort, GroupWire, UdpWire } from './udp-wire.ts'

/** A peer is idle after so many sweeps: it goes after 1 to 1.25 times the timeout. */
const SWEEPS_PER_TIMEOUT = 4
/** Peers looked at in one loop turn. */
const SWEEP_STEP = 4096
/** Only with so many unanswered sends it is asked what waits in the socket: the question costs a native call. */
const UNANSWERED_SENDS = 256

interface Datagram {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  readonly address: string
  readonly port: number
}

export class UdpListener implements Listener, DatagramPort {
  readonly options: ListenerOptions
  readonly kind: TransportKind = 'udp'
  readonly stats = emptyStats()
  readonly #admission: Admission
  readonly #peers = new PeerTable<UdpWire>()
  /** Wires to groups: in no table, since nothing comes from them. */
  readonly #groups: UdpWire[] = []
  readonly #socket: Socket
  #accept: AcceptWire = () => undefined
  #accepting = false
  #open = false
  #address: string
  #sweeper: NodeJS.Timeout | undefined
  /** Counts sweeps; a wire notes the one in which it was last heard. */
  #epoch = 0
  #sweeping = false
  #unanswered = 0
  /** Sent, and held back by the gate. */
  #held: Datagram[] = []
  readonly #total: TotalLimits
  readonly #sent = (error: Error | null): void => {
    this.#unanswered--
    if (error !== null) this.stats.sendErrors++
  }

  constructor(options: ListenerOptions, total: TotalLimits) {
    this.options = options
    this.#total = total
    this.#address = formatAddress(options.host, options.port)
    this.#admission = new Admission(options.limits, total, this.stats)
    const isIPv6 = options.host.includes(':')
    this.#socket = createSocket({
      type: isIPv6 ? 'udp6' : 'udp4',
      // Peers are addresses: nothing to look up, and to answer at once saves a tick for each datagram sent.
      lookup: (address, options, callback) => {
        if (this.#open) callback(null, address, isIPv6 ? 6 : 4)
        else lookup(address, options, callback) // the name to bind
      },
    })
    this.#socket.on('message', (bytes, from) => this.#received(bytes, from))
  }

  get address(): string {
    return this.#address
  }

  async listen(accept: AcceptWire): Promise<void> {
    const { host, port, limits, multicast } = this.options
    await new Promise<void>((resolve, reject) => {
      const failed = (error: Error) => {
        this.#socket.close()
        reject(bindError(this.kind, host, port, error))
      }
      this.#socket.once('error', failed)
      this.#socket.bind({ address: host, port }, () => {
        this.#socket.off('error', failed)
        resolve()
      })
    })
    this.#socket.on('error', () => {
      this.stats.socketErrors++
    })
    this.#setBuffers()
    try {
      if (multicast !== undefined) setMulticast(this.#socket, multicast)
    } catch (error) {
      this.#socket.close()
      throw error
    }
    const bound = this.#socket.address()
    this.#address = formatAddress(bound.address, bound.port)
    this.#accept = accept
    this.#open = true
    this.#accepting = true
    this.#meetGroups(accept)
    if (limits.idlePeerTimeoutMs > 0) {
      this.#sweeper = setInterval(() => this.#startSweep(), limits.idlePeerTimeoutMs / SWEEPS_PER_TIMEOUT)
      this.#sweeper.unref()
    }
  }

  stopAccepting(): void {
    this.#accepting = false
  }

  async close(): Promise<void> {
    this.stopAccepting()
    clearInterval(this.#sweeper)
    for (const wire of [...this.#peers, ...this.#groups.splice(0)]) wire.destroy()
    if (!this.#open) return
    this.flush()
    this.#open = false
    await new Promise<void>((resolve) => {
      this.#socket.close(() => resolve())
    })
  }

  transmit(bytes: Uint8Array, start: number, end: number, address: string, port: number): void {
    if (!this.#open) return
    const { gate } = this.#total
    if (gate === undefined || (!gate.closed && this.#held.length === 0)) {
      this.#transmit(bytes, start, end, address, port)
      return
    }
    if (this.#held.length === 0) gate.postpone(this)
    this.#held.push({ bytes, start, end, address, port })
  }

  /** What was held back goes, or, where it may not, is lost as datagrams are. */
  flush(): void {
    const held = this.#held
    this.#held = []
    if (!this.#open) return
    if (this.#total.gate?.open() === false) {
      this.stats.datagramsDropped += held.length
      return
    }
    for (const { bytes, start, end, address, port } of held) this.#transmit(bytes, start, end, address, port)
  }

  #transmit(bytes: Uint8Array, start: number, end: number, address: string, port: number): void {
    const { limits } = this.options
    if (this.#unanswered >= UNANSWERED_SENDS && this.#socket.getSendQueueSize() > limits.maxQueuedBytes) {
      this.stats.datagramsDropped++
      return
    }
    this.#unanswered++
    this.stats.datagramsOut++
    this.stats.bytesOut += end - start
    const datagram = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end)
    this.#socket.send(datagram, port, address, this.#sent)
  }

  forget(wire: UdpWire): void {
    if (this.#peers.delete(wire)) this.#admission.release()
  }

  #received(bytes: Buffer, from: RemoteInfo): void {
    const { stats } = this
    stats.datagramsIn++
    stats.bytesIn += bytes.length
    // A datagram from port 0 cannot be answered (RFC 768: no source port).
    const wire = this.#peers.get(from.address, from.port) ?? (from.port === 0 ? undefined : this.#meet(from))
    if (wire === undefined) {
      stats.datagramsRefused++
      return
    }
    wire.heardAt = this.#epoch
    const { maxByteRate } = this.options.limits
    if (maxByteRate > 0 && !wire.isWithin(maxByteRate, bytes.length)) {
      stats.datagramsRateLimited++
      return
    }
    wire.handler.onBytes(bytes)
  }

  /** A new peer, if it may come in. */
  #meet(from: RemoteInfo): UdpWire | undefined {
    if (!this.#accepting) {
      this.stats.refusedRuntime++
      return undefined
    }
    if (!this.#admission.admit()) return undefined
    const wire = new UdpWire(from.address, from.port, this)
    this.#peers.add(wire)
    const handler = this.#accept(wire)
    if (handler === undefined) {
      this.stats.refusedRuntime++
      wire.destroy()
      return undefined
    }
    this.stats.accepted++
    wire.handler = handler
    return wire.open ? wire : undefined
  }

  #meetGroups(accept: AcceptWire): void {
    for (const { host, port } of this.options.multicast?.announceTo ?? []) {
      const wire = new GroupWire(host, port, this)
      const handler = accept(wire)
      if (handler === undefined) continue
      wire.handler = handler
      this.#groups.push(wire)
    }
  }

  #startSweep(): void {
    this.#epoch++
    if (!this.#sweeping) this.#sweep()
  }

  #sweep(): void {
    this.#sweeping = this.#peers.walk(SWEEP_STEP, (wire) => {
      if (this.#epoch - wire.heardAt <= SWEEPS_PER_TIMEOUT) return
      if (wire.handler.onIdle?.() === true) {
        wire.heardAt = this.#epoch
        return
      }
      if (!wire.open) return // its own handler closed it
      this.stats.idlePeers++
      wire.end('idle')
    })
    if (this.#sweeping) setImmediate(() => this.#sweep()).unref()
  }

  #setBuffers(): void {
    const { receiveBufferBytes, sendBufferBytes } = this.options
    try {
      if (receiveBufferBytes !== undefined) this.#socket.setRecvBufferSize(receiveBufferBytes)
      if (sendBufferBytes !== undefined) this.#socket.setSendBufferSize(sendBufferBytes)
    } catch {
      // The kernel's maximum is lower than asked for on some systems: its default is what remains.
    }
  }
}
