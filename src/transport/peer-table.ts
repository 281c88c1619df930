/**
 * Datagram peers by address and port. Nested, since a joined key would cost a string for each datagram; and an address
 * with one port, as most have, needs no map of its own.
 */

export interface TablePeer {
  /** Its address as the socket knows it. */
  readonly host: string
  readonly port: number
}

export class PeerTable<P extends TablePeer> {
  readonly #hosts = new Map<string, P | Map<number, P>>()
  #size = 0
  #cursor: Iterator<P | Map<number, P>> | undefined

  get size(): number {
    return this.#size
  }

  get(address: string, port: number): P | undefined {
    const host = this.#hosts.get(address)
    if (host === undefined) return undefined
    if (host instanceof Map) return host.get(port)
    return host.port === port ? host : undefined
  }

  /** The peer takes its place, whoever had it before. */
  add(peer: P): void {
    const { host: address, port } = peer
    const host = this.#hosts.get(address)
    if (host instanceof Map) {
      const before = host.size
      host.set(port, peer)
      this.#size += host.size - before
    } else if (host === undefined || host.port === port) {
      if (host === undefined) this.#size++
      this.#hosts.set(address, peer)
    } else {
      this.#hosts.set(
        address,
        new Map([
          [host.port, host],
          [port, peer],
        ]),
      )
      this.#size++
    }
  }

  /** Forgets the peer, unless its place belongs to another one by now. */
  delete(peer: P): boolean {
    const host = this.#hosts.get(peer.host)
    if (host instanceof Map) {
      if (host.get(peer.port) !== peer) return false
      host.delete(peer.port)
      if (host.size === 0) this.#hosts.delete(peer.host)
    } else {
      if (host !== peer) return false
      this.#hosts.delete(peer.host)
    }
    this.#size--
    return true
  }

  *[Symbol.iterator](): Generator<P> {
    for (const host of this.#hosts.values()) {
      if (host instanceof Map) yield* host.values()
      else yield host
    }
  }

  /**
   * Visits the next hosts, about `count` peers, from where the last call stopped; so a large table is walked in small
   * steps. `visit` may delete. False: the walk came to its end, and the next call begins anew.
   */
  walk(count: number, visit: (peer: P) => void): boolean {
    this.#cursor ??= this.#hosts.values()
    for (let left = count; left > 0; ) {
      const next = this.#cursor.next()
      if (next.done === true) {
        this.#cursor = undefined
        return false
      }
      const host = next.value
      if (host instanceof Map) {
        left -= host.size
        for (const peer of host.values()) visit(peer)
      } else {
        left--
        visit(host)
      }
    }
    return true
  }
}
