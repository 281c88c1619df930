/** Topic ids that both sides know in advance (MQTT-SN 1.2, 6.5 and 6.7): for every client, and for single ones. */
import type { Config } from './config.ts'

interface Names {
  readonly byId: Map<number, string>
  readonly byName: Map<string, number>
}

export class PredefinedTopics {
  readonly #all: Names = { byId: new Map(), byName: new Map() }
  readonly #ofClient = new Map<string, Names>()

  constructor(entries: Config['predefined']) {
    for (const { id, topic, clientId } of entries) {
      const { byId, byName } = this.#names(clientId)
      byId.set(id, topic)
      byName.set(topic, id)
    }
  }

  /** Without a client id: of those for every client. */
  name(id: number, clientId?: string): string | undefined {
    const own = clientId === undefined ? undefined : this.#ofClient.get(clientId)
    return own?.byId.get(id) ?? this.#all.byId.get(id)
  }

  /** An id by which this client will understand the name. */
  id(name: string, clientId: string): number | undefined {
    const own = this.#ofClient.get(clientId)
    const ownId = own?.byName.get(name)
    if (ownId !== undefined) return ownId
    const id = this.#all.byName.get(name)
    // The client may know the id under another name of its own.
    return id !== undefined && own?.byId.has(id) === true ? undefined : id
  }

  #names(clientId: string | undefined): Names {
    if (clientId === undefined) return this.#all
    let names = this.#ofClient.get(clientId)
    if (names === undefined) {
      names = { byId: new Map(), byName: new Map() }
      this.#ofClient.set(clientId, names)
    }
    return names
  }
}
