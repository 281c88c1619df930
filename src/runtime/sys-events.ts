/**
 * `$SYS/brokers/{node}/clients/{clientid}/connected`, `disconnected`, `subscribed` and `unsubscribed`, with EMQX's keys, for
 * clients of every protocol. Built only if somebody listens.
 */
import type { Client } from '../broker/client.ts'
import type { BrokerCore } from '../broker/core.ts'
import type { ClientObserver } from '../broker/port.ts'
import { type CloseReason, type ConnectRequest, encodeClientId, Message, type SubscribeOptions } from '../sdk.ts'
import { SessionHost } from './host.ts'

type Event = 'connected' | 'disconnected' | 'subscribed' | 'unsubscribed'

const encoder = new TextEncoder()

/** Of a session that never ends: four octets of ones, as OASIS v5.0 section 3.1.2.11.2 writes it. */
const NEVER_S = 0xffff_ffff

/** EMQX's words where they are not ours with an underscore. */
const REASONS: Readonly<Partial<Record<CloseReason, string>>> = {
  disconnected: 'normal',
  'connection-lost': 'tcp_closed',
  'taken-over': 'takenover',
  shutdown: 'server_shutting_down',
}

export class ClientEvents implements ClientObserver {
  readonly #core: () => BrokerCore
  readonly #root: string
  readonly #now: () => number

  /** `now` in ms since the epoch. */
  constructor(core: () => BrokerCore, node: string, now: () => number) {
    this.#core = core
    this.#root = `$SYS/brokers/${node}/clients`
    this.#now = now
  }

  connected(client: Client, { cleanStart }: ConnectRequest): void {
    this.#tell(client, 'connected', () => ({
      ...this.#whom(client),
      keepalive: Math.round(client.keepAliveMs / 1000),
      clean_start: cleanStart,
      expiry_interval: Math.min(Math.round(client.expiryMs / 1000), NEVER_S),
      connected_at: client.since,
      connack: 0,
    }))
  }

  disconnected(client: Client, reason: CloseReason): void {
    this.#tell(client, 'disconnected', () => ({
      ...this.#whom(client),
      reason: REASONS[reason] ?? reason.replaceAll('-', '_'),
      connected_at: client.since,
      disconnected_at: this.#now(),
    }))
  }

  subscribed(client: Client, topic: string, options: SubscribeOptions): void {
    const { qos, noLocal = false, retainAsPublished = false, retainHandling = 0, id } = options
    this.#tell(client, 'subscribed', () => ({
      ...this.#whose(client),
      topic,
      subopts: {
        qos,
        nl: Number(noLocal),
        rap: Number(retainAsPublished),
        rh: retainHandling,
        sub_props: id === undefined ? {} : { 'Subscription-Identifier': id },
      },
    }))
  }

  unsubscribed(client: Client, topic: string): void {
    this.#tell(client, 'unsubscribed', () => ({ ...this.#whose(client), topic, subopts: {} }))
  }

  #tell(client: Client, event: Event, build: () => object): void {
    const core = this.#core()
    if (!core.subscribed.hasReserved) return
    const topic = `${this.#root}/${encodeClientId(client.id)}/${event}`
    core.announce(topic, () => new Message(topic, encoder.encode(JSON.stringify({ ...build(), ts: this.#now() }))))
  }

  #whose({ id, username, protocol }: Client): object {
    return { clientid: id, username, protocol }
  }

  /** `proto_ver` is the version as the gateway writes it; `sockport` is ours. */
  #whom(client: Client): object {
    const { ref, protocol, version, port } = client
    const place = ref instanceof SessionHost ? { ipaddress: ref.peer.address, sockport: portOf(ref.listener?.address) } : {}
    return { ...this.#whose(client), ...place, proto_name: protocol.toUpperCase(), proto_ver: version, gateway: port.gateway }
  }
}

function portOf(address: string | undefined): number | undefined {
  const digits = /:(\d+)$/.exec(address ?? '')?.[1]
  return digits === undefined ? undefined : Number(digits)
}
