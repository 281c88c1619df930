/** `$SYS/broker/...`: the process in numbers, computed when somebody subscribes and published at an interval. */
import type { BrokerCore } from '../broker/core.ts'
import type { Provider } from '../broker/presence.ts'
import { Message, topicMatches } from '../sdk.ts'
import type { GatewayRuntime } from './gateway-runtime.ts'

const ROOT = '$SYS/broker'
const encoder = new TextEncoder()

export interface SysSource {
  readonly core: BrokerCore
  readonly version: string
  /** Seconds since start. */
  uptime(): number
  gateways(): Iterable<GatewayRuntime>
}

export class SysTopics implements Provider {
  readonly #source: SysSource

  constructor(source: SysSource) {
    this.#source = source
  }

  get(topic: string): Message | undefined {
    if (!topic.startsWith(ROOT)) return undefined
    const value = this.#values().get(topic)
    return value === undefined ? undefined : message(topic, value, true)
  }

  match(filter: string): Iterator<Message> {
    if (!filter.startsWith('$SYS')) return [].values()
    const matching = [...this.#values()].filter(([topic]) => topicMatches(filter, topic))
    return matching.map(([topic, value]) => message(topic, value, true)).values()
  }

  /** Publishes what somebody listens to. */
  publish(): void {
    const { core } = this.#source
    for (const [topic, value] of this.#values()) if (core.wanted(topic)) core.publish(message(topic, value, false))
  }

  #values(): Map<string, string | number> {
    const { core, version } = this.#source
    const { stats } = core
    const values = new Map<string, string | number>()
    const put = (name: string, value: string | number): void => void values.set(`${ROOT}/${name}`, value)
    put('version', `omnigate version ${version}`)
    put('uptime', `${Math.floor(this.#source.uptime())} seconds`)
    put('clients/connected', stats.connected)
    put('clients/disconnected', core.size - stats.connected)
    put('clients/total', core.size)
    put('clients/maximum', stats.maxConnected)
    put('clients/expired', stats.expiredSessions)
    put('clients/takeovers', stats.takeovers)
    put('messages/received', stats.received)
    put('messages/sent', stats.sent)
    put('messages/stored', stats.queued + core.retainedStore.size)
    put('publish/messages/received', stats.received)
    put('publish/messages/sent', stats.sent)
    put('publish/messages/dropped', stats.droppedTotal)
    put('publish/messages/rejected', stats.rejected)
    put('publish/messages/refused', stats.refused)
    for (const [reason, count] of Object.entries(stats.dropped)) put(`publish/messages/dropped/${reason}`, count)
    put('store/messages/count', stats.queued)
    put('store/messages/bytes', stats.queuedBytes)
    put('retained messages/count', core.retainedStore.size)
    put('retained messages/bytes', core.retainedStore.bytes)
    put('delayed/count', core.delayed.size)
    put('delayed/bytes', core.delayed.bytes)
    put('subscriptions/count', core.subscriptionCount)
    let bytesIn = 0
    let bytesOut = 0
    for (const gateway of this.#source.gateways()) {
      bytesIn += gateway.counters.bytesIn
      bytesOut += gateway.counters.bytesOut
      putGateway(gateway, put)
    }
    put('bytes/received', bytesIn)
    put('bytes/sent', bytesOut)
    return values
  }
}

function putGateway(gateway: GatewayRuntime, put: (name: string, value: number) => void): void {
  const { counters } = gateway
  const root = `gateways/${gateway.name}`
  put(`${root}/bytes/received`, counters.bytesIn)
  put(`${root}/bytes/sent`, counters.bytesOut)
  put(`${root}/messages/received`, counters.messagesIn)
  put(`${root}/messages/sent`, counters.messagesOut)
  put(`${root}/sessions/opened`, counters.sessions)
  put(`${root}/sessions/open`, gateway.hosts.size)
  put(`${root}/sessions/faults`, counters.faults)
  for (const [reason, count] of counters.closed) put(`${root}/sessions/closed/${reason}`, count)
  for (const [reason, count] of counters.malformed) put(`${root}/malformed/${reason}`, count)
  for (const [name, count] of counters.named) put(`${root}/counters/${name}`, count)
  for (const { config, listener } of gateway.listeners) {
    for (const [name, count] of Object.entries(listener.stats))
      if (count > 0) put(`${root}/listeners/${config.name}/${name}`, count)
  }
}

function message(topic: string, value: string | number, retain: boolean): Message {
  return new Message(topic, encoder.encode(String(value)), 0, retain)
}
