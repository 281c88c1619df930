/**
 * A bridge to another broker, by MQTT.js. On this side it is a client whose session never ends: what waits for the
 * remote broker stands in its queue, bounded and stored like that of every session. On the other side it is a client
 * with a session too. At least once both ways: nothing is acknowledged before the other side has it.
 *
 * Loops: a message that came in is not sent out by the bridge that brought it (no local), and the remote broker does
 * not return what it was sent (no local in MQTT 5, the bridge bit of the protocol level in 3.1.1). Rings of brokers are
 * told by the way that a message of MQTT 5 carries.
 */
import { readFileSync } from 'node:fs'
import { connect, type DoneCallback, type IClientOptions, type IPublishPacket, type MqttClient, type Packet } from 'mqtt'
import type { Client } from '../../broker/client.ts'
import type { Port } from '../../broker/port.ts'
import { type BridgeConfig, bridgeGateway, bridgeLimits } from '../../config/bridge-schema.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { CloseReason, Delivery, Log, PublishOutcome, SessionLimits } from '../../sdk.ts'
import { isAccepted, Message } from '../../sdk.ts'
import { ownPath } from './path.ts'
import { fromRemote, toRemote } from './properties.ts'
import { TopicMap } from './topic-map.ts'

/** How long a message that this side refused for now is kept before it is tried again. */
const RETRY_MS = 1000

/** What a bridge needs of the runtime. */
export type BridgeRuntime = Pick<Runtime, 'core' | 'event' | 'now' | 'stored'>

export interface BridgeStatus {
  readonly name: string
  readonly connected: boolean
  readonly sent: number
  readonly received: number
  /** Came in and was not published: no permission, no valid topic, over a limit. */
  readonly refused: number
  /** Came in and was here before: brokers are bridged in a ring. */
  readonly looped: number
  readonly queued: number
}

export class Bridge implements Port {
  readonly gateway: string
  readonly limits: SessionLimits
  readonly #config: BridgeConfig
  readonly #runtime: BridgeRuntime
  readonly #log: Log
  readonly #out: TopicMap
  readonly #in: TopicMap
  readonly #remote: MqttClient
  #client: Client | undefined = undefined
  #sent = 0
  #received = 0
  #refused = 0
  #looped = 0
  #stopping = false

  /** Starts at once; throws when a TLS file cannot be read. `node` names this process to the remote broker. */
  constructor(config: BridgeConfig, node: string, runtime: BridgeRuntime, log: Log) {
    this.#config = config
    this.#runtime = runtime
    this.#log = log
    this.gateway = bridgeGateway(config.name)
    this.limits = bridgeLimits(config)
    this.#out = TopicMap.out(config.topics)
    this.#in = TopicMap.in(config.topics)
    this.#remote = connect(config.url, optionsOf(config, node))
    this.#remote.handleMessage = (packet, done) => this.#onMessage(packet, done)
    if (config.version !== '5') this.#remote.on('packetsend', sayBridge)
    this.#remote.on('connect', () => this.#onConnect())
    this.#remote.on('close', () => this.#onClose())
    this.#remote.on('error', (error) => log.warn({ bridge: config.name, error: error.message }, 'a bridge cannot connect'))
    runtime.event(() => this.#attach())
    this.#remote.connect()
  }

  get status(): BridgeStatus {
    const { connected } = this.#remote
    const { queued = 0, unacknowledged = 0 } = this.#client ?? {}
    return {
      name: this.#config.name,
      connected,
      sent: this.#sent,
      received: this.#received,
      refused: this.#refused,
      looped: this.#looped,
      queued: queued + unacknowledged,
    }
  }

  /** What was not acknowledged stays in the session. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#remote.removeAllListeners('close')
    const client = this.#client
    this.#client = undefined
    if (client !== undefined) this.#runtime.event(() => this.#runtime.core.detach(client, 'shutdown', false))
    await this.#remote.endAsync(true)
  }

  // ---- Port ----------------------------------------------------------------------------------------------------

  deliver(client: Client, delivery: Delivery): boolean {
    const remote = this.#remote
    if (!remote.connected) return false
    const { stream } = remote
    if (stream.writableNeedDrain) {
      stream.once('drain', () => this.#runtime.event(() => this.#runtime.core.release(client)))
      return false
    }
    const { message, qos, retain, dup, id } = delivery
    const done = (): void => this.#runtime.event(() => void this.#runtime.core.ack(client, id))
    const topic = this.#out.map(message.topic)
    if (topic === undefined) {
      if (id !== 0) setImmediate(done) // the config names it no more
      return true
    }
    const properties = this.#config.version === '5' ? { properties: toRemote(message, this.#runtime.now()) } : {}
    const options = { qos, retain, dup, ...properties }
    this.#sent++
    // A failure is a connection that ends, after which MQTT.js or, over a restart, the session sends it again; or a
    // refusal of the remote broker, which would be the same the next time.
    remote.publish(topic, Buffer.from(message.payload), options, (error) => {
      if (error !== undefined && error !== null && !this.#stopping)
        this.#log.warn({ ...this.#name, topic, error: error.message }, 'a bridged message was refused')
      if (id !== 0 && !this.#stopping) done()
    })
    return true
  }

  evict(client: Client, reason: CloseReason): void {
    this.#client = undefined
    this.#runtime.core.detach(client, reason, false)
    if (this.#stopping) return
    this.#log.warn({ ...this.#name, clientid: client.id, reason }, 'a bridge lost its client id to somebody, and takes it back')
    setTimeout(() => {
      if (!this.#stopping) this.#runtime.event(() => this.#attach())
    }, RETRY_MS).unref()
  }

  peer(): string {
    return this.#config.url.replace(/\/\/[^@/]*@/, '//')
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  get #name(): { readonly bridge: string } {
    return { bridge: this.#config.name }
  }

  #attach(): void {
    const { core } = this.#runtime
    const { outcome, client } = core.attach(this, this, {
      clientId: this.gateway,
      protocol: 'bridge',
      cleanStart: false,
      expiryMs: Number.POSITIVE_INFINITY,
      keepAliveMs: 0,
    })
    if (client === undefined) {
      this.#log.error({ ...this.#name, outcome }, 'a bridge has no session here; it will be tried again')
      setTimeout(() => this.#runtime.event(() => this.#attach()), RETRY_MS).unref()
      return
    }
    this.#client = client
    if (!this.#remote.connected) core.hold(client)
    const filters = this.#out.filters()
    for (const { filter } of client.allSubscriptions()) if (!filters.has(filter)) core.unsubscribe(client, filter)
    for (const [filter, qos] of filters) {
      core.subscribe(client, filter, { qos, noLocal: true, retainAsPublished: true, retainHandling: 1 })
    }
    core.resume(client)
  }

  #onConnect(): void {
    this.#log.info({ ...this.#name, url: this.peer() }, 'a bridge is connected')
    for (const [filter, qos] of this.#in.filters()) {
      const options = this.#config.version === '5' ? { qos, nl: true, rap: true, rh: 1 as const } : { qos }
      this.#remote.subscribe(filter, options, (error, granted) => {
        const isRefused = granted?.some((grant) => grant.qos >= 0x80) === true
        if ((error !== null && error !== undefined) || isRefused)
          this.#log.error(
            { ...this.#name, filter, error: error?.message },
            'the remote broker refuses a subscription of a bridge',
          )
      })
    }
    const client = this.#client
    if (client !== undefined) this.#runtime.event(() => this.#runtime.core.release(client))
  }

  #onClose(): void {
    const client = this.#client
    if (client !== undefined) this.#runtime.event(() => this.#runtime.core.hold(client))
  }

  #onMessage(packet: IPublishPacket, done: DoneCallback): void {
    if (this.#stopping) return
    const client = this.#client
    const topic = this.#in.map(packet.topic)
    if (topic === undefined) {
      done()
      return
    }
    const { payload, qos, retain, properties } = packet
    const known = fromRemote(properties)
    if (ownPath.isLooped(topic, known?.userProperties)) {
      this.#looped++
      done()
      return
    }
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
    const message = new Message(topic, bytes, qos, retain, known)
    if (properties?.messageExpiryInterval !== undefined)
      message.expiresAt = this.#runtime.now() + properties.messageExpiryInterval * 1000
    let outcome: PublishOutcome = 'unavailable'
    this.#runtime.event(() => {
      if (client !== undefined) outcome = this.#runtime.core.publish(message, client)
    })
    if (outcome === 'unavailable') {
      setTimeout(() => this.#onMessage(packet, done), RETRY_MS).unref()
      return
    }
    if (isAccepted(outcome)) this.#received++
    else this.#refused++
    // Unstored and unacknowledged, it comes again with the next connection.
    this.#runtime.stored((isStored) => (isStored ? done() : this.#remote.stream.destroy()))
  }
}

/** MQTT.js has no option for the bridge bit of the protocol level; its packets are told here, before they are written. */
function sayBridge(packet: Packet & { bridgeMode?: boolean }): void {
  if (packet.cmd === 'connect') packet.bridgeMode = true
}

function optionsOf(config: BridgeConfig, node: string): IClientOptions {
  const { version, clientId = `omnigate-${node}-${config.name}`, username, password, ca, cert, key } = config
  const isNew = version === '5'
  return {
    protocolVersion: isNew ? 5 : 4,
    clientId,
    clean: false,
    manualConnect: true,
    keepalive: Math.round(config.keepAlive / 1000),
    reconnectPeriod: config.reconnect,
    reconnectOnConnackError: true,
    queueQoSZero: false,
    ...(isNew ? { properties: { sessionExpiryInterval: Math.round(config.sessionExpiry / 1000) } } : {}),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(ca !== undefined && { ca: readFileSync(ca) }),
    ...(cert !== undefined && { cert: readFileSync(cert) }),
    ...(key !== undefined && { key: readFileSync(key) }),
  }
}
