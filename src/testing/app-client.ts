/** An application on the broker, attached straight to the core: sees what a subscriber sees, acknowledges at once. */
import type { Client } from '../broker/client.ts'
import type { BrokerCore } from '../broker/core.ts'
import type { Port } from '../broker/port.ts'
import type {
  CloseReason,
  Delivery,
  Properties,
  PublishOutcome,
  QoS,
  SessionLimits,
  SubscribeOptions,
  SubscribeOutcome,
} from '../sdk.ts'
import { Message } from '../sdk.ts'
import { TEST_LIMITS } from './limits.ts'

export interface Received {
  readonly topic: string
  readonly payload: Uint8Array
  readonly text: string
  readonly qos: QoS
  readonly retain: boolean
  readonly delivery: Delivery
  readonly message: Message
  json(): unknown
}

export interface AppOptions {
  readonly cleanStart?: boolean
  readonly expiryMs?: number
  readonly receiveMaximum?: number
  /** False: deliveries wait until the test acknowledges them. */
  readonly autoAck?: boolean
  readonly limits?: Partial<SessionLimits>
}

export class AppClient {
  readonly id: string
  evicted: CloseReason | undefined = undefined
  /** What `deliver` answers: false is "busy". */
  ready = true
  readonly client: Client
  readonly sessionPresent: boolean
  readonly #core: BrokerCore
  readonly #autoAck: boolean
  #received: Received[] = []

  constructor(core: BrokerCore, id: string, options: AppOptions = {}, port?: Port) {
    this.#core = core
    this.#autoAck = options.autoAck ?? true
    const { client, outcome } = core.attach(port ?? this.#port(options.limits), this, {
      clientId: id,
      protocol: 'app',
      cleanStart: options.cleanStart ?? true,
      expiryMs: options.expiryMs ?? 0,
      keepAliveMs: 0,
      ...(options.receiveMaximum !== undefined && { receiveMaximum: options.receiveMaximum }),
    })
    if (client === undefined || !outcome.ok) throw new Error(`the core refused the test's client: ${JSON.stringify(outcome)}`)
    this.id = outcome.clientId
    this.sessionPresent = outcome.sessionPresent
    this.client = client
    core.resume(client)
  }

  subscribe(filter: string, options: Partial<SubscribeOptions> = {}): SubscribeOutcome {
    const outcome = this.#core.subscribe(this.client, filter, { qos: 0, ...options })
    this.#settle()
    return outcome
  }

  #settle(): void {
    this.#core.settle()
    this.#core.proceed()
  }

  unsubscribe(filter: string): boolean {
    return this.#core.unsubscribe(this.client, filter)
  }

  publish(
    topic: string,
    payload: string | Uint8Array,
    options: { qos?: QoS; retain?: boolean; properties?: Properties; expiresAt?: number } = {},
  ): PublishOutcome {
    const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload
    const message = new Message(topic, bytes, options.qos ?? 0, options.retain ?? false, options.properties)
    message.expiresAt = options.expiresAt ?? 0
    const outcome = this.#core.publish(message, this.client)
    this.#settle()
    return outcome
  }

  /** What arrived since the last take. */
  take(): Received[] {
    const received = this.#received
    this.#received = []
    return received
  }

  ack(id: number): boolean {
    return this.#core.ack(this.client, id)
  }

  disconnect(sendWill = false): void {
    this.#core.detach(this.client, 'disconnected', sendWill)
  }

  accept(delivery: Delivery): boolean {
    if (!this.ready) return false
    const { message, qos, retain } = delivery
    this.#received.push({
      topic: message.topic,
      payload: message.payload,
      text: new TextDecoder().decode(message.payload),
      qos,
      retain,
      delivery,
      message,
      json: () => JSON.parse(new TextDecoder().decode(message.payload)),
    })
    if (this.#autoAck && delivery.id !== 0) this.#core.ack(this.client, delivery.id)
    return true
  }

  #port(limits: Partial<SessionLimits> | undefined): Port {
    return appPort(this.#core, limits)
  }
}

/** A port shared by applications that must resume each other's sessions. */
export function appPort(core: BrokerCore, limits: Partial<SessionLimits> = {}): Port {
  return {
    gateway: 'app',
    limits: { ...TEST_LIMITS, ...limits },
    deliver: (client, delivery) => (client.ref as AppClient).accept(delivery),
    evict: (client, reason) => {
      ;(client.ref as AppClient).evicted = reason
      core.detach(client, reason, true)
    },
    peer: () => 'test',
  }
}
