/**
 * One datagram address: the client that speaks from it, the nodes behind it if it is a forwarder (MQTT-SN 1.2, 5.4.20),
 * and strangers. It decides who a datagram is from; what the datagram means is the client's business.
 */
import { toHex } from '#bytes/hex'
import { isMalformed, Message as Publication } from '#sdk'
import { publisherFor } from './anonymous-publisher.ts'
import { ClientSession } from './client-session.ts'
import { decode, encode, type Message, type Of, ReturnCode, shortTopicName, TopicType } from './codec/index.ts'
import { mayReply } from './reply-budget.ts'
import { Seats } from './seats.ts'

/** 5.4.4: of MQTT-SN 1.2. */
const PROTOCOL_ID = 0x01

/** Where behind an address a message comes from: the address itself, or a node of a forwarder. */
interface Origin {
  readonly client: ClientSession | undefined
  /** Undefined without a forwarder. */
  readonly node: string | undefined
  readonly encapsulation: Uint8Array | undefined
}

export class AddressSession extends Seats<ClientSession> {
  // ---- datagrams -----------------------------------------------------------------------------------------------

  onBytes(datagram: Uint8Array): void {
    // The host wakes a session with nothing.
    if (datagram.length === 0) return
    if (this.condition !== 'closed') this.condition = 'busy'
    const message = decode(datagram)
    if (isMalformed(message)) this.link.malformed(message)
    else if (message.type === 'forwarder') this.#unwrap(message, datagram)
    else this.#receive(message, { client: this.client, node: undefined, encapsulation: undefined })
    if (this.condition === 'busy') this.condition = 'idle'
    this.leaveIfEmpty()
  }

  #unwrap({ nodeId, message: bytes }: Of<'forwarder'>, datagram: Uint8Array): void {
    if (!this.shared.config.forwarder.enabled) {
      this.link.count('forwarder-refused')
      return
    }
    const message = decode(bytes)
    if (isMalformed(message)) {
      this.link.malformed(message)
      return
    }
    const node = toHex(nodeId)
    // Answers go out with the same header; a copy, since the datagram holds more than that.
    const encapsulation = new Uint8Array(datagram.subarray(0, datagram.length - bytes.length))
    this.#receive(message, { client: this.at(node), node, encapsulation })
  }

  #receive(message: Message, origin: Origin): void {
    const { client } = origin
    switch (message.type) {
      case 'connect':
        this.#connect(message, origin)
        return
      case 'searchgw':
        this.#introduce(origin)
        return
      case 'advertise':
      case 'gwinfo':
        this.link.count('overheard')
        return
      case 'pingreq':
        if (message.clientId === '' || message.clientId === client?.clientId) break
        this.#roam(message, origin)
        return
      case 'publish':
        if (message.qos !== -1 || client !== undefined) break
        this.#publishAnonymously(message)
        return
    }
    if (client !== undefined) client.receive(message)
    else this.#rebuff(origin)
  }

  // ---- clients come and go -------------------------------------------------------------------------------------

  #connect(connect: Of<'connect'>, origin: Origin): void {
    const { clientId, protocolId } = connect
    const { maxClientIdLength, roaming } = this.shared.config
    if (protocolId !== PROTOCOL_ID || clientId === '' || clientId.length > maxClientIdLength) {
      this.link.count('connect-refused')
      this.#reply({ type: 'connack', returnCode: ReturnCode.notSupported }, origin)
      return
    }
    if (origin.client?.clientId === clientId) {
      origin.client.connect(connect)
      return
    }
    const owner = roaming ? this.shared.clients.get(clientId) : undefined
    if (owner !== undefined && this.#follow(owner, origin, connect)) return
    const client = this.#seat(clientId, origin)
    if (client === undefined) return
    owner?.handOver()
    client.connect(connect)
  }

  /** A PINGREQ of somebody who is not known to be here (6.14). */
  #roam(pingreq: Of<'pingreq'>, origin: Origin): void {
    const owner = this.shared.config.roaming ? this.shared.clients.get(pingreq.clientId) : undefined
    if (owner === undefined) {
      // The broker may know more than we do, who have started after it fell asleep.
      if (this.shared.config.roaming && origin.client === undefined) this.#seat(pingreq.clientId, origin)?.awaken()
      else this.#rebuff(origin)
      return
    }
    if (this.#follow(owner, origin, pingreq)) return
    const client = this.#seat(pingreq.clientId, origin)
    if (client === undefined) return
    this.link.count('moved')
    client.arrive(owner.handOver())
  }

  /** True: the owner's session has come here and has seen the message, or cannot; false: only the client can come. */
  #follow(owner: ClientSession, origin: Origin, message: Of<'connect'> | Of<'pingreq'>): boolean {
    if (owner.link.connecting) {
      this.link.count('unexpected-message')
      return true
    }
    const isNew = origin.node === undefined && origin.client === undefined && this.isEmpty
    if (isNew && owner.place.isAlone(owner)) {
      // It takes over this address, and is given the datagram again.
      this.condition = 'closed'
      this.link.yieldTo(owner.link)
      return true
    }
    if (!owner.place.hasMovable(owner)) return false
    if (!this.#hasRoom(origin)) return true
    this.#vacateFor(origin)
    owner.place.move(owner, this.link)
    this.put(owner, origin.node)
    owner.moved(this, origin.encapsulation)
    if (message.type === 'connect') owner.connect(message)
    else owner.receive(message)
    return true
  }

  /** A place for a client, from which whoever spoke from there before has been sent away. Undefined: no room. */
  #seat(clientId: string, origin: Origin): ClientSession | undefined {
    if (!this.#hasRoom(origin)) return undefined
    this.#vacateFor(origin)
    const { node, encapsulation } = origin
    const client =
      node === undefined
        ? new ClientSession(this.link, this, clientId, undefined)
        : (this.link.branch((link) => new ClientSession(link, this, clientId, encapsulation)) as ClientSession)
    this.put(client, node)
    return client
  }

  #hasRoom(origin: Origin): boolean {
    if (origin.node === undefined || origin.client !== undefined) return true
    if (this.nodes < this.shared.config.forwarder.maxNodes) return true
    this.link.count('nodes-exhausted')
    this.#reply({ type: 'connack', returnCode: ReturnCode.congestion }, origin)
    return false
  }

  #vacateFor({ client }: Origin): void {
    if (client === undefined) return
    this.link.count('displaced')
    this.displace(client)
  }

  // ---- strangers -----------------------------------------------------------------------------------------------

  /** Who is not connected is told so, and can connect (6.12 leaves it open; silence would cost it a timeout). */
  #rebuff(origin: Origin): void {
    this.link.count('unknown-sender')
    this.#reply({ type: 'disconnect', duration: undefined }, origin)
  }

  /** GWINFO for SEARCHGW (6.1). */
  #introduce(origin: Origin): void {
    const { groups, config } = this.shared
    const gwinfo = { type: 'gwinfo', gatewayId: config.gatewayId, address: new Uint8Array(0) } as const
    // Who asks through a forwarder hears only what comes through it.
    if (config.advertise.gwinfo === 'sender' || groups.size === 0 || origin.node !== undefined) {
      this.#reply(gwinfo, origin)
    } else if (mayReply(this.shared, this.link)) {
      for (const group of groups) group.send(encode(gwinfo))
    }
  }

  #reply(message: Message, { encapsulation }: Origin): void {
    if (!mayReply(this.shared, this.link)) return
    const bytes = encode(message)
    this.link.send(encapsulation === undefined ? bytes : Buffer.concat([encapsulation, bytes]))
  }

  #publishAnonymously({ topicType, topicId, retain, payload }: Of<'publish'>): void {
    const { qosMinus1 } = this.shared.config
    if (!qosMinus1.enabled) {
      this.link.count('qos-minus-1-disabled')
      return
    }
    const topic =
      topicType === TopicType.predefined
        ? this.shared.predefined.name(topicId)
        : topicType === TopicType.short
          ? shortTopicName(topicId)
          : undefined
    if (topic === undefined) {
      this.link.count('qos-minus-1-topic')
      return
    }
    publisherFor(this.shared, this.link, this).publish(new Publication(topic, payload, 0, retain))
  }
}
