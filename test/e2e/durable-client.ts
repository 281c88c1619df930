/**
 * A client of MQTT.js whose session outlives its connections and the server's process: it comes back by itself, never
 * subscribes again, and keeps its own half of the session in memory.
 */
import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt'
import mqtt from 'mqtt'
import type { Cleanup } from './child.ts'
import { until, within } from './waiting.ts'

const RECONNECT_MS = 20
const SESSION_S = 3600

export interface DurableOptions {
  readonly port: number
  readonly id: string
  readonly version: 4 | 5
}

export class DurableClient {
  readonly id: string
  readonly client: MqttClient
  /** Connections on which the server said that it has no session. */
  lostSessions = 0
  /** Connected, and everything that was under way before was sent again. */
  isReady = false
  connections = 0

  /** Connects at once, and again until the test is over. */
  constructor({ port, id, version }: DurableOptions, cleanup: Cleanup) {
    const options: IClientOptions = {
      clientId: id,
      protocolVersion: version,
      clean: false,
      resubscribe: false,
      reconnectPeriod: RECONNECT_MS,
      connectTimeout: 5000,
      reconnectOnConnackError: true,
      ...(version === 5 ? { properties: { sessionExpiryInterval: SESSION_S } } : {}),
    }
    this.id = id
    this.client = mqtt.connect(`mqtt://127.0.0.1:${port}`, options)
    this.client.on('packetreceive', (packet) => {
      if (packet.cmd !== 'connack') return
      // What the first CONNACK says is true or not, later ones must say that the session is there.
      if (this.connections > 0 && !packet.sessionPresent) this.lostSessions++
      if ((packet.reasonCode ?? packet.returnCode) === 0) this.connections++
    })
    this.client.on('connect', () => {
      this.client.options.reconnectPeriod = RECONNECT_MS
      this.isReady = true
    })
    this.client.on('close', () => {
      this.isReady = false
    })
    this.client.on('error', () => {}) // the server is being killed all the time
    cleanup.after(() => this.client.end(true))
  }

  async ready(): Promise<void> {
    await until(`connection of ${this.id}`, () => this.isReady)
  }

  onMessage(listener: (topic: string, text: string, packet: IPublishPacket) => void): this {
    this.client.on('message', (topic, payload, packet) => listener(topic, payload.toString('latin1'), packet))
    return this
  }

  /** Cuts the connection, and comes back after a while. */
  leave(awayMs: number): void {
    if (!this.isReady) return
    this.client.options.reconnectPeriod = awayMs
    this.client.stream.destroy()
  }

  async subscribe(filter: string, qos: 1 | 2): Promise<void> {
    await within(`SUBACK for ${filter}`, this.client.subscribeAsync(filter, { qos }))
  }
}
