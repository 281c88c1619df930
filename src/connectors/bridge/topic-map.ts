/** What a message is called on the other side: the first bridged topic that matches takes one prefix away and adds the other. */
import type { BridgedTopic } from '../../config/bridge-schema.ts'
import { topicMatches } from '../../sdk.ts'

interface Rule {
  /** Filter on the side that the message comes from. */
  readonly filter: string
  readonly qos: 0 | 1 | 2
  readonly from: string
  readonly to: string
}

export class TopicMap {
  readonly #rules: readonly Rule[]

  private constructor(rules: readonly Rule[]) {
    this.#rules = rules
  }

  /** From here to the remote broker. */
  static out(topics: readonly BridgedTopic[]): TopicMap {
    const leaving = topics.filter(({ direction }) => direction !== 'in')
    return new TopicMap(leaving.map((topic) => rule(topic, topic.localPrefix, topic.remotePrefix)))
  }

  /** From the remote broker to here. */
  static in(topics: readonly BridgedTopic[]): TopicMap {
    const entering = topics.filter(({ direction }) => direction !== 'out')
    return new TopicMap(entering.map((topic) => rule(topic, topic.remotePrefix, topic.localPrefix)))
  }

  /** What to subscribe to, each filter once, with its highest QoS. */
  filters(): Map<string, 0 | 1 | 2> {
    const filters = new Map<string, 0 | 1 | 2>()
    for (const { filter, qos } of this.#rules) if (qos >= (filters.get(filter) ?? 0)) filters.set(filter, qos)
    return filters
  }

  /** Undefined when no rule matches. */
  map(topic: string): string | undefined {
    const found = this.#rules.find(({ filter }) => topicMatches(filter, topic))
    return found === undefined ? undefined : found.to + topic.slice(found.from.length)
  }
}

function rule({ topic, qos }: BridgedTopic, from: string, to: string): Rule {
  return { filter: from + topic, qos, from, to }
}
