/**
 * `$SYS/brokers/...` as EMQX has it, as far as the names mean something here: node, statistics, metrics. Gauges have a
 * maximum beside their count; it is that of the samples, one each interval.
 */
import type { SlowSubscribers } from '../broker/slow-subscribers.ts'
import type { SysSource, SysTree } from './sys-topics.ts'

const NODES = '$SYS/brokers'

export class EmqxTree implements SysTree {
  readonly root = NODES
  readonly #source: SysSource
  readonly #maxima = new Map<string, number>()

  constructor(source: SysSource) {
    this.#source = source
  }

  sample(): void {
    this.#gauges()
  }

  values(): Map<string, string | number> {
    const { node, version } = this.#source
    const values = new Map<string, string | number>()
    const put = (name: string, value: string | number): void => void values.set(`${NODES}/${node}/${name}`, value)
    values.set(NODES, node)
    put('version', version)
    put('sysdescr', 'Omnigate')
    put('uptime', Math.floor(this.#source.uptimeMs()))
    put('datetime', new Date(this.#source.now()).toISOString())
    for (const [name, count] of Object.entries(this.#gauges())) {
      put(`stats/${name}/count`, count)
      put(`stats/${name}/max`, this.#maxima.get(name) ?? count)
    }
    for (const [name, count] of Object.entries(this.#metrics())) put(`metrics/${name}`, count)
    if (this.#source.slow !== undefined) put('slow_subs', JSON.stringify(this.#slowest(this.#source.slow)))
    return values
  }

  #slowest(slow: SlowSubscribers): object[] {
    const { node } = this.#source
    return slow.list(this.#source.now()).map(({ clientId, topic, latencyMs, at }) => ({
      clientid: clientId,
      node,
      topic,
      timespan: latencyMs,
      last_update_time: at,
    }))
  }

  #gauges(): Record<string, number> {
    const { core } = this.#source
    const { stats } = core
    const gauges = {
      connections: core.size,
      live_connections: stats.connected,
      sessions: core.size,
      channels: core.size,
      subscriptions: core.subscriptionCount,
      subscribers: core.subscriptionCount,
      suboptions: core.subscriptionCount,
      'subscriptions/shared': core.subscribed.shared,
      retained: core.retainedStore.size,
      delayed: core.delayed.size,
    }
    for (const [name, count] of Object.entries(gauges)) this.#maxima.set(name, Math.max(this.#maxima.get(name) ?? 0, count))
    return gauges
  }

  #metrics(): Record<string, number> {
    const { stats } = this.#source.core
    let bytesIn = 0
    let bytesOut = 0
    for (const { counters } of this.#source.gateways()) {
      bytesIn += counters.bytesIn
      bytesOut += counters.bytesOut
    }
    return {
      'bytes/received': bytesIn,
      'bytes/sent': bytesOut,
      'messages/received': stats.received,
      'messages/publish': stats.received,
      'messages/sent': stats.sent,
      'messages/delivered': stats.sent,
      'messages/dropped': stats.unrouted,
      'messages/dropped/no_subscribers': stats.unrouted,
      'delivery/dropped': stats.droppedTotal,
      'delivery/dropped/queue_full': stats.dropped['queue-full'],
      'delivery/dropped/expired': stats.dropped.expired,
      'client/connected': stats.connects,
      'client/disconnected': stats.connects - stats.connected,
      'delivery/slow': this.#source.slow?.slow ?? 0,
      'session/takenover': stats.takeovers,
      'session/terminated': stats.expiredSessions,
    }
  }
}
