/** Which topics may be used at all, and by whom. */
import { deviceTopic, isTopicFilter, isTopicName } from '../sdk.ts'
import type { Client } from './client.ts'
import type { Action, CoreLimits, Surroundings } from './port.ts'

/** Only the broker itself publishes there. */
const REFUSED_TOPIC_ROOT = '$SYS/'

/** An id as short as this makes no topic that is too long, whatever has to be encoded in it. */
const SAFE_ID_LENGTH = 10_000
/** A UTF-16 code unit takes at most this many octets of UTF-8. */
const MAX_OCTETS = 3

export class TopicPolicy {
  readonly #surroundings: Surroundings
  readonly #limits: CoreLimits

  constructor(surroundings: Surroundings, limits: CoreLimits) {
    this.#surroundings = surroundings
    this.#limits = limits
  }

  isName(topic: string): boolean {
    return isTopicName(topic) && this.#isWithinLimits(topic)
  }

  /** Of a filter without its `$share` prefix. */
  isFilter(filter: string): boolean {
    return isTopicFilter(filter) && this.#isWithinLimits(filter)
  }

  mayPublish(client: Client, topic: string): boolean {
    return !(topic.charCodeAt(0) === 0x24 && topic.startsWith(REFUSED_TOPIC_ROOT)) && this.#may(client, 'publish', topic)
  }

  maySubscribe(client: Client, filter: string): boolean {
    return this.#may(client, 'subscribe', filter)
  }

  /** Whether a client id may be used. */
  isClientId(clientId: string): boolean {
    if (isLonger(clientId, this.#limits.maxClientIdLength)) return false
    // Its own topics must be topics, too: the id may take three times its length in them.
    return clientId.length < SAFE_ID_LENGTH || isTopicName(deviceTopic(clientId, 'up/telemetry'))
  }

  #may(client: Client, action: Action, topic: string): boolean {
    const { authorize } = this.#surroundings
    return authorize === undefined || authorize(client, action, topic)
  }

  #isWithinLimits(topic: string): boolean {
    const { maxTopicLength, maxTopicLevels } = this.#limits
    if (isLonger(topic, maxTopicLength)) return false
    // So short a topic cannot have too many levels.
    if (topic.length < maxTopicLevels) return true
    let levels = 1
    for (let at = topic.indexOf('/'); at >= 0; at = topic.indexOf('/', at + 1)) levels++
    return levels <= maxTopicLevels
  }
}

/** In octets of UTF-8. */
export function isLonger(text: string, octets: number): boolean {
  return text.length * MAX_OCTETS > octets && Buffer.byteLength(text) > octets
}
