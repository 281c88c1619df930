/** `$SYS/broker/...` as mosquitto has it, and what each gateway counts. */
import type { GatewayRuntime } from './gateway-runtime.ts'
import { LoadAverages } from './load-averages.ts'
import type { SysSource, SysTree } from './sys-topics.ts'

type Put = (name: string, value: string | number) => void

export class MosquittoTree implements SysTree {
  readonly root = '$SYS/broker/'
  readonly #source: SysSource
  readonly #load: LoadAverages
  #maxHeapBytes = 0

  constructor(source: SysSource) {
    this.#source = source
    this.#load = new LoadAverages(this.#counts(), source.uptimeMs())
  }

  sample(): void {
    this.#load.sample(this.#counts(), this.#source.uptimeMs())
    this.#maxHeapBytes = Math.max(this.#maxHeapBytes, this.#source.heapBytes())
  }

  values(): Map<string, string | number> {
    const { core, version } = this.#source
    const { stats } = core
    const values = new Map<string, string | number>()
    const put: Put = (name, value) => void values.set(this.root + name, value)
    put('version', `omnigate version ${version}`)
    put('uptime', `${Math.floor(this.#source.uptimeMs() / 1000)} seconds`)
    put('clients/connected', stats.connected)
    put('clients/active', stats.connected)
    put('clients/disconnected', core.size - stats.connected)
    put('clients/inactive', core.size - stats.connected)
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
    const disk = this.#source.store()
    if (disk !== undefined) {
      put('store/disk/bytes', disk.bytes)
      put('store/disk/segments', disk.segments)
      put('store/disk/commits', disk.commits)
      put('store/disk/failures', disk.failures)
      put('store/disk/cleanings', disk.checkpoints)
      put('store/disk/writes', disk.ready ? 1 : 0)
    }
    put('retained messages/count', core.retainedStore.size)
    put('retained messages/bytes', core.retainedStore.bytes)
    put('delayed/count', core.delayed.size)
    put('delayed/bytes', core.delayed.bytes)
    put('subscriptions/count', core.subscriptionCount)
    put('shared_subscriptions/count', core.subscribed.shared)
    const { bans, flapping } = this.#source
    put('bans/count', bans.size)
    put('bans/refused', bans.refused)
    put('bans/overflowed', bans.overflowed)
    put('bans/flapping', flapping.detected)
    const { bytesIn, bytesOut, payloadIn, payloadOut } = this.#traffic()
    put('bytes/received', bytesIn)
    put('bytes/sent', bytesOut)
    put('publish/bytes/received', payloadIn)
    put('publish/bytes/sent', payloadOut)
    const heapBytes = this.#source.heapBytes()
    this.#maxHeapBytes = Math.max(this.#maxHeapBytes, heapBytes)
    put('heap/current', heapBytes)
    put('heap/maximum', this.#maxHeapBytes)
    for (const [name, minutes, perMinute] of this.#load.entries()) put(`load/${name}/${minutes}min`, perMinute.toFixed(2))
    for (const gateway of this.#source.gateways()) putGateway(gateway, put)
    return values
  }

  /** What load averages are kept of. */
  #counts(): Record<string, number> {
    const { stats } = this.#source.core
    const { bytesIn, bytesOut, sessions } = this.#traffic()
    return {
      connections: stats.connects,
      sockets: sessions,
      'bytes/received': bytesIn,
      'bytes/sent': bytesOut,
      'messages/received': stats.received,
      'messages/sent': stats.sent,
      'publish/received': stats.received,
      'publish/sent': stats.sent,
      'publish/dropped': stats.droppedTotal,
    }
  }

  #traffic() {
    const total = { bytesIn: 0, bytesOut: 0, payloadIn: 0, payloadOut: 0, sessions: 0 }
    for (const { counters } of this.#source.gateways()) {
      total.bytesIn += counters.bytesIn
      total.bytesOut += counters.bytesOut
      total.payloadIn += counters.payloadIn
      total.payloadOut += counters.payloadOut
      total.sessions += counters.sessions
    }
    return total
  }
}

function putGateway(gateway: GatewayRuntime, put: Put): void {
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
