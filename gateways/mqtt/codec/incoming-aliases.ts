/** Topics by the aliases that a 5.0 client gave them on its connection (MQTT 5.0 section 3.3.2.3.4). */
import type { IncomingPublish } from './incoming-publish.ts'

export class IncomingAliases {
  readonly #topics = new Map<number, string>()

  /** Notes the topic under its alias, or fills it in; the name of the fault, undefined when there is none. */
  resolve(packet: IncomingPublish, maximum: number): string | undefined {
    const { topicAlias: alias, topic } = packet
    if (alias === undefined) return undefined
    if (alias === 0 || alias > maximum) return 'topic-alias' // [MQTT-3.3.2-8], [MQTT-3.3.2-9]
    if (topic !== '') {
      this.#topics.set(alias, topic)
      return undefined
    }
    const known = this.#topics.get(alias)
    if (known === undefined) return 'topic-alias-unknown' // section 3.3.4
    packet.topic = known
    return undefined
  }
}
