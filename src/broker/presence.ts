/** `devices/{clientid}/status`: live when a client comes and goes, computed from the registry for late subscribers. */
import type { CloseReason } from '../sdk.ts'
import { decodeClientId, deviceTopic, hasWildcard, Message, topicMatches } from '../sdk.ts'
import type { Client } from './client.ts'

/** Answers new subscriptions (and reads) on topics that are computed instead of stored. */
export interface Provider {
  match(filter: string): Iterator<Message>
  get(topic: string): Message | undefined
}

const encoder = new TextEncoder()

export function statusTopic(client: Client): string {
  return deviceTopic(client.id, 'status')
}

export function statusMessage(client: Client, retain: boolean): Message {
  const { id: device, protocol, since } = client
  const { gateway } = client.port
  const status = client.connected
    ? { online: true, device, protocol, gateway, peer: client.port.peer(client), since }
    : { online: false, device, protocol, gateway, since, reason: client.offlineReason ?? ('disconnected' satisfies CloseReason) }
  return new Message(statusTopic(client), encoder.encode(JSON.stringify(status)), 1, retain)
}

export class Presence implements Provider {
  readonly #clients: ReadonlyMap<string, Client>

  constructor(clients: ReadonlyMap<string, Client>) {
    this.#clients = clients
  }

  get(topic: string): Message | undefined {
    const [root, level, leaf, more] = topic.split('/')
    if (root !== 'devices' || level === undefined || leaf !== 'status' || more !== undefined) return undefined
    const client = this.#clients.get(decodeClientId(level))
    return client === undefined ? undefined : statusMessage(client, true)
  }

  match(filter: string): Iterator<Message> {
    return this.#match(filter)
  }

  *#match(filter: string): Generator<Message, undefined> {
    if (!hasWildcard(filter)) {
      const message = this.get(filter)
      if (message !== undefined) yield message
      return
    }
    const levels = filter.split('/')
    const [root, level] = levels
    if (root !== 'devices' && root !== '+' && root !== '#') return
    if (level !== undefined && level !== '+' && level !== '#') {
      const exact = `devices/${level}/status`
      const message = topicMatches(filter, exact) ? this.get(exact) : undefined
      if (message !== undefined) yield message
      return
    }
    if (!topicMatches(filter, 'devices/x/status')) return
    for (const client of this.#clients.values()) yield statusMessage(client, true)
  }
}
