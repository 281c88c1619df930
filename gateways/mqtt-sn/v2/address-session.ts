/**
 * One datagram address that speaks MQTT-SN 2.0: it takes forwarder, protection and connection encapsulation off, and
 * decides who a packet is from; what the packet means is the client's business.
 */
import { toHex } from '#bytes/hex'
import { isMalformed, type Link, malformed, Message as Publication } from '#sdk'
import { publisherFor } from '../anonymous-publisher.ts'
import {
  decodePacket,
  encodePacket,
  type Packet,
  type PacketOf,
  PacketType,
  packetType,
  Reason,
  TopicKind,
} from '../codec/v2/index.ts'
import { mayReply } from '../reply-budget.ts'
import { Seats } from '../seats.ts'
import { disconnectOf } from './connect.ts'
import { Connection } from './connection.ts'
import { type Path, wrap } from './path.ts'

/** What may come in connection encapsulation. */
const MOBILE: ReadonlySet<number | undefined> = new Set([
  PacketType.publish,
  PacketType.subscribe,
  PacketType.unsubscribe,
  PacketType.register,
  PacketType.disconnect,
  PacketType.sleepreq,
  PacketType.pingreq,
])

/** Where behind an address a packet comes from, and how. */
interface Origin extends Path {
  readonly client: Connection | undefined
  /** Undefined without a forwarder. */
  readonly node: string | undefined
}

export class AddressSession extends Seats<Connection> {
  // ---- datagrams -----------------------------------------------------------------------------------------------

  onBytes(datagram: Uint8Array): void {
    // The host wakes a session with nothing.
    if (datagram.length === 0) return
    if (this.condition !== 'closed') this.condition = 'busy'
    this.#unwrap(datagram, { client: this.client, node: undefined, forwarded: undefined, cover: undefined })
    if (this.condition === 'busy') this.condition = 'idle'
    this.leaveIfEmpty()
  }

  /** Takes off one layer after another; what the outer ones were is in `origin`. */
  #unwrap(bytes: Uint8Array, origin: Origin): void {
    const packet = decodePacket(bytes)
    if (isMalformed(packet)) this.link.malformed(packet)
    else if (packet.type === 'forwarder') this.#forwarded(packet)
    else if (packet.type === 'protection') this.#unprotect(bytes, packet, origin)
    else if (origin.cover === undefined && this.shared.config.protection.required) this.#rebuff(origin, Reason.protectionOnly)
    else if (packet.type === 'connection') this.#readdressed(packet, origin)
    else this.#receive(packet, origin)
  }

  #forwarded({ address, packet }: PacketOf<'forwarder'>): void {
    const node = toHex(address)
    const origin = { client: this.at(node), node, forwarded: new Uint8Array(address), cover: undefined }
    if (this.shared.config.forwarder.enabled) {
      this.#unwrap(packet, origin)
      return
    }
    this.link.count('forwarder-refused')
    this.#goodbye(origin, Reason.forwarderUnsupported)
  }

  #unprotect(bytes: Uint8Array, protection: PacketOf<'protection'>, origin: Origin): void {
    // Nothing is protected twice.
    if (origin.cover !== undefined) {
      this.link.malformed(malformed('nested-protection'))
      return
    }
    const opened = this.shared.protection.open(bytes, protection)
    if (opened === 'forged') this.link.count('protection-forged')
    else if (opened === 'replayed') this.link.count('protection-replayed')
    else if ('refused' in opened) {
      this.link.count('protection-refused')
      this.#goodbye(origin, opened.refused)
    } else if (packetType(opened.packet) === PacketType.forwarder) this.link.malformed(malformed('nested-forwarder'))
    else this.#unwrap(opened.packet, { ...origin, cover: opened.cover })
  }

  #receive(packet: Packet, origin: Origin): void {
    const { client } = origin
    switch (packet.type) {
      case 'connect':
        return this.#connect(packet, origin)
      case 'searchgw':
        return this.#introduce(origin)
      case 'advertise':
      case 'gwinfo':
        this.link.count('overheard')
        return
      case 'pubwos':
        return this.#publishAnonymously(packet)
    }
    if (client === undefined) this.#rebuff(origin, Reason.noConnection)
    else if (!client.admits(origin.cover)) this.#goodbye(origin, Reason.protectionOnly)
    else client.receive(packet)
  }

  // ---- clients come and go -------------------------------------------------------------------------------------

  #connect(connect: PacketOf<'connect'>, origin: Origin): void {
    const { client } = origin
    const owner = this.shared.connections.get(connect.clientId)
    if (owner !== undefined && !owner.admits(origin.cover)) {
      this.#goodbye(origin, Reason.protectionOnly)
      return
    }
    if (client?.clientId === connect.clientId && connect.clientId !== '') client.connect(connect)
    else this.#seat(origin)?.connect(connect)
  }

  /** A client whose address has changed; with its first packet from there it has moved. */
  #readdressed({ clientId, packet }: PacketOf<'connection'>, origin: Origin): void {
    if (!MOBILE.has(packetType(packet))) {
      this.link.malformed(malformed('bad-encapsulation'))
      return
    }
    const owner = this.shared.connections.get(clientId)
    if (owner === undefined || !owner.admits(origin.cover)) this.#rebuff(origin, Reason.noConnection)
    else if (!owner.isMobile || !this.shared.config.roaming) this.#rebuff(origin, Reason.protocolError)
    else if (owner === origin.client) this.#unwrap(packet, origin)
    else if (this.#bring(owner, origin)) this.#unwrap(packet, { ...origin, client: owner })
  }

  /** False: it sees the datagram again in its own session, or cannot come. */
  #bring(owner: Connection, origin: Origin): boolean {
    const isNew = origin.node === undefined && origin.client === undefined && this.isEmpty
    if (isNew && owner.place.isAlone(owner)) {
      this.condition = 'closed'
      this.link.yieldTo(owner.link)
      return false
    }
    if (!owner.place.hasMovable(owner)) {
      // Its link is that of an address with others on it: only a CONNECT can bring it here.
      this.#rebuff(origin, Reason.noConnection)
      return false
    }
    if (!this.#hasRoom(origin)) return false
    this.#vacateFor(origin)
    owner.place.move(owner, this.link)
    this.put(owner, origin.node)
    owner.moved(this, origin.forwarded)
    return true
  }

  #seat(origin: Origin): Connection | undefined {
    if (!this.#hasRoom(origin)) return undefined
    this.#vacateFor(origin)
    const open = (link: Link): Connection => new Connection(this.shared, link, this, origin)
    const client = origin.node === undefined ? open(this.link) : (this.link.branch(open) as Connection)
    this.put(client, origin.node)
    return client
  }

  #hasRoom(origin: Origin): boolean {
    if (origin.node === undefined || origin.client !== undefined) return true
    if (this.nodes < this.shared.config.forwarder.maxNodes) return true
    this.link.count('nodes-exhausted')
    this.#goodbye(origin, Reason.congestion)
    return false
  }

  #vacateFor({ client }: Origin): void {
    if (client === undefined) return
    this.link.count('displaced')
    this.displace(client)
  }

  // ---- strangers -----------------------------------------------------------------------------------------------

  #rebuff(origin: Origin, reason: number): void {
    this.link.count('unknown-sender')
    this.#goodbye(origin, reason)
  }

  #goodbye(origin: Origin, reason: number): void {
    this.#reply(disconnectOf(reason), origin)
  }

  #introduce(origin: Origin): void {
    const { groups, config } = this.shared
    const gwinfo = { type: 'gwinfo', gatewayId: config.gatewayId, address: new Uint8Array(0) } as const
    // Who asks through a forwarder hears only what comes through it.
    if (config.advertise.gwinfo === 'sender' || groups.size === 0 || origin.node !== undefined) {
      this.#reply(gwinfo, origin)
    } else if (mayReply(this.shared, this.link)) {
      for (const group of groups) group.send(encodePacket(gwinfo))
    }
  }

  #reply(packet: Packet, origin: Origin): void {
    if (mayReply(this.shared, this.link)) this.link.send(wrap(this.shared, this.link, origin, packet))
  }

  #publishAnonymously({ topicKind, alias, topic, retain, payload }: PacketOf<'pubwos'>): void {
    if (!this.shared.config.qosMinus1.enabled) {
      this.link.count('qos-minus-1-disabled')
      return
    }
    const name = topicKind === TopicKind.name ? topic : this.shared.predefined.name(alias)
    if (name === undefined) {
      this.link.count('qos-minus-1-topic')
      return
    }
    publisherFor(this.shared, this.link, this).publish(new Publication(name, payload, 0, retain))
  }
}
