/** An application on the broker: MQTT.js, with what it received kept in order. */
import type { IClientOptions, IConnackPacket, IDisconnectPacket, IPublishPacket, MqttClient } from 'mqtt'
import mqtt from 'mqtt'
import type { Cleanup } from './child.ts'
import { until, within } from './waiting.ts'

export interface Received {
  readonly topic: string
  readonly payload: Buffer
  readonly text: string
  readonly packet: IPublishPacket
}

export interface AppOptions {
  readonly clientId?: string
  /** Protocol level: 4 is 3.1.1. */
  readonly version?: 4 | 5
  /** What else MQTT.js can be told. */
  readonly more?: Partial<IClientOptions>
}

let lastId = 0

export class App {
  readonly client: MqttClient
  readonly messages: Received[] = []
  connack: IConnackPacket | undefined = undefined
  /** The server's DISCONNECT, once it came. */
  goodbye: IDisconnectPacket | undefined = undefined
  readonly #closed: Promise<void>

  private constructor(client: MqttClient) {
    this.client = client
    client.on('message', (topic, payload, packet) => {
      this.messages.push({ topic, payload, text: payload.toString('utf8'), packet })
    })
    client.on('connect', (packet) => {
      this.connack = packet
    })
    client.on('disconnect', (packet) => {
      this.goodbye = packet
    })
    client.on('error', () => {}) // `connect` and the pending calls tell
    this.#closed = new Promise((resolve) => client.once('close', resolve))
  }

  /** `place` is a port of the loopback, or a URL. */
  static async connect(place: number | string, cleanup: Cleanup, options: AppOptions = {}): Promise<App> {
    const { clientId = `app-${process.pid}-${++lastId}`, version = 5, more } = options
    const url = typeof place === 'number' ? `mqtt://127.0.0.1:${place}` : place
    const client = mqtt.connect(url, { clientId, protocolVersion: version, reconnectPeriod: 0, clean: true, ...more })
    const app = new App(client)
    cleanup.after(() => app.cut())
    const opened = new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve())
      client.once('error', reject)
      client.once('close', () => reject(new Error(`${url}: closed before CONNACK`)))
    })
    await within(`CONNACK from ${url}`, opened)
    return app
  }

  /** Resolves when the connection is closed, whoever closed it. */
  closed(): Promise<void> {
    return within('the end of the connection', this.#closed)
  }

  get connected(): boolean {
    return this.client.connected
  }

  async subscribe(filter: string, qos: 0 | 1 | 2 = 1): Promise<this> {
    await this.#answered(`SUBACK for ${filter}`, this.client.subscribeAsync(filter, { qos }))
    return this
  }

  async publish(topic: string, payload: string | Buffer, options: { qos?: 0 | 1 | 2; retain?: boolean } = {}): Promise<void> {
    await this.#answered(`the acknowledgement of ${topic}`, this.client.publishAsync(topic, payload, { qos: 1, ...options }))
  }

  /** The first message (of those that are kept) that `wanted` accepts; waits for it. */
  async message(what: string, wanted: (message: Received) => boolean): Promise<Received> {
    return until(
      () => `${what}; received: ${this.messages.map(({ topic, text }) => `${topic} ${text.slice(0, 200)}`).join('\n')}`,
      () => this.messages.find(wanted),
    )
  }

  on(topic: string): Received[] {
    return this.messages.filter((message) => message.topic === topic)
  }

  /** Everything that the server sent before has arrived when this resolves: answers come in order. */
  async settled(): Promise<void> {
    await this.publish('e2e/settled', '')
  }

  /** Says goodbye. */
  async end(): Promise<void> {
    await within('the end of the connection', this.client.endAsync())
  }

  /** Without a goodbye. */
  cut(): void {
    this.client.end(true)
  }

  /** The library waits for a connection that does not come back; this does not. */
  async #answered<T>(what: string, answer: Promise<T>): Promise<T> {
    answer.catch(() => {})
    const closed = this.#closed.then(() => {
      throw new Error(`the connection closed before ${what}`)
    })
    closed.catch(() => {})
    return within(what, Promise.race([answer, closed]))
  }
}

/** The numbers under `$SYS/broker` at one moment; what is not there is 0. */
export class Sys {
  readonly #values: ReadonlyMap<string, number>

  private constructor(values: ReadonlyMap<string, number>) {
    this.#values = values
  }

  static async read(port: number): Promise<Sys> {
    const opened: (() => unknown)[] = []
    const app = await App.connect(port, { after: (clean) => void opened.push(clean) })
    try {
      await app.subscribe('$SYS/broker/#', 0)
      await app.settled()
      return new Sys(new Map(app.messages.map(({ topic, text }) => [topic.slice('$SYS/broker/'.length), Number(text)])))
    } finally {
      await app.end()
    }
  }

  at(name: string): number {
    return this.#values.get(name) ?? 0
  }

  /** The sum of all numbers whose names begin so. */
  under(prefix: string): number {
    return [...this.#values].reduce((sum, [name, value]) => (name.startsWith(prefix) ? sum + value : sum), 0)
  }
}
