/** Topic names and filters: MQTT 5.0 section 4.7 (equal in 3.1.1). */

/** [MQTT-4.7.3-3] */
export const MAX_TOPIC_BYTES = 65535

/** A topic name that may be published to: non-empty, no wildcard, no NUL, at most 65535 bytes. */
export function isTopicName(topic: string): boolean {
  const length = topic.length
  if (length === 0 || length > MAX_TOPIC_BYTES) return false
  for (let i = 0; i < length; i++) {
    const c = topic.charCodeAt(i)
    if (c === 0x2b || c === 0x23 || c === 0) return false
  }
  return length < 16384 || Buffer.byteLength(topic) <= MAX_TOPIC_BYTES
}

/** A filter that may be subscribed to (without a `$share` prefix): wildcards stand alone in their level, `#` last. */
export function isTopicFilter(filter: string): boolean {
  const length = filter.length
  if (length === 0 || length > MAX_TOPIC_BYTES) return false
  for (let i = 0; i < length; i++) {
    const c = filter.charCodeAt(i)
    if (c === 0) return false
    if (c !== 0x2b && c !== 0x23) continue
    if (i > 0 && filter.charCodeAt(i - 1) !== 0x2f) return false // [MQTT-4.7.1-1], [MQTT-4.7.1-2]
    if (c === 0x23 && i !== length - 1) return false
    if (c === 0x2b && i + 1 < length && filter.charCodeAt(i + 1) !== 0x2f) return false
  }
  return length < 16384 || Buffer.byteLength(filter) <= MAX_TOPIC_BYTES
}

export function hasWildcard(filter: string): boolean {
  return filter.includes('+') || filter.includes('#')
}

export interface SharedFilter {
  readonly group: string
  readonly filter: string
}

/** `$share/{group}/{filter}` [MQTT-4.8.2-1]; undefined when not shared, `invalid` when it should be but is not well formed. */
export function parseShared(filter: string): SharedFilter | undefined | 'invalid' {
  if (!filter.startsWith('$share/')) return undefined
  const slash = filter.indexOf('/', 7)
  if (slash <= 7) return 'invalid'
  const group = filter.slice(7, slash)
  const rest = filter.slice(slash + 1)
  if (hasWildcard(group) || !isTopicFilter(rest)) return 'invalid' // [MQTT-4.8.2-2]
  return { group, filter: rest }
}

const DELAYED = '$delayed/'
/** The longest delay, in seconds: what 32 bits of milliseconds hold. */
const MAX_DELAY_S = 4_294_967

export interface DelayedTopic {
  readonly delayMs: number
  /** Where the message is published when the time has come. */
  readonly topic: string
}

/**
 * `$delayed/{seconds}/{topic}`, 1 to 4294967 seconds; undefined when the topic is none of these, `invalid` when it should
 * be but is not well formed.
 */
export function parseDelayed(topic: string): DelayedTopic | undefined | 'invalid' {
  if (topic.charCodeAt(0) !== 0x24 || !topic.startsWith(DELAYED)) return undefined
  const match = /^\d{1,7}\/(?!\$delayed\/)/.exec(topic.slice(DELAYED.length, DELAYED.length + 32))
  const slash = topic.indexOf('/', DELAYED.length)
  const seconds = Number(topic.slice(DELAYED.length, slash))
  const later = topic.slice(slash + 1)
  if (match === null || seconds < 1 || seconds > MAX_DELAY_S || !isTopicName(later)) return 'invalid'
  return { delayMs: seconds * 1000, topic: later }
}

/** True when `topic` matches `filter`; a leading wildcard does not match `$` topics [MQTT-4.7.2-1]. */
export function topicMatches(filter: string, topic: string): boolean {
  if (topic.charCodeAt(0) === 0x24 && (filter.charCodeAt(0) === 0x2b || filter.charCodeAt(0) === 0x23)) return false
  const wanted = filter.split('/')
  const levels = topic.split('/')
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === '#') return true
    if (i >= levels.length) return false
    if (wanted[i] !== '+' && wanted[i] !== levels[i]) return false
  }
  return wanted.length === levels.length
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is encoded
const SPECIAL = /[/+#%\u0000-\u001f\u007f]/
const ALL_SPECIAL = new RegExp(SPECIAL, 'g')

/** `/ + #`, `%` and control characters of a client id are percent-encoded in topics. */
export function encodeClientId(clientId: string): string {
  if (!SPECIAL.test(clientId)) return clientId
  return clientId.replace(ALL_SPECIAL, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}

export function decodeClientId(level: string): string {
  return level.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** Unified topics of a terminal. */
export type DeviceTopic = 'status' | 'up/telemetry' | 'up/event' | 'up/response' | 'up/data' | 'down/command' | 'down/data'

export function deviceTopic(clientId: string, leaf: DeviceTopic): string {
  return `devices/${encodeClientId(clientId)}/${leaf}`
}

/** The client id in `devices/{clientid}/down/command`; undefined for other topics. */
export function commandDevice(topic: string): string | undefined {
  const level = /^devices\/([^/]+)\/down\/command$/.exec(topic)?.[1]
  return level === undefined ? undefined : decodeClientId(level)
}
