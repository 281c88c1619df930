/** A device on a fake wire that speaks in messages, and the scene around it. */
import assert from 'node:assert/strict'
import { isMalformed } from '#sdk'
import { type AppClient, hex, type TestGateway, type TestPeer, World } from '#testing'
import { decode, encode, type Message, type Of, type PublishQos, type TopicTypeBits } from '../codec/index.ts'
import module from '../index.ts'

export interface Scene {
  readonly world: World
  readonly gateway: TestGateway
  readonly app: AppClient
  device(options?: DeviceOptions): Device
}

export interface DeviceOptions {
  readonly address?: string
  readonly port?: number
  /** Behind a forwarder. */
  readonly node?: Uint8Array
  /** The forwarder's own wire, shared by its nodes. */
  readonly forwarder?: Device
}

export async function scene(
  config: unknown = {},
  options: Parameters<World['gateway']>[2] = {},
  world = new World(),
): Promise<Scene> {
  const gateway = await world.gateway(module, config, options)
  const app = world.app('app')
  return { world, gateway, app, device: (from = {}) => new Device(gateway, from) }
}

export interface ConnectOptions {
  readonly clean?: boolean
  readonly will?: boolean
  readonly duration?: number
}

export class Device {
  readonly peer: TestPeer
  readonly #node: Uint8Array | undefined

  constructor(gateway: TestGateway, { address = '10.0.0.1', port, node, forwarder }: DeviceOptions) {
    this.#node = node
    this.peer = forwarder?.peer ?? gateway.connect({ datagram: true, address, ...(port !== undefined && { port }) })
  }

  send(...messages: Message[]): this {
    for (const message of messages) this.peer.send(this.#wrap(encode(message)))
    return this
  }

  raw(bytes: Uint8Array): this {
    this.peer.send(this.#wrap(bytes))
    return this
  }

  /** What the gateway sent since the last look; behind a forwarder, what is inside. */
  take(): Message[] {
    return this.peer.take().map((bytes) => {
      const message = decode(bytes)
      assert.ok(!isMalformed(message), 'the gateway sends what it can read')
      if (message.type !== 'forwarder') return message
      assert.equal(hex(message.nodeId), hex(this.#node ?? new Uint8Array(0)), 'the answer is for this node')
      const inner = decode(message.message)
      assert.ok(!isMalformed(inner))
      return inner
    })
  }

  /** Types, to look at the order alone. */
  types(): string[] {
    return this.take().map(({ type }) => type)
  }

  /** The only message since the last look. */
  only<T extends Message['type']>(type: T): Of<T> {
    const messages = this.take()
    assert.deepEqual(
      messages.map((message) => message.type),
      [type],
    )
    return messages[0] as Of<T>
  }

  silent(): void {
    assert.deepEqual(this.take(), [])
  }

  /** Connects without a will, and expects to be accepted. */
  join(clientId: string, { clean = true, duration = 60 }: ConnectOptions = {}): this {
    this.send(connect(clientId, { clean, duration }))
    assert.equal(this.only('connack').returnCode, 0)
    return this
  }

  /** Answers to a question are all that comes back. */
  ask<T extends Message['type']>(message: Message, type: T): Of<T> {
    return this.send(message).only(type)
  }

  /** Subscribes by name; the id that SUBACK tells. */
  subscribe(topic: string, qos: PublishQos = 1, messageId = 9): number {
    const suback = this.ask(subscribe(topic, qos, messageId), 'suback')
    assert.equal(suback.returnCode, 0)
    return suback.topicId
  }

  register(topic: string, messageId = 8): number {
    const regack = this.ask({ type: 'register', topicId: 0, messageId, topic }, 'regack')
    assert.equal(regack.returnCode, 0)
    return regack.topicId
  }

  sleep(duration: number): this {
    this.send({ type: 'disconnect', duration })
    assert.equal(this.only('disconnect').duration, undefined)
    return this
  }

  #wrap(bytes: Uint8Array): Uint8Array {
    if (this.#node === undefined) return bytes
    return encode({ type: 'forwarder', radius: 0, nodeId: this.#node, message: bytes })
  }
}

export function connect(clientId: string, { clean = true, will = false, duration = 60 }: ConnectOptions = {}): Message {
  return { type: 'connect', will, cleanSession: clean, protocolId: 1, duration, clientId }
}

export function subscribe(topic: string, qos: PublishQos = 1, messageId = 9, topicType: TopicTypeBits = 0, topicId = 0): Message {
  return { type: 'subscribe', dup: false, qos, topicType, messageId, topic, topicId }
}

export interface PublishOptions {
  readonly qos?: PublishQos
  readonly messageId?: number
  readonly dup?: boolean
  readonly retain?: boolean
  readonly topicType?: TopicTypeBits
}

export function publish(topicId: number, payload: string, options: PublishOptions = {}): Message {
  const { qos = 0, messageId = qos > 0 ? 1 : 0, dup = false, retain = false, topicType = 0 } = options
  return { type: 'publish', dup, qos, retain, topicType, topicId, messageId, payload: Buffer.from(payload) }
}

export function puback({ topicId, messageId }: Of<'publish'>, returnCode = 0): Message {
  return { type: 'puback', topicId, messageId, returnCode }
}

export function regack({ topicId, messageId }: Of<'register'>, returnCode = 0): Message {
  return { type: 'regack', topicId, messageId, returnCode }
}

export function text(message: Message | undefined): string {
  return message !== undefined && 'payload' in message ? Buffer.from(message.payload).toString() : ''
}
