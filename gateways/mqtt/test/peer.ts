/** An MQTT client for tests, on a fake wire: packets as objects both ways. */
import type { Packet } from 'mqtt-packet'
import { generate, parser } from 'mqtt-packet'
import type { TestGateway, TestPeer } from '#testing'
import { World } from '#testing'
import gatewayModule from '../index.ts'

export interface Fixture {
  readonly world: World
  readonly gateway: TestGateway
  open(version?: 3 | 4 | 5): MqttPeer
  /** Connected, with the CONNACK taken. */
  client(clientId: string, version?: 3 | 4 | 5, extra?: Record<string, unknown>): MqttPeer
}

export async function fixture(config: object = {}, session: object = {}, worldOptions = {}): Promise<Fixture> {
  const world = new World(worldOptions)
  const gateway = await world.gateway(gatewayModule, config, { session })
  const open = (version: 3 | 4 | 5 = 4): MqttPeer => new MqttPeer(gateway.connect(), version)
  return {
    world,
    gateway,
    open,
    client(clientId, version = 4, extra = {}) {
      const peer = open(version)
      peer.connect(clientId, extra)
      peer.take()
      return peer
    },
  }
}

export class MqttPeer {
  readonly peer: TestPeer
  readonly version: 3 | 4 | 5
  readonly #received: Packet[] = []
  readonly #parser

  constructor(peer: TestPeer, version: 3 | 4 | 5) {
    this.peer = peer
    this.version = version
    this.#parser = parser({ protocolVersion: version })
    this.#parser.on('packet', (packet) => void this.#received.push(packet))
    this.#parser.on('error', (error) => {
      throw error
    })
  }

  connect(clientId: string, extra: Record<string, unknown> = {}): void {
    const protocolId = this.version === 3 ? 'MQIsdp' : 'MQTT'
    this.send({
      cmd: 'connect',
      protocolId,
      protocolVersion: this.version,
      clientId,
      clean: true,
      keepalive: 0,
      ...extra,
    } as Packet)
  }

  encode(packet: Packet): Buffer {
    return generate(packet, { protocolVersion: this.version })
  }

  send(...packets: Packet[]): void {
    this.peer.send(Buffer.concat(packets.map((packet) => this.encode(packet))))
  }

  raw(bytes: Uint8Array | readonly number[]): void {
    this.peer.send(Uint8Array.from(bytes))
  }

  /** Packets since the last take. */
  take(): Packet[] {
    for (const bytes of this.peer.take()) this.#parser.parse(Buffer.from(bytes))
    return this.#received.splice(0)
  }

  publish(topic: string, payload: string, extra: Record<string, unknown> = {}): void {
    this.send({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false, ...extra } as Packet)
  }

  subscribe(
    topic: string,
    qos: 0 | 1 | 2 = 0,
    options: Record<string, unknown> = {},
    properties?: Record<string, unknown>,
  ): void {
    const packet = {
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [{ topic, qos, nl: false, rap: false, rh: 0, ...options }],
      properties,
    }
    this.send(packet as unknown as Packet)
    const [suback] = this.take()
    if (suback?.cmd !== 'suback') throw new Error(`no suback but ${JSON.stringify(suback)}`)
  }
}

/** The fields that tests compare. */
export function brief(packets: readonly Packet[]): unknown[] {
  return packets.map((packet) => {
    if (packet.cmd === 'publish') {
      const { cmd, topic, qos, retain, dup, messageId } = packet
      return { cmd, topic, payload: packet.payload.toString(), qos, retain, dup, ...(qos > 0 && { messageId }) }
    }
    if (packet.cmd === 'puback' || packet.cmd === 'pubrec' || packet.cmd === 'pubrel' || packet.cmd === 'pubcomp') {
      return { cmd: packet.cmd, messageId: packet.messageId, ...(packet.reasonCode ? { reasonCode: packet.reasonCode } : {}) }
    }
    if (packet.cmd === 'suback') return { cmd: packet.cmd, messageId: packet.messageId, granted: packet.granted }
    if (packet.cmd === 'disconnect') return { cmd: packet.cmd, reasonCode: packet.reasonCode }
    return { cmd: packet.cmd }
  })
}
