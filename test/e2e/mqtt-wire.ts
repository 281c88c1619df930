/** MQTT packet by packet on a bare connection, for what a client library would not do. */
import type { IConnectPacket, Packet } from 'mqtt-packet'
import mqttPacket from 'mqtt-packet'
import type { Cleanup } from './child.ts'
import { TcpPeer } from './tcp-peer.ts'
import { until } from './waiting.ts'

const { generate, parser } = mqttPacket

export interface WireOptions {
  readonly clientId?: string
  readonly version?: 4 | 5
  readonly more?: Partial<IConnectPacket>
}

export function connectPacket({ clientId = '', version = 5, more }: WireOptions = {}): Buffer {
  const level = version === 5 ? { protocolVersion: 5 as const } : { protocolVersion: 4 as const }
  return generate({ cmd: 'connect', protocolId: 'MQTT', ...level, clientId, clean: true, keepalive: 0, ...more })
}

/** Of 5.0, unless another version is asked for. */
export function encode(packet: Packet, version: 4 | 5 = 5): Buffer {
  return generate(packet, { protocolVersion: version })
}

export class MqttWire {
  readonly peer: TcpPeer
  /** Whole packets that came so far. */
  readonly packets: Packet[] = []
  readonly #version: 4 | 5

  private constructor(peer: TcpPeer, version: 4 | 5) {
    this.peer = peer
    this.#version = version
    const reader = parser({ protocolVersion: version })
    reader.on('packet', (packet: Packet) => this.packets.push(packet))
    peer.take((chunk) => reader.parse(chunk))
  }

  /** Connects and waits for CONNACK. */
  static async connect(port: number, cleanup: Cleanup, options: WireOptions = {}): Promise<MqttWire> {
    const wire = new MqttWire(await TcpPeer.open(port, cleanup), options.version ?? 5)
    wire.peer.send(connectPacket(options))
    await wire.packet('connack')
    return wire
  }

  send(packet: Packet): void {
    this.peer.send(encode(packet, this.#version))
  }

  async subscribe(topic: string, qos: 0 | 1 | 2 = 0): Promise<this> {
    this.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos }] })
    await this.packet('suback')
    return this
  }

  /** Topics and payloads of what was delivered. */
  get messages(): { readonly topic: string; readonly text: string }[] {
    return this.packets.flatMap((packet) =>
      packet.cmd === 'publish' ? [{ topic: packet.topic, text: packet.payload.toString() }] : [],
    )
  }

  /** The first packet of this type (that `wanted` accepts); waits for it. */
  async packet<Name extends Packet['cmd']>(
    cmd: Name,
    wanted: (packet: Extract<Packet, { cmd: Name }>) => boolean = () => true,
  ): Promise<Extract<Packet, { cmd: Name }>> {
    const isWanted = (packet: Packet): packet is Extract<Packet, { cmd: Name }> =>
      packet.cmd === cmd && wanted(packet as Extract<Packet, { cmd: Name }>)
    return until(
      () => `${cmd}; received ${this.packets.map((packet) => packet.cmd).join(', ')}`,
      () => this.packets.find(isWanted),
    )
  }
}
