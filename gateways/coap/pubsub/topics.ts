/** All topics that are configured at a gateway: noted, so that they are there after a restart where the node has a store. */
import type { Notebook } from '#sdk'
import { decodeCbor, encodeMap } from './cbor.ts'
import { type Properties, readProperties } from './properties.ts'
import { Topic } from './topic.ts'

/** Notes of topics: this and the id. */
const NOTE = 'topic '

export class Topics {
  readonly #notebook: Notebook
  readonly #byId = new Map<string, Topic>()
  readonly #byName = new Map<string, Topic>()

  constructor(notebook: Notebook) {
    this.#notebook = notebook
    for (const [key, value] of notebook.entries()) {
      if (!key.startsWith(NOTE)) continue
      const properties = readProperties(decodeCbor(Buffer.from(value, 'base64')))
      if (typeof properties !== 'string') this.#take(new Topic(key.slice(NOTE.length), properties))
    }
  }

  get size(): number {
    return this.#byId.size
  }

  get(id: string): Topic | undefined {
    return this.#byId.get(id)
  }

  named(name: string): Topic | undefined {
    return this.#byName.get(name)
  }

  all(): Iterable<Topic> {
    return this.#byId.values()
  }

  add(topic: Topic): void {
    this.#take(topic)
    this.#note(topic)
  }

  /** Replaces what may change. */
  change(topic: Topic, properties: Properties): void {
    topic.properties = properties
    this.#note(topic)
  }

  delete(topic: Topic): void {
    this.#byId.delete(topic.id)
    this.#byName.delete(topic.name)
    this.#notebook.erase(NOTE + topic.id)
  }

  #take(topic: Topic): void {
    this.#byId.set(topic.id, topic)
    this.#byName.set(topic.name, topic)
  }

  #note({ id, properties }: Topic): void {
    this.#notebook.write(NOTE + id, Buffer.from(encodeMap(properties)).toString('base64'))
  }
}
