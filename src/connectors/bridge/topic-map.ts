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
    return new TopicMap(
      topics
        .filter(({ direction }) => direction !== 'in')
        .map(({ topic, qos, localPrefix, remotePrefix }) => ({
          filter: localPrefix + topic,
          qos,
          from: localPrefix,
          to: remotePrefix,
        })),
    )
  }

  /** From the remote broker to here. */
  static in(topics: readonly BridgedTopic[]): TopicMap {
    return new TopicMap(
      topics
        .filter(({ direction }) => direction !== 'out')
        .map(({ topic, qos, localPrefix, remotePrefix }) => ({
          filter: remotePrefix + topic,
          qos,
          from: remotePrefix,
          to: localPrefix,
        })),
    )
  }

  /** What to subscribe to, each filter once, with its highest QoS. */
  filters(): Map<string, 0 | 1 | 2> {
    const filters = new Map<string, 0 | 1 | 2>()
    for (const { filter, qos } of this.#rules) if (qos >= (filters.get(filter) ?? 0)) filters.set(filter, qos)
    return filters
  }

  /** Undefined when no rule matches. */
  map(topic: string): string | undefined {
    const rule = this.#rules.find(({ filter }) => topicMatches(filter, topic))
    return rule === undefined ? undefined : rule.to + topic.slice(rule.from.length)
  }
}
