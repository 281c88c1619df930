/** `$SYS`: the process in numbers. Computed when somebody subscribes, and published at an interval to who listens. */

import type { BrokerCore } from '../broker/core.ts'
import type { Provider } from '../broker/presence.ts'
import type { SlowSubscribers } from '../broker/slow-subscribers.ts'
import { Message, topicMatches } from '../sdk.ts'
import type { StoreStatus } from '../store/store.ts'
import type { Bans } from './bans.ts'
import type { GatewayRuntime } from './gateway-runtime.ts'

const encoder = new TextEncoder()

/** What the numbers are made of. */
export interface SysSource {
  readonly core: BrokerCore
  readonly version: string
  /** Name of the node. */
  readonly node: string
  /** Milliseconds since the epoch. */
  now(): number
  /** Milliseconds since start. */
  uptimeMs(): number
  /** Bytes of the JavaScript heap and what hangs on it. */
  heapBytes(): number
  readonly bans: Pick<Bans, 'size' | 'refused' | 'overflowed'>
  readonly flapping: { readonly detected: number }
  /** Undefined when the latency of deliveries is not measured. */
  readonly slow: SlowSubscribers | undefined
  /** Undefined when nothing outlives the process. */
  store(): StoreStatus | undefined
  gateways(): Iterable<GatewayRuntime>
}

/** Topics as one broker product names them. */
export interface SysTree {
  /** All its topics begin with this. */
  readonly root: string
  values(): ReadonlyMap<string, string | number>
  /** Called at the interval, whether somebody listens or not; must be cheap. */
  sample?(): void
}

export class SysTopics implements Provider {
  readonly #core: BrokerCore
  readonly #trees: readonly SysTree[]

  constructor(core: BrokerCore, trees: readonly SysTree[]) {
    this.#core = core
    this.#trees = trees
  }

  get(topic: string): Message | undefined {
    for (const tree of this.#trees) {
      const value = topic.startsWith(tree.root) ? tree.values().get(topic) : undefined
      if (value !== undefined) return message(topic, value, true)
    }
    return undefined
  }

  match(filter: string): Iterator<Message> {
    return this.#match(filter)
  }

  /** Publishes what somebody listens to. */
  publish(): void {
    for (const tree of this.#trees) tree.sample?.()
    if (!this.#core.subscribed.hasReserved) return
    for (const tree of this.#trees) {
      for (const [topic, value] of tree.values()) this.#core.announce(topic, () => message(topic, value, false))
    }
  }

  *#match(filter: string): Generator<Message, undefined> {
    if (!filter.startsWith('$SYS/')) return
    for (const tree of this.#trees) {
      for (const [topic, value] of tree.values()) if (topicMatches(filter, topic)) yield message(topic, value, true)
    }
  }
}

function message(topic: string, value: string | number, retain: boolean): Message {
  return new Message(topic, encoder.encode(String(value)), 0, retain)
}
