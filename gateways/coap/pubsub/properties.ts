/** Properties of a topic, draft-ietf-core-coap-pubsub section 3: their keys, types and rules. */
import { isTopicName } from '#sdk'
import { type Cbor, EpochSeconds } from './cbor.ts'

export const TOPIC_NAME = 0
export const TOPIC_DATA = 1
export const RESOURCE_TYPE = 2
export const CONTENT_FORMAT = 3
export const TOPIC_TYPE = 4
export const EXPIRATION_DATE = 5
export const MAX_SUBSCRIBERS = 6
export const OBSERVER_CHECK = 7
export const INITIALIZE = 8

/** The only resource type of topic data. */
export const DATA_RESOURCE_TYPE = 'core.ps.data'

/** What a topic is, by key; without `initialize`, which is data and no property of the topic. */
export type Properties = ReadonlyMap<number, Cbor>

const MAX_NAME_CHARACTERS = 1024
const MAX_TYPE_CHARACTERS = 255
const MAX_CONTENT_FORMAT = 0xffff

interface Rule {
  readonly name: string
  readonly holds: (value: unknown) => boolean
  readonly wanted: string
}

const RULES: ReadonlyMap<number, Rule> = new Map([
  [
    TOPIC_NAME,
    {
      name: 'topic-name',
      holds: (value) => typeof value === 'string' && value.length <= MAX_NAME_CHARACTERS && isTopicName(value),
      wanted: 'a topic name without wildcards',
    },
  ],
  [TOPIC_DATA, { name: 'topic-data', holds: (value) => isText(value, MAX_NAME_CHARACTERS), wanted: 'a text' }],
  [RESOURCE_TYPE, { name: 'resource-type', holds: (value) => value === DATA_RESOURCE_TYPE, wanted: DATA_RESOURCE_TYPE }],
  [
    CONTENT_FORMAT,
    { name: 'topic-content-format', holds: (value) => isUint(value) && value <= MAX_CONTENT_FORMAT, wanted: 'a Content-Format' },
  ],
  [TOPIC_TYPE, { name: 'topic-type', holds: (value) => isText(value, MAX_TYPE_CHARACTERS), wanted: 'a text' }],
  [
    EXPIRATION_DATE,
    { name: 'expiration-date', holds: (value) => value instanceof EpochSeconds && value.value >= 0, wanted: 'a time (tag 1)' },
  ],
  [MAX_SUBSCRIBERS, { name: 'max-subscribers', holds: isUint, wanted: 'an unsigned number' }],
  [
    OBSERVER_CHECK,
    { name: 'observer-check', holds: (value) => isUint(value) && value > 0, wanted: 'a number of seconds above 0' },
  ],
  [INITIALIZE, { name: 'initialize', holds: (value) => value instanceof Uint8Array, wanted: 'a byte string' }],
])

/** Given once, and for good. */
const IMMUTABLE: readonly number[] = [TOPIC_NAME, TOPIC_DATA, RESOURCE_TYPE]

function isText(value: unknown, maxCharacters: number): boolean {
  return typeof value === 'string' && value.length <= maxCharacters
}

function isUint(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** The properties that a request names; a string says what is wrong with them. */
export function readProperties(decoded: unknown): Properties | string {
  if (!(decoded instanceof Map)) return 'the body is a CBOR map of topic properties'
  for (const [key, value] of decoded) {
    const rule = RULES.get(key)
    if (rule === undefined) return `${String(key)} is no property of a topic`
    if (!rule.holds(value)) return `${rule.name} is ${rule.wanted}`
  }
  return decoded as Map<number, Cbor>
}

/** The keys of a partial read; a string says what is wrong. */
export function readKeys(decoded: unknown): readonly number[] | string {
  if (!Array.isArray(decoded) || !decoded.every((key) => RULES.has(key)))
    return 'the body is a CBOR array of keys of topic properties'
  return decoded
}

/** What is wrong with creating a topic of these; undefined when nothing is. */
export function creationFault(properties: Properties): string | undefined {
  for (const key of [TOPIC_NAME, RESOURCE_TYPE]) if (!properties.has(key)) return `${RULES.get(key)?.name} (${key}) is required`
  if (properties.has(INITIALIZE) && !properties.has(CONTENT_FORMAT)) return 'initialize needs topic-content-format'
  return undefined
}

/** The immutable property that `next` would change, by name. */
export function immutableChange(present: Properties, next: Properties): string | undefined {
  const changed = IMMUTABLE.find((key) => next.has(key) && next.get(key) !== present.get(key))
  return changed === undefined ? undefined : RULES.get(changed)?.name
}

/** What stays when everything that may be reset is. */
export function immutableOf(properties: Properties): Properties {
  return only(properties, IMMUTABLE)
}

export function only(properties: Properties, keys: readonly number[]): Properties {
  return new Map([...properties].filter(([key]) => keys.includes(key)))
}

/** True when every wanted property has this very value. */
export function meets(properties: Properties, wanted: Properties): boolean {
  return [...wanted].every(([key, value]) => {
    const present = properties.get(key)
    return present instanceof EpochSeconds && value instanceof EpochSeconds ? present.value === value.value : present === value
  })
}
