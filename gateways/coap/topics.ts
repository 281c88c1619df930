/** Paths and topics: `/ps/a/b` is the topic `a/b`. */
import { isTopicFilter, isTopicName, parseShared } from '#sdk'
import { LOCATION_PATH, type Option, textOption } from '#stacks/coap/options'
import { percentDecode } from './query.ts'

/** First segment of the paths that stand for topics. */
export const TOPIC_ROOT = 'ps'

/** Everything below `/ps`, joined by slashes and decoded once: `/ps/a/b` and `/ps/a%2Fb` are the same topic. */
export function topicOf(segments: readonly string[]): string {
  return percentDecode(segments.slice(1).join('/'))
}

/** The path of a topic, as a link's target. RFC 3986 3.3 */
export function pathOf(topic: string): string {
  return `/${TOPIC_ROOT}/${topic.split('/').map(encodeLevel).join('/')}`
}

/** By way of UTF-8: half of a surrogate pair has no encoding. */
function encodeLevel(level: string): string {
  return encodeURIComponent(Buffer.from(level).toString())
}

/** What a topic path can be used for. A `name` is also a filter that matches itself alone. */
export type TopicKind = 'name' | 'filter' | 'invalid'

export function topicKind(topic: string): TopicKind {
  const shared = parseShared(topic)
  if (shared === 'invalid') return 'invalid'
  if (shared !== undefined) return 'filter'
  if (isTopicName(topic)) return 'name'
  return isTopicFilter(topic) ? 'filter' : 'invalid'
}

/** RFC 7252 5.10.7: no segment may be `.` or `..`, and none is longer. */
const MAX_SEGMENT_BYTES = 255

/** Where the value of `topic` can be read, as Location-Path; empty when the options cannot say it. */
export function locationOf(topic: string): readonly Option[] {
  const options = [textOption(LOCATION_PATH, TOPIC_ROOT)]
  for (const level of topic.split('/')) {
    if (level === '.' || level === '..') return []
    const option = textOption(LOCATION_PATH, level)
    if (option.value.length > MAX_SEGMENT_BYTES) return []
    options.push(option)
  }
  return options
}
